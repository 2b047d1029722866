"""HDF5 datasets of all rows beside the labels, by position (spec, section 4.5)."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ...header import Header
from ...keys import Positions
from .column import Array
from .index import read_index
from .shard import Shard
from .shards import Shards

_KEPT_BYTES = 32 << 20
"""Decoded chunks that are kept: rows that are asked for at random lie in few chunks, which take a millisecond each."""

Chunk = tuple[int, str, int]


class Columns:
    """The HDF5 datasets of a shard or dataset by name and position; callable from any thread, also after a fork.

    A chunk is read when one of its rows is asked for, checked, and kept while there is room. Raises a rule of
    family C that names file, HDF5 dataset and rows where a chunk is damaged.
    """

    def __init__(self, path: str, is_sound: Callable[[str, Array], bool] = lambda name, rows: True) -> None:
        """Opens a shard or dataset; `is_sound` is asked once for each chunk of a column that is read."""
        index = read_index(path) if os.path.isdir(path) else None
        self._shards = Shards(path, index)
        rows = [shard.rows for shard in index.shards] if index else [self._shards[0].rows]
        self.first: Positions = np.array([0, *rows], np.int64).cumsum()
        self.identity: tuple[Any, ...] = (index.sha256,) if index else self._shards[0].identity
        """What tells these rows from others at their path, as the engines tell it."""
        self._ends: list[int] = self.first[1:].tolist()
        self._is_sound = is_sound
        self._kept: dict[Chunk, tuple[Array, bool]] = {}

    @cached_property
    def header(self) -> Header:
        """What the shards say about all of their rows."""
        return self._shards.any().header

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The HDF5 datasets that the shards have; all have the same."""
        return tuple(self._shards.any().shared["datasets"])

    def values(self, name: str, positions: npt.ArrayLike) -> Array:
        """The rows of a column at some positions, in the order given; each chunk is decoded once."""
        return self.read(name, np.asarray(positions, np.int64))[0]

    def read(self, name: str, wanted: Positions) -> tuple[Array, bool]:
        """The rows of a column at some positions, and whether the chunks that hold them are sound."""
        if name not in self.names:
            raise UsageError(f"the shards have no dataset '{name}'", file=self._shards.path)
        if self._are_adjacent(wanted):
            return self._run(name, int(wanted[0]), len(wanted))
        found, is_sound = np.empty((len(wanted), *self._tail(name)), self._dtype(name)), True
        numbers = self.first[1:].searchsorted(wanted, "right")
        for number in np.unique(numbers).tolist():
            shard = self._shards[number]
            column = shard.column(name)
            places = np.flatnonzero(numbers == number)
            chunks, rows = np.divmod(wanted[places] - self.first[number], column.rows_per_chunk)
            for chunk in np.unique(chunks).tolist():
                here = chunks == chunk
                values, is_part_sound = self._chunk((number, name, chunk), shard)
                found[places[here]] = values[rows[here]]
                is_sound &= is_part_sound
        return found, is_sound

    def _are_adjacent(self, wanted: Positions) -> bool:
        """Whether positions are those of rows one behind the other in one shard, as a batch of a stored run is."""
        count = len(wanted)
        if not count:
            return False
        first, last = int(wanted[0]), int(wanted[-1])
        if last - first != count - 1 or first < 0 or last >= self._ends[-1]:
            return False
        if bisect_right(self._ends, first) != bisect_right(self._ends, last):
            return False
        return bool((wanted[1:] > wanted[:-1]).all())

    def _run(self, name: str, first: int, count: int) -> tuple[Array, bool]:
        number = bisect_right(self._ends, first)
        shard = self._shards[number]
        size = shard.column(name).rows_per_chunk
        begin = first - int(self.first[number])
        chunks = range(begin // size, (begin + count - 1) // size + 1)
        parts = [self._chunk((number, name, chunk), shard) for chunk in chunks]
        start = begin - chunks[0] * size
        values = parts[0][0] if len(parts) == 1 else np.concatenate([rows for rows, _ in parts])
        return values[start : start + count].copy(), all(is_sound for _, is_sound in parts)

    def blocks(self, names: Sequence[str]) -> Iterator[tuple[int, list[Array]]]:
        """All rows of some columns, block by block: the position of the first, and the rows of each column.

        A shard that was not open does not stay so.
        """
        for number, first in enumerate(self.first[:-1].tolist()):
            with self._shards.for_once(number) as shard:
                columns = [shard.column(name) for name in names]
                size = min((column.rows_per_chunk for column in columns), default=1)
                for start in range(0, shard.rows, size):
                    rows = np.arange(start, min(start + size, shard.rows))
                    yield first + start, [_gathered(column.rows_per_chunk, column.chunk, rows) for column in columns]

    def shards_of(self, positions: Positions) -> Positions:
        """The number of the shard that each position is in."""
        return np.asarray(self.first[1:].searchsorted(positions, "right"))

    def place(self, position: int) -> dict[str, Any]:
        """The file, row and key of a position, for errors about its values."""
        number = bisect_right(self._ends, position)
        row = position - int(self.first[number])
        key = self._shards[number].key_or_none(row)
        return {"file": self._shards.paths[number], "row": row, "key": key}

    def close(self) -> None:
        """Closes all files; reading raises `UsageError` from now on."""
        self._kept = {}
        self._shards.close()

    def _dtype(self, name: str) -> np.dtype[Any]:
        return self._shards.any().column(name).dtype

    def _tail(self, name: str) -> tuple[int, ...]:
        return self._shards.any().column(name).tail

    def _chunk(self, chunk: Chunk, shard: Shard) -> tuple[Array, bool]:
        """The rows of a chunk, not to be changed, and whether they are sound."""
        found = self._kept.pop(chunk, None)
        if found is None:
            rows = shard.column(chunk[1]).chunk(chunk[2])
            found = rows, self._is_sound(chunk[1], rows)
            self._make_room(rows.nbytes)
        self._kept[chunk] = found  # behind the others: it was used last
        return found

    def _make_room(self, size: int) -> None:
        kept = [(chunk, rows.nbytes) for chunk, (rows, _) in list(self._kept.items())]
        total = size + sum(taken for _, taken in kept)
        for chunk, taken in kept:
            if total <= _KEPT_BYTES:
                break
            self._kept.pop(chunk, None)
            total -= taken


def _gathered(size: int, chunk_of: Any, rows: Array) -> Array:
    """The rows of a column, ascending and adjacent, from the one chunk or the few that hold them."""
    first, last = int(rows[0]), int(rows[-1])
    parts = [
        chunk_of(number)[max(0, first - number * size) : last + 1 - number * size]
        for number in range(first // size, last // size + 1)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def optional_columns(path: str) -> tuple[str, ...]:
    """The optional HDF5 datasets that any shard at a path has, by name."""
    return tuple(sorted({name for shard in _shards(path) for name in shard.optional_columns()}))


def source_labels(path: str) -> npt.NDArray[np.int32]:
    """The class that the source gives to each image, -1 for none, in the order of positions.

    Raises V020 for a label that is no class.
    """
    return np.concatenate([shard.source_labels() for shard in _shards(path)])


def _shards(path: str) -> Iterator[Shard]:
    opened = Shards(path, read_index(path) if os.path.isdir(path) else None)
    try:
        yield from opened.one_by_one()
    finally:
        opened.close()
