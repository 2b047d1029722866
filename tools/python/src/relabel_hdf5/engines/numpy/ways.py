"""Where the rows at some positions lie: found once for all columns that are read of them."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...keys import Positions


class Run(NamedTuple):
    """Rows one behind the other in one shard, as a batch of a stored run and the views of a picture may be."""

    shard: int
    first: int
    """The row of the first in the shard."""
    length: int


class Part(NamedTuple):
    """Rows of one chunk."""

    shard: int
    chunk: int
    rows: Positions
    """Where they are in the chunk."""


class Parts(NamedTuple):
    """The chunks that hold some rows, in file order."""

    chunks: list[Part]
    back: Positions | None
    """Where each position is among the rows of all chunks, or None where they stand in the order asked for."""


class Way:
    """The shards, chunks and rows of some positions, in the order asked for."""

    def __init__(self, positions: Positions, first: Positions, ends: list[int]) -> None:
        """`first` is where each shard begins and the last ends, `ends` the same as a list without the first."""
        self.positions = positions
        self._first = first
        self.run = _run(positions, first, ends)
        """Where they are side by side, else None."""
        self._parts: dict[tuple[int, ...], Parts] = {}

    @cached_property
    def numbers(self) -> Positions:
        """The number of the shard of each position."""
        return np.asarray(self._first[1:].searchsorted(self.positions, "right"))

    @cached_property
    def shards(self) -> list[int]:
        """The numbers of the shards, ascending."""
        return sorted(set(self.numbers.tolist()))

    def parts(self, sizes: list[int]) -> Parts:
        """The chunks of a column that hold the rows; `sizes` are the rows of its chunks, for each of `shards`."""
        found = self._parts.get(tuple(sizes))
        if found is None:
            found = self._parts[tuple(sizes)] = self._parted(sizes)
        return found

    def _parted(self, sizes: list[int]) -> Parts:
        order = None
        positions, numbers = self.positions, self.numbers
        if not (positions[1:] > positions[:-1]).all():
            order = np.argsort(positions, kind="stable")
            positions, numbers = positions[order], numbers[order]
        ends = numbers.searchsorted(self.shards, "right").tolist()
        found: list[Part] = []
        begin = 0
        for number, size, end in zip(self.shards, sizes, ends, strict=True):
            rows = positions[begin:end] - self._first[number]
            chunks = rows // size
            rows -= chunks * size
            cuts = [0, *(np.flatnonzero(chunks[1:] != chunks[:-1]) + 1).tolist(), end - begin]
            found += [Part(number, int(chunks[start]), rows[start:stop]) for start, stop in pairwise(cuts)]
            begin = end
        return Parts(found, None if order is None else np.argsort(order))


def _run(positions: Positions, first: Positions, ends: list[int]) -> Run | None:
    count = len(positions)
    if not count:
        return None
    one, last = int(positions[0]), int(positions[-1])
    if last - one != count - 1 or one < 0 or last >= ends[-1]:
        return None
    number = bisect_right(ends, one)
    if last >= ends[number] or not (positions[1:] > positions[:-1]).all():
        return None
    return Run(number, one - int(first[number]), count)
