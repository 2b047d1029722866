"""The preview: one label for each picture as a Parquet table, which the Hugging Face Hub shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..exporting import Options, export
from ..exporting.output import DESCRIPTION
from ..fingerprint import digest_of

NAME = "preview.parquet"
_SAID_BESIDE = f"only {DESCRIPTION} says "
"""How a loss begins that is none here: the card says it."""


@dataclass(frozen=True)
class Preview:
    """The table that was written, or why there is none."""

    images: int = 0
    sha256: str = ""
    bytes: int = 0
    losses: tuple[str, ...] = ()
    """What it says nothing of; a sentence each."""
    has_names: bool = False
    refused: str | None = None
    """Why there is none; None where there is one."""


def write_preview(
    dataset: str, folder: Path, options: Options, is_views: bool, has_names: bool,
    progress: Callable[[int], Callable[[int], None]],
) -> Preview:  # fmt: skip
    """Writes the preview of a dataset into a folder.

    Views that the table has no place for, such as mixed ones, leave a card without a preview, which says why. Raises what an
    export raises otherwise.
    """
    path = folder / NAME
    try:
        done = export([dataset], "parquet", path, options, progress=progress)
    except UsageError as error:
        if not is_views:
            raise
        return Preview(refused=error.args[0])
    (folder / f"{NAME}.{DESCRIPTION}").unlink()  # the table holds the same, and the card says what is lost
    sha256, size = digest_of(str(path))
    losses = tuple(text for text in done.losses if not text.startswith(_SAID_BESIDE))
    return Preview(done.images, sha256, size, losses, has_names)
