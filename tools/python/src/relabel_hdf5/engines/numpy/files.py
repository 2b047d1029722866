"""Files of strangers: a pipe is not waited for, a giant is not read, a change is noticed."""

from __future__ import annotations

import os
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import h5py

from ...errors import CorruptError, InvalidDataError, RelabelError, UnsafeError
from ...gate import Gate

HDF5_ERRORS = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py makes of errors of the HDF5 library."""

GIT_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""What git-lfs leaves in the place of a file that it has not fetched begins so."""

GIT_LFS_FAULT = "this is a git-lfs pointer, not the file itself; run 'git lfs pull' to fetch it"

_INDEX_BYTES = 1 << 14


class Stamp(NamedTuple):
    """What tells one file, and one state of it, from another."""

    device: int
    inode: int
    size: int
    modified: int
    noted: int
    """When the system last noted a change of the file, which no program can set back."""
    links: int

    @classmethod
    def of(cls, file: int | str) -> Stamp:
        """The stamp of an open descriptor or of a path."""
        status = os.stat(file)
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_nlink
        )

    def is_same(self, found: Stamp) -> bool:
        """True for stamps of one state of one file.

        A change that the system noted counts, also where size and time of modification were put back; but not
        together with a new number of links: a backup that links to the file, or another one that takes its
        name, changes nothing in it.
        """
        return found[:4] == self[:4] and (found.noted == self.noted or found.links != self.links)

    def check(self, path: str, found: Stamp) -> None:
        """Refuses a file that is not the one, or not as, it was at first."""
        if self.is_same(found):
            return
        if found[:2] != self[:2]:
            what = "was replaced by another file"
        elif found.size < self.size:
            what = f"was cut from {self.size} to {found.size} bytes"
        else:
            what = "was changed"
        raise CorruptError(f"the file {what} since it was opened: open it again", file=path)


class HDF5File:
    """An HDF5 file open for reading; knows when the file is no longer what it was."""

    def __init__(self, path: str, stamp: Stamp) -> None:
        self.path = path
        self._stamp = stamp
        _check_states(path, stamp)
        handle = _open(path)
        _states[id(handle)] = stamp
        self._close_handle = weakref.finalize(self, _release, handle)
        self.id = handle.id
        # Not a copy of the library's own, which would keep its lock.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._close_descriptor = weakref.finalize(self, os.close, self._descriptor)
        # Not a method of this file, which would keep it alive.
        self.reading = Gate(path, partial(_call_all, self._close_handle, self._close_descriptor))
        """Entered by whoever uses the file, which stays open so long."""
        self.library = threading.Lock()
        """Held while the HDF5 library reads chunks, and while it is made to close the file."""
        self._keep_little()
        try:
            self._check_size()
            self._stamp.check(path, Stamp.of(self._descriptor))
        except RelabelError:
            self.close()
            raise

    def check_unchanged(self) -> None:
        """Refuses a file that was cut or overwritten while it was open: what was read may be anything."""
        with self.reading:
            found = Stamp.of(self._descriptor)
        if found != self._stamp:
            self._stamp.check(self.path, found)
            self._stamp = found

    def read(self, start: int, size: int) -> bytes:
        """Bytes of the file, fewer at its end; works also after `close_handle`."""
        with self.reading:
            return os.pread(self._descriptor, size, start)

    def close_handle(self) -> None:
        """Closes the file for the HDF5 library, which keeps half a megabyte for each that is open.

        To be called with `library` held.
        """
        self._close_handle()

    def _check_size(self) -> None:
        """Sees a file that other code of this process has open, and that was overwritten since."""
        if self.id.get_filesize() != self._stamp.size:
            raise _earlier_state(self.path)

    def _keep_little(self) -> None:
        """Bounds what the library keeps of chunk indexes, for files of which many are open."""
        cache = self.id.get_mdc_config()
        cache.set_initial_size = True
        cache.initial_size = cache.min_size = cache.max_size = _INDEX_BYTES
        self.id.set_mdc_config(cache)

    def close(self) -> None:
        """Closes the file, when nobody reads it any more; a file that is dropped is closed too."""
        self.reading.close()


def _call_all(*functions: Callable[[], object]) -> None:
    for function in functions:
        function()


_states: dict[int, Stamp] = {}
"""The state of each file that is open here."""


def _check_states(path: str, stamp: Stamp) -> None:
    """Refuses a file that was overwritten in place while it is open elsewhere in this process.

    The HDF5 library opens a file only once and would take the structure of the old one for that of the new.
    """
    if any(other[:2] == stamp[:2] and not other.is_same(stamp) for other in list(_states.values())):
        raise _earlier_state(path)


def _earlier_state(path: str) -> RelabelError:
    message = "the file was overwritten while this process has it open: close what was opened before"
    return CorruptError(message, file=path)


def _open(path: str) -> h5py.File:
    # Published files never change, and network file systems often refuse locks: none is asked for.
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        # A file that this process has open elsewhere must be opened in the same way again.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


def _release(handle: h5py.File) -> None:
    _states.pop(id(handle), None)
    handle.close()


@contextmanager
def regular_file(path: str) -> Iterator[int]:
    """A descriptor of a regular file; anything else, such as a pipe that would block, is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InvalidDataError("this is not a regular file", file=path)
        yield descriptor
    finally:
        os.close(descriptor)


def contents(path: str, limit: int) -> bytes:
    """The bytes of a file of at most `limit` bytes."""
    with regular_file(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        found = file.read(limit + 1)
    if len(found) > limit:
        raise UnsafeError(f"the file is over the limit of {limit} bytes", file=path)
    return found
