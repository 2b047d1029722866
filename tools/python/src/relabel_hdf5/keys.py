"""The position of every key: 13 bytes an image, found by binary search."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Positions = npt.NDArray[np.int64]

_DIGEST = 10
_SECRET = 64
BLOCK = 1024
"""Keys that are Python objects at once."""


class KeyTable:
    """Digests of keys in ascending order, each with the position of its image.

    80 bits of BLAKE2b with a secret of this table: nobody can choose keys of one digest. Chance takes a key
    that is not there for one of a million that are once in 10^18 lookups. Positions have the bytes they need.
    """

    def __init__(self, count: int, keys: Iterable[Array | int]) -> None:
        """Makes the table of `count` keys, which come in the order of their positions.

        A number stands for so many keys that are not known.
        """
        self._secret = os.urandom(_SECRET)
        self._hash = _hash(self._secret)
        width = max(1, (count.bit_length() + 7) // 8)
        # One text column sorts in place and fast; its bytes are digest, then position, high byte first.
        self._table = np.zeros(count, f"S{_DIGEST + width}")
        self._rows = self._table.view([("digest", f"S{_DIGEST}"), ("position", "u1", (width,))])
        first = size = 0
        for chunk in keys:
            if isinstance(chunk, int):
                first += chunk
                continue
            for start in range(0, len(chunk), BLOCK):
                block = chunk[start : start + BLOCK].tolist()
                rows = self._rows[size : size + len(block)]
                rows["digest"] = self._digests(block)
                positions = np.arange(first, first + len(block), dtype=">u8")
                rows["position"] = positions.view("u1").reshape(-1, 8)[:, -width:]
                first, size = first + len(block), size + len(block)
        self._table, self._rows = self._table[:size], self._rows[:size]
        self._table.sort()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._secret, self._table)

    def positions(self, keys: Sequence[bytes]) -> Positions:
        """The positions of keys, -1 for those that are not there."""
        digests = self._digests(keys)
        places = np.searchsorted(self._table, digests)
        is_inside = places < len(self._table)
        rows = self._rows[places[is_inside]]
        is_found = rows["digest"] == digests[is_inside]
        positions = np.full(len(keys), -1, np.int64)
        positions[is_inside] = np.where(is_found, _positions(rows), -1)
        return positions

    def all_of(self, key: bytes) -> Positions:
        """All positions of a key, ascending."""
        digest = self._digest(key)
        # A longer text is greater than its beginning: the rows of a digest come behind it alone.
        start = int(self._table.searchsorted(digest))
        end = int(self._table.searchsorted(digest + self._highest, "right"))
        return np.sort(_positions(self._rows[start:end]))

    def repeated(self) -> tuple[int, int] | None:
        """The first position whose digest an earlier one has, and that one before it; or None."""
        found = []
        for start in range(0, len(self._rows) - 1, BLOCK):
            block = self._rows[start : start + BLOCK + 1]
            places = np.flatnonzero(block["digest"][1:] == block["digest"][:-1])
            if len(places):
                place = places[_positions(block[places + 1]).argmin()]
                earlier, later = _positions(block[place : place + 2]).tolist()
                found.append((earlier, later))
        return min(found, key=itemgetter(1), default=None)

    @property
    def _highest(self) -> bytes:
        """The bytes of the highest position, behind those of any other."""
        return b"\xff" * (self._table.itemsize - _DIGEST)

    def _digest(self, key: bytes) -> bytes:
        of_key = self._hash.copy()
        of_key.update(key)
        digest: bytes = of_key.digest()
        return digest

    def _digests(self, keys: Sequence[bytes]) -> Array:
        return np.frombuffer(b"".join(map(self._digest, keys)), f"S{_DIGEST}")


def _hash(secret: bytes) -> Any:
    import hashlib  # which loads OpenSSL, when the first key is looked for

    return hashlib.blake2b(digest_size=_DIGEST, key=secret)


def _restored(secret: bytes, table: Array) -> KeyTable:
    found = object.__new__(KeyTable)
    found._secret, found._hash = secret, _hash(secret)
    found._table, width = table, table.itemsize - _DIGEST
    found._rows = table.view([("digest", f"S{_DIGEST}"), ("position", "u1", (width,))])
    return found


def _positions(rows: Array) -> Positions:
    stored = rows["position"]
    wide = np.zeros((len(stored), 8), np.uint8)
    wide[:, -stored.shape[1] :] = stored
    return wide.view(">u8").reshape(-1).astype(np.int64)
