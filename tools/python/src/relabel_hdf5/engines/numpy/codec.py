"""Stored chunks back to their elements: fletcher32, deflate, shuffle (spec, sections 3.8 and 3.9).

The HDF5 library could undo the filters too, but it lets through what this format forbids: chunks that skip
their checksum, checksums with swapped bytes, zlib streams with bytes behind them, and bombs.
"""

from __future__ import annotations

import zlib

import numpy as np

Bytes = bytes | memoryview

_BLOCK = 8192
"""Words summed at once: few enough for exact float64, and for one thread of the matrix library."""
_WEIGHTS = np.arange(_BLOCK, 0, -1, dtype=np.float64)
_ONES = np.ones(_BLOCK)
_WRONG_SIZE = "the chunk does not decode to its exact size"


class ChunkFault(ValueError):
    """A stored chunk can't be decoded: `rule` says which rule it breaks."""

    def __init__(self, message: str, rule: str = "C008") -> None:
        super().__init__(message)
        self.rule = rule


def longest_stored(chunk_bytes: int) -> int:
    """The most bytes that a sound stored chunk has (section 16)."""
    return chunk_bytes + chunk_bytes // 512 + 128


def decode(stored: memoryview, skipped: int, filters: tuple[str, ...], element_size: int, size: int) -> Bytes:
    """The `size` bytes of a chunk; bit i of `skipped` says that filter i was not applied.

    Raises `ChunkFault`.
    """
    body: Bytes = stored
    for place in range(len(filters) - 1, -1, -1):
        is_skipped = skipped >> place & 1
        if filters[place] == "fletcher32":
            if is_skipped:
                raise ChunkFault("the chunk's filter mask skips fletcher32", "C009")
            body = _checked(stored)
        elif is_skipped:
            continue
        elif filters[place] == "deflate":
            body = _inflated(body, size)
        elif len(body) == size:
            body = _unshuffled(body, element_size)
    if len(body) != size:
        raise ChunkFault(_WRONG_SIZE)
    return body


def fletcher32(body: memoryview) -> int:
    """The checksum of HDF5: sums of big-endian words whose carries are folded back."""
    words = np.frombuffer(body, "<u2", len(body) // 2)
    low, high = 0, 0
    # With the bytes of every word exchanged, both sums are 256 times as much, modulo 65,535.
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK].astype(np.float64)
        high += len(block) * low + int(block.dot(_WEIGHTS[-len(block) :]))
        low += int(block.dot(_ONES[: len(block)]))
    if len(body) % 2:
        low += body[-1]
        high += low
    return _folded(high) << 16 | _folded(low)


def _folded(total: int) -> int:
    """The 16 bits that are left when carries are folded: 0 only for a sum of zeros."""
    return (256 * total - 1) % 65_535 + 1 if total else 0


def _checked(stored: memoryview) -> memoryview:
    if len(stored) < 4:
        raise ChunkFault("the stored chunk is too short to hold a checksum")
    body, expected = stored[:-4], int.from_bytes(stored[-4:], "little")
    found = fletcher32(body)
    if found != expected:
        raise ChunkFault(f"the stored checksum is {expected}, the bytes give {found}")
    return body


def _inflated(body: Bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(body, size + 1)
    except zlib.error:
        raise ChunkFault(_WRONG_SIZE) from None
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise ChunkFault(_WRONG_SIZE)
    return raw


def _unshuffled(body: Bytes, element_size: int) -> memoryview:
    planes = np.frombuffer(body, np.uint8).reshape(element_size, -1)
    elements = np.empty((planes.shape[1], element_size), np.uint8)
    for place in range(element_size):
        elements[:, place] = planes[place]
    return elements.reshape(-1).data
