"""What a target is: one form of labels that others read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from ..options import Options
from ..source import Block, Source
from ..views import Views


@dataclass(frozen=True)
class Job:
    """One export: what is written, how, and where."""

    source: Source
    options: Options
    path: Path
    """Where to write: an empty folder, or a file that is not there yet."""
    about: dict[str, Any]
    """What the shards say, for forms that have room for it."""
    progress: Callable[[int], None]
    """Called with the number of images that were written."""
    losses: list[str] = field(default_factory=list)
    """What turned out to be lost while it was written; a sentence each."""

    @property
    def views(self) -> Views:
        """The rows as views, for forms of views."""
        return self.source.views

    def blocks(self, image_bytes: int = 0) -> Iterator[Block]:
        """All images in the order of the listing, with progress; `image_bytes` is what the target needs for one."""
        for block in self.source.blocks(image_bytes):
            yield block
            self.progress(len(block))


class OfViews(Enum):
    """What a form makes of rows that are views of images, such as crops."""

    REFUSED = "refused"
    """It holds one map of a whole picture."""
    ROWS = "rows"
    """A row is a view, with what is known of it."""
    PICTURES = "pictures"
    """A row is a picture, whose label is made of those of its views."""
    NEEDED = "needed"
    """It holds views, and nothing else."""


class Target(Protocol):
    """One form. A module of this folder each, and a line of `TARGETS`."""

    @property
    def name(self) -> str:
        """What `--to` calls it."""

    @property
    def summary(self) -> str:
        """What it is, for `--help`."""

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder; else it is one file."""

    @property
    def takes(self) -> frozenset[str]:
        """The names of the `Options` that it takes."""

    @property
    def of_views(self) -> OfViews:
        """What it makes of rows that are views of images."""

    def refuse(self, source: Source, options: Options) -> None:
        """Raises `UsageError` for maps that the form can't hold, and `ImportError` for a library that is missing."""

    def losses(self, source: Source, options: Options) -> list[str]:
        """What the form can't hold and is known beforehand; a sentence each."""

    def write(self, job: Job) -> None:
        """Writes all images."""
