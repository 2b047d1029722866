"""Where a card goes: files appear in a folder when they are whole, `README.md` last."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import UsageError
from .preview import NAME as PREVIEW
from .words import TAGS

README, CROISSANT = "README.md", "croissant.json"
NAMES = (PREVIEW, CROISSANT, README)
"""In the order in which they appear."""

_PARTIAL = ".relabel-card.partial"
_MARK = "<!-- relabel-card sha256:{} -->\n"
_MARKED = re.compile(r"<!-- relabel-card sha256:([0-9a-f]{64}) -->\n\Z")


class Place:
    """The folder that a card is written into; it is made where it is not there."""

    def __init__(self, folder: str | os.PathLike[str], overwrite: bool) -> None:
        """Raises `UsageError` where a file lies that may not be replaced."""
        self.folder = Path(os.path.abspath(folder))
        self._overwrite = overwrite
        if not self.folder.parent.is_dir():
            raise UsageError("there is no such folder for the card", file=str(self.folder.parent))
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise UsageError("this is no folder, and a card is three files in one", file=str(self.folder))
        self._was_killed = (self.folder / _PARTIAL).is_dir()
        self._check_replaceable()

    @contextlib.contextmanager
    def begun(self) -> Iterator[Path]:
        """An empty folder to write into; it is gone afterwards. Raises `UsageError` while another program writes here."""
        is_new = not self.folder.exists()
        self.folder.mkdir(exist_ok=True)
        try:
            with self._claimed() as partial:
                self._check_replaceable()
                yield partial
        finally:
            if is_new:
                with contextlib.suppress(OSError):  # it holds the card
                    self.folder.rmdir()

    def publish(self, partial: Path) -> None:
        """Gives the files their names, once they are on the disk; of an earlier card nothing stays."""
        for name in NAMES:
            if (partial / name).exists():
                _flush(partial / name)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / README).unlink()  # what is here now is no card until the new one is whole
        for name in NAMES:
            if (partial / name).exists():
                os.rename(partial / name, self.folder / name)
            else:
                (self.folder / name).unlink(missing_ok=True)
        _flush(self.folder)

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[Path]:
        """Keeps other cards from the folder while this one is written; the system forgets a claim whose program has ended."""
        partial = self.folder / _PARTIAL
        partial.mkdir(exist_ok=True)
        number = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError("another card is being written here", file=str(self.folder)) from None
            try:
                for entry in os.scandir(partial):  # of a run that was killed
                    shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
                yield partial
            finally:
                shutil.rmtree(partial)
        finally:
            os.close(number)

    def _check_replaceable(self) -> None:
        """Refuses to replace what the user does not want replaced, what no card has, or what was changed by hand.

        Files that a killed run has named, which are no card without `README.md`, need no `--overwrite`.
        """
        is_left = self._was_killed and not os.path.lexists(self.folder / README)
        for name in NAMES:
            path = self.folder / name
            if not os.path.lexists(path):
                continue
            if not self._overwrite and not is_left:
                raise UsageError("this is here already; choose another folder with --output, or --overwrite", file=str(path))
            if path.is_symlink() or not path.is_file() or not _IS_OURS[name](path):
                raise UsageError(
                    "relabel-card has not written this, or it was changed since, so --overwrite does not replace it: move it away",
                    file=str(path),
                )


def marked(text: str) -> str:
    """The card with a last line, which nobody sees, that tells whether it was changed."""
    return text + "\n" + _MARK.format(_digest(text + "\n"))


def _is_marked(path: Path) -> bool:
    text = path.read_bytes().decode(errors="replace")
    mark = _MARKED.search(text)
    return mark is not None and _digest(text[: mark.start()]) == mark[1]


def _is_croissant(path: Path) -> bool:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("keywords") == list(TAGS)


def _is_preview(path: Path) -> bool:
    import pyarrow
    import pyarrow.parquet

    try:
        return b"relabel_export" in (pyarrow.parquet.read_schema(path).metadata or {})
    except pyarrow.ArrowInvalid:
        return False


_IS_OURS: dict[str, Callable[[Path], bool]] = {README: _is_marked, CROISSANT: _is_croissant, PREVIEW: _is_preview}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
