"""The first bytes of a file, before the HDF5 library sees it (spec, section 3.1)."""

from __future__ import annotations

import os

from ....errors import violation
from ..files import GIT_LFS_FAULT, GIT_LFS_POINTER, Stamp, regular_file

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LENGTH = 48


def check_superblock(path: str) -> Stamp:
    """The stamp of a file whose superblock is that of a finished shard; else raises S001 to S004."""
    with regular_file(path) as descriptor:
        stamp = Stamp.of(descriptor)
        _check(os.pread(descriptor, _LENGTH, 0), stamp.size)
    return stamp


def _check(block: bytes, file_bytes: int) -> None:
    if block.startswith(GIT_LFS_POINTER):
        raise violation("S001", GIT_LFS_FAULT)
    if not block.startswith(_SIGNATURE) or len(block) == len(_SIGNATURE):
        raise violation("S001", "the file does not start with the HDF5 signature: it is no HDF5 file")
    if block[8] != 3:
        raise violation("S002", f"the superblock has version {block[8]}, not 3: no writer of shards makes such HDF5 files")
    if len(block) < _LENGTH:
        raise violation("S004", "the file ends within its superblock")
    if block[9:11] != b"\x08\x08":
        raise violation("S002", f"offsets and lengths have {block[9]} and {block[10]} bytes, not 8")
    if any(block[12:20]) or block[20:28] != b"\xff" * 8:
        raise violation("S002", "the superblock has a base address or an extension")
    if block[11]:
        raise violation("S003", "the write flag is set: the writer died before it closed the file")
    end = int.from_bytes(block[28:36], "little")
    if end != file_bytes:
        what = "truncated" if file_bytes < end else "followed by other bytes"
        raise violation("S004", f"the file has {file_bytes} bytes, its superblock says {end}: {what}")
