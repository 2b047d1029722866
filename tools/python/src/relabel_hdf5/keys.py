"""The position of every key: 22 bytes an image, found by binary search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .column import Array

Positions = npt.NDArray[np.int64]

_DIGEST = 16
_POSITION = 6
_ROW = _DIGEST + _POSITION
_BLOCK = 1024
"""Keys that are Python objects at once."""


class KeyTable:
    """Digests of keys in ascending order, each with the position of its image.

    128 bits of BLAKE2b are enough to take two keys with one digest for one key.
    """

    def __init__(self, count: int, keys: Iterable[Array]) -> None:
        """Makes the table of `count` keys, which come in the order of their positions."""
        # One text column sorts in place and fast; its bytes are digest, then position, high byte first.
        self._table = np.zeros(count, f"S{_ROW}")
        self._rows = self._table.view(np.uint8).reshape(count, _ROW)
        first = 0
        for chunk in keys:
            for start in range(0, len(chunk), _BLOCK):
                block = chunk[start : start + _BLOCK].tolist()
                rows = self._rows[first : first + len(block)]
                rows[:, :_DIGEST] = _digests(block)
                positions = np.arange(first, first + len(block), dtype=">u8")
                rows[:, _DIGEST:] = positions.view(np.uint8).reshape(-1, 8)[:, -_POSITION:]
                first += len(block)
        self._table.sort()

    def positions(self, keys: Sequence[bytes]) -> Positions:
        """The positions of keys, -1 for those that are not there."""
        wanted = np.zeros(len(keys), self._table.dtype)
        digests = _digests(keys)
        wanted.view(np.uint8).reshape(-1, _ROW)[:, :_DIGEST] = digests
        places = np.searchsorted(self._table, wanted)
        is_inside = places < len(self._table)
        rows = self._rows[places[is_inside]]
        is_found = (rows[:, :_DIGEST] == digests[is_inside]).all(1)
        positions = np.full(len(keys), -1, np.int64)
        positions[is_inside] = np.where(is_found, _positions(rows), -1)
        return positions

    def repeated(self) -> tuple[int, int] | None:
        """The positions of two images with one key, or None."""
        for start in range(0, len(self._rows) - 1, _BLOCK):
            block = self._rows[start : start + _BLOCK + 1]
            is_same = (block[1:, :_DIGEST] == block[:-1, :_DIGEST]).all(1)
            if is_same.any():
                place = int(is_same.argmax())
                first, second = _positions(block[place : place + 2]).tolist()
                return first, second
        return None


def _digests(keys: Sequence[bytes]) -> Array:
    joined = b"".join([hashlib.blake2b(key, digest_size=_DIGEST).digest() for key in keys])
    return np.frombuffer(joined, np.uint8).reshape(-1, _DIGEST)


def _positions(rows: Array) -> Positions:
    wide = np.zeros((len(rows), 8), np.uint8)
    wide[:, -_POSITION:] = rows[:, _DIGEST:]
    return wide.view(">u8").reshape(-1).astype(np.int64)
