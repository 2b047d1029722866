"""Whether a shared library is all there: the system's loader dies of one that was cut."""

from __future__ import annotations

import os
import struct

_LOAD = 1


def check_whole(path: str) -> None:
    """Raises `ValueError` for an ELF file of 64 bits that ends before what its headers speak of.

    The loader maps such a file and the process dies when it touches a page behind the end. Files of other
    kinds, and names that the loader looks for by itself, are left to the loader, which refuses them in words.
    """
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return
        order = "<" if head[5] == 1 else ">"
        segments, sections = struct.unpack_from(f"{order}QQ", head, 32)
        segment_size, count, section_size, section_count = struct.unpack_from(f"{order}HHHH", head, 54)
        ends = [segments + segment_size * count, sections + section_size * section_count]
        table = b""
        if max(ends) <= size:
            file.seek(segments)
            table = file.read(segment_size * count)
    for first in range(0, len(table) - 55, segment_size or 56):
        kind, start, length = struct.unpack_from(f"{order}I4xQ16xQ", table, first)
        if kind == _LOAD:
            ends.append(start + length)
    if max(ends) > size:
        raise ValueError(f"the file was cut: its headers speak of {max(ends)} bytes, and it has {size}")
