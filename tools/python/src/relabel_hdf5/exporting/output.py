"""Where an export goes: it appears under its name when it is whole, and never before."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError

DESCRIPTION = "export.json"
"""What a folder holds, and a file has beside it as NAME.export.json."""
SCHEMA = "relabel-export"
"""What its member `schema` says: only what an export has written is ever replaced."""


class Output:
    """The file or folder that an export makes; it grows in `.NAME.partial` beside its place."""

    def __init__(self, path: str | os.PathLike[str], is_folder: bool, overwrite: bool) -> None:
        """Raises `UsageError` where something lies that may not be replaced."""
        self.path = Path(os.path.abspath(path))
        if not self.path.name:
            raise UsageError("the root of the file system is no output", file=str(self.path))
        self._is_folder = is_folder
        self._overwrite = overwrite
        self._partial = self.path.with_name(f".{self.path.name}.partial")
        self._replaced = self.path.with_name(f".{self.path.name}.replaced")
        if not self.path.parent.is_dir():
            raise UsageError("there is no such folder for the output", file=str(self.path.parent))
        self._check_replaceable()

    @contextlib.contextmanager
    def begun(self) -> Iterator[Path]:
        """Where to write: an empty folder, or a file that is not there yet; removed again after an error.

        Raises `UsageError` while another program writes to the same output.
        """
        with self._claimed() as claim:
            try:
                self._clear()
                self._check_replaceable()
                yield self._partial if self._is_folder else self._partial / self.path.name
            finally:
                # Once it is published, what lies here is another export's.
                if _is_same(claim, self._partial):
                    shutil.rmtree(self._partial)

    def publish(self, description: dict[str, Any]) -> None:
        """Puts what was written under its name, with what is to be said of it."""
        text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        name = DESCRIPTION if self._is_folder else self._beside().name
        with open(self._partial / name, "x", encoding="utf-8") as file:
            file.write(text)
        os.sync()  # a folder may hold a million files, each of which fsync would wait for
        if self._is_folder:
            if self.path.exists():
                os.rename(self.path, self._replaced)
            os.rename(self._partial, self.path)
            if self._replaced.exists():
                shutil.rmtree(self._replaced)
        else:
            # The file comes last, so that it never stands beside what is said of another one.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            os.rename(self._partial / name, self._beside())
            os.rename(self._partial / self.path.name, self.path)
        _flush_folder(self.path.parent)

    def _beside(self) -> Path:
        return self.path.with_name(f"{self.path.name}.{DESCRIPTION}")

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[int]:
        """Keeps other programs from the same output, by the open folder that it yields; the system forgets a claim whose
        program has ended."""
        taken = UsageError("another export is writing here", file=str(self.path))
        self._partial.mkdir(exist_ok=True)
        number = os.open(self._partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise taken from None
            if not _is_same(number, self._partial):  # another export has published it since it was opened
                raise taken
            yield number
        finally:
            os.close(number)

    def _clear(self) -> None:
        """Removes what an earlier run left unfinished; one that was killed between two renames is undone."""
        if self._replaced.is_dir():
            if os.path.lexists(self.path):
                shutil.rmtree(self._replaced)
            else:
                os.rename(self._replaced, self.path)
        for entry in os.scandir(self._partial):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def _check_replaceable(self) -> None:
        """Refuses to replace what the user does not want replaced, or what no export has made."""
        if not os.path.lexists(self.path):
            return
        if not self._overwrite:
            raise UsageError("this is here already; choose another output, or --overwrite", file=str(self.path))
        mode = os.lstat(self.path).st_mode
        description = self.path / DESCRIPTION if self._is_folder else self._beside()
        is_form = stat.S_ISDIR(mode) if self._is_folder else stat.S_ISREG(mode)
        if not is_form or not _is_description(description):
            raise UsageError(
                f"no export has made this (there is no {description.name} of one), so --overwrite does not replace it",
                file=str(self.path),
            )


def _is_same(number: int, path: Path) -> bool:
    """Whether an open folder still lies at a path."""
    try:
        return os.path.samestat(os.fstat(number), os.lstat(path))
    except FileNotFoundError:
        return False


def _is_description(path: Path) -> bool:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("schema") == SCHEMA


def _flush_folder(path: Path) -> None:
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
