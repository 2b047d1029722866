"""The files of others, made of shards when somebody asks for one: for programs that can read nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from ..errors import UsageError
from .options import Options
from .source import Source
from .targets import TARGETS
from .views import Views


class FilesOfViews(Protocol):
    """A form of views each of whose files is made of a few of them."""

    def made(self, views: Views, name: str) -> Any:
        """What a file holds, or None where there is none of this name below the folder that programs are told."""

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """The names in a folder, "" for the one that programs are told; None where there is no such folder."""


class StoredFiles:
    """What the files of a form hold, by name, without the files.

        >>> from relabel_hdf5.exporting import StoredFiles
        >>> files = StoredFiles("views", "sre2l")
        >>> boxes, flips, partners, share, box, logits = files["epoch_0/batch_1.tar"]
        >>> files.folder("")
        ['epoch_0', 'epoch_1']

    Objects equal those that `torch.load` gives of the files that `relabel-export` writes. You may use them in forked
    processes.
    """

    def __init__(self, shards: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], form: str) -> None:
        """Opens shards or datasets of one build; raises as `export` does for views that the form can't hold."""
        self._source = Source([shards] if isinstance(shards, (str, os.PathLike)) else shards)
        target: Any = TARGETS.get(form)
        if not hasattr(target, "made"):
            able = ", ".join(name for name, other in TARGETS.items() if hasattr(other, "made"))
            raise UsageError(f"there are no files of views called {form!r}: there are {able}")
        target.refuse(self._source, Options())
        self._form: FilesOfViews = target

    def get(self, name: str) -> Any:
        """What a file holds, or None where there is none of this name."""
        return self._form.made(self._source.views, name)

    def __getitem__(self, name: str) -> Any:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def folder(self, name: str) -> list[str] | None:
        """The names in a folder, or None where there is no such folder."""
        return self._form.listed(self._source.views, name)
