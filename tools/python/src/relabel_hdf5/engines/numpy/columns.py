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
from .ways import Way

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
        self._sizes: dict[tuple[int, str], int] = {}

    @cached_property
    def header(self) -> Header:
        """What the shards say about all of their rows."""
        return self._shards.any().header

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The HDF5 datasets that the shards have; all have the same."""
        return tuple(self._shards.any().shared["datasets"])

    def way(self, positions: Positions) -> Way:
        """Where the rows at some positions are, for `read`."""
        return Way(positions, self.first, self._ends)

    def values(self, name: str, positions: npt.ArrayLike) -> Array:
        """The rows of a column at some positions, in the order given; each chunk is decoded once."""
        return self.read(name, self.way(np.asarray(positions, np.int64)))[0]

    def read(self, name: str, way: Way) -> tuple[Array, bool]:
        """The rows of a column on a way, in the order asked for, and whether the chunks that hold them are sound."""
        if way.run is not None:
            return self._run(name, *way.run)
        sizes = [self._size(number, name) for number in way.shards]
        chunks, back = way.parts(sizes)
        if not chunks:
            return self._no_rows(name), True
        found, is_sound = [], True
        for number, chunk, rows in chunks:
            values, is_part_sound = self._chunk((number, name, chunk))
            found.append(values[rows])
            is_sound &= is_part_sound
        values = np.concatenate(found)
        return values if back is None else values[back], is_sound

    def _run(self, name: str, number: int, begin: int, count: int) -> tuple[Array, bool]:
        size = self._size(number, name)
        chunk, start = divmod(begin, size)
        end = start + count
        if end <= size:
            rows, is_sound = self._chunk((number, name, chunk))
            return rows[start:end].copy(), is_sound
        parts, is_sound = [], True
        while end > 0:
            rows, is_part_sound = self._chunk((number, name, chunk))
            parts.append(rows[start:end])
            is_sound &= is_part_sound
            chunk, start, end = chunk + 1, 0, end - size
        return np.concatenate(parts), is_sound

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
        self._kept, self._sizes = {}, {}
        self._shards.close()

    def _size(self, number: int, name: str) -> int:
        """The rows of a chunk of a column in a shard."""
        size = self._sizes.get((number, name))
        if size is None:
            self._check_name(name)
            size = self._shards[number].column(name).rows_per_chunk
            self._sizes[number, name] = size
        return size

    def _no_rows(self, name: str) -> Array:
        self._check_name(name)
        column = self._shards.any().column(name)
        return np.empty((0, *column.tail), column.dtype)

    def _check_name(self, name: str) -> None:
        if name not in self.names:
            raise UsageError(f"the shards have no dataset '{name}'", file=self._shards.path)

    def _chunk(self, chunk: Chunk) -> tuple[Array, bool]:
        """The rows of a chunk, not to be changed, and whether they are sound."""
        found = self._kept.pop(chunk, None)
        if found is None:
            number, name, place = chunk
            rows = self._shards[number].column(name).chunk(place)
            found = rows, self._is_sound(name, rows)
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
