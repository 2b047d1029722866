"""The positions of keys that many rows have, as the views of an image do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .keys import Array, KeyTable, Positions


class KeyRuns:
    """All positions of every key: 21 bytes for each run of adjacent rows with one key, whatever its length."""

    def __init__(self, count: int, keys: Iterable[Array | int]) -> None:
        """Makes the table of `count` rows, whose keys come in the order of positions.

        A number stands for so many keys that are not known.
        """
        starts: list[Positions] = [np.empty(0, np.int64)]
        self._table = KeyTable(count, _firsts(keys, starts))
        self._starts = np.concatenate([*starts, [count]])
        """Where each run begins, and at the end the number of rows."""

    def positions(self, keys: Sequence[bytes]) -> Positions:
        """The first position of each key, -1 for those that are not there."""
        runs = self._table.positions(keys)
        is_found = runs >= 0
        positions = np.full(len(keys), -1, np.int64)
        positions[is_found] = self._starts[runs[is_found]]
        return positions

    def all_of(self, key: bytes) -> Positions:
        """All positions of a key, ascending; none for one that is not there."""
        runs = self._table.all_of(key)
        starts, ends = self._starts[runs], self._starts[runs + 1]
        if len(runs) == 1:
            return np.arange(starts[0], ends[0])
        if (ends - starts == 1).all():  # as in a stored run, which has a picture once in an epoch
            return starts
        return np.concatenate(list(map(np.arange, starts, ends)))


def _firsts(keys: Iterable[Array | int], starts: list[Positions]) -> Iterator[Array | int]:
    """The first key of each run, whose position it notes; 1 stands for a run of keys that are not known."""
    first, last = 0, None
    for block in keys:
        if isinstance(block, int):
            if block:
                starts.append(np.array([first]))
                yield 1
            first, last = first + block, None
            continue
        if not len(block):
            continue
        is_new = np.ones(len(block), bool)
        is_new[1:] = block[1:] != block[:-1]
        is_new[0] = last is None or block[0] != last
        places = np.flatnonzero(is_new)
        starts.append(first + places)
        yield block[places]
        first, last = first + len(block), block[-1]
