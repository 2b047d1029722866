"""Files out of the page cache, and the proof that they are: what a later read takes comes from the disk."""

import ctypes
import os

import numpy as np

libc = ctypes.CDLL(None, use_errno=True)
libc.mincore.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]


def drop(folder):
    """Asks the kernel to forget the pages of all files below a folder, which must be written out."""
    for path in files(folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def resident(folder):
    """The share of pages that the kernel still has in memory."""
    pages = there = 0
    for path in files(folder):
        mapped = np.memmap(path, np.uint8, "r")
        found = np.empty(-(-len(mapped) // os.sysconf("SC_PAGESIZE")), np.uint8)
        if libc.mincore(mapped.ctypes.data, len(mapped), found.ctypes.data):
            raise OSError(ctypes.get_errno(), f"mincore does not say which pages of {path} are in memory")
        pages, there = pages + len(found), there + int((found & 1).sum())
    return there / max(pages, 1)
