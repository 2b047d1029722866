"""Label maps by position: read by the Swift library where it is found, else with NumPy."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from . import native
from .checks.cells import cell_fault
from .column import Array
from .errors import RelabelError, violation
from .header import Extent
from .keys import Positions
from .labels import MapBatch
from .pooling import label_pooling, pool_stored
from .shard import Shard
from .shards import Shards

Made = TypeVar("Made")


class MapReader:
    """Reads maps of some shards; callable from any thread and in forked processes."""

    def __init__(self, shards: Shards, first: Positions, confirm: Callable[[], None]) -> None:
        """`first` is where shards begin, and the number of images; `confirm` refuses what was replaced."""
        self._shards = shards
        self._first = first
        self._ends: list[int] = first[1:].tolist()
        self._confirm = confirm
        self._native: native.NativeMaps | None = None
        self._last: MapBatch | None = None

    def close(self) -> None:
        """Closes what the Swift library has open, and forgets the maps read last."""
        self._last = None
        if self._native is not None:
            self._native.close()
            self._native = None

    def place(self, position: int) -> tuple[int, int]:
        """The shard of a position, and its row there."""
        number = bisect_right(self._ends, position)
        return number, position - int(self._first[number])

    def one(self, position: int) -> tuple[Array, Array, Extent]:
        """Class ids, decoded scores and extent of one image; the arrays are the caller's own."""
        if native.library() is None:
            return self._one_decoded(position)
        maps = self._last
        if maps is None or not maps.positions[0] <= position <= maps.positions[-1]:
            maps = self._last = self._near(position, maps)
        place = position - maps.positions[0]
        top, left, height, width = maps.extent[place].tolist()
        return maps.class_index[place].copy(), maps.score[place].copy(), (top, left, height, width)

    def _near(self, position: int, last: MapBatch | None) -> MapBatch:
        """The map of an image; those of its chunk, where what was read last is of that chunk or beside it."""
        number, row = self.place(position)
        if last is not None:
            size = self._shards.any().images_per_chunk
            begin = position - row % size
            end = min(begin + size, self._ends[number])
            if last.positions[0] <= end and begin - 1 <= last.positions[-1]:
                try:
                    return self._batch(np.arange(begin, end), [number])
                except RelabelError:
                    pass  # it may be about another image
        return self._batch(np.array([position]), [number])

    def batch(self, positions: Positions) -> MapBatch:
        """The maps at some positions, in the order given; every chunk is read once."""
        return self._batch(positions, self._numbers(positions))

    def _batch(self, positions: Positions, numbers: list[int]) -> MapBatch:
        def read(stored: native.NativeMaps, shard: Shard) -> MapBatch:
            ids, scores, extents = stored.maps(positions, shard.header, shard.id_type)
            return MapBatch(ids, scores, extents, positions, shard.header)

        return self._read(numbers, read, partial(self._decoded, positions))

    def targets(self, positions: Positions, boxes: Any, profile: str | None, outside: str, threads: int) -> Any:
        """What `label_pooling` gives for the maps at some positions."""

        def pool(stored: native.NativeMaps, shard: Shard) -> Any:
            return pool_stored(stored, shard.header, positions, boxes, profile, outside, threads)

        def again() -> Any:
            return label_pooling(self._decoded(positions), boxes, profile=profile, outside=outside)

        return self._read(self._numbers(positions), pool, again)

    def _numbers(self, positions: Positions) -> list[int]:
        """The shards that some positions are in, ascending."""
        return sorted(set(self._first[1:].searchsorted(positions, "right").tolist()))

    def _read(
        self, numbers: list[int], read: Callable[[native.NativeMaps, Shard], Made], again: Callable[[], Made]
    ) -> Made:
        """What `read` makes of the Swift library's maps and one of the shards; without it, `again`."""
        swift = native.library()
        if swift is None or not numbers:
            return again()
        self._shards.meet(numbers)
        shard = self._shards.any()
        try:
            found = read(self._opened(swift), shard)
            self._shards.check_unchanged(numbers)  # the library may have opened them just now
            return found
        except RelabelError as error:
            # What the library refuses is refused here as well, with the rule, file and image by name.
            try:
                again()
            except RelabelError as named:
                raise named from None
            raise self._shards.placed(error) from None

    def _opened(self, swift: ctypes.CDLL) -> native.NativeMaps:
        stored = self._native
        if stored is None:
            self._confirm()
            stored = self._native = native.NativeMaps(swift, self._shards.path)
        return stored

    def _one_decoded(self, position: int) -> tuple[Array, Array, Extent]:
        """What `one` gives, by NumPy."""
        number, row = self.place(position)
        shard = self._shards[number]
        ids, stored, extent = shard.map(row)
        self._check_cells(shard, ids[None], stored[None], np.array([position]))
        return ids.copy(), shard.decoded(stored), extent

    def _decoded(self, positions: Positions) -> MapBatch:
        """The maps at some positions by NumPy."""
        order = np.argsort(positions, kind="stable")
        ascending = positions[order]
        ends = np.searchsorted(ascending, self._first)
        numbers = np.flatnonzero(np.diff(ends)).tolist()
        shard = self._shards[numbers[0]] if numbers else self._shards.any()
        ids, stored, extents = shard.empty_maps(len(positions))
        for number in numbers:
            part = slice(ends[number], ends[number + 1])
            rows = ascending[part] - self._first[number]
            self._shards[number].read_maps(rows, order[part], ids, stored, extents)
        self._check_cells(shard, ids, stored, positions)
        return MapBatch(ids, shard.decoded(stored), extents, positions, shard.header)

    def _check_cells(self, shard: Shard, ids: Array, stored: Array, positions: Positions) -> None:
        fault = cell_fault(ids, stored, shard.header.num_classes)
        if not fault:
            return
        number, row = self.place(int(positions[fault.map]))
        shard = self._shards[number]
        place = {"file": shard.path, "dataset": fault.dataset, "row": row, "cell": fault.cell}
        raise violation(fault.rule, fault.message, key=shard.key_or_none(row), **place)
