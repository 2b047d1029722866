"""The NumPy engine itself: label maps by position."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...boxes import boxes_in_extents
from ...errors import violation
from ...geometry import is_transposed
from ...header import Extent, Header
from ...keys import Positions
from ...labels import MapBatch, StoredLabels
from .checks.cells import cell_fault
from .column import Array
from .index import DatasetIndex, read_index
from .pooling import pool_with_numpy
from .shard import Shard
from .shards import Shards


class NumPyEngine:
    """Reads with h5py and NumPy (see `engines.base.Engine`)."""

    def __init__(self, path: str, is_dataset: bool) -> None:
        index = read_index(path) if is_dataset else None
        self._shards = Shards(path, index)
        rows = [shard.rows for shard in index.shards] if index else [self._shards[0].rows]
        self.first: Positions = np.array([0, *rows], np.int64).cumsum()
        self.paths = self._shards.paths
        self._ends: list[int] = self.first[1:].tolist()
        self._identity = self._identified(index)

    @property
    def identity(self) -> tuple[Any, ...]:
        """The digest of the index, or what the shard says of its build and size."""
        return self._identity

    def header_at(self, positions: Positions) -> Header:
        """What the shards say of all maps."""
        for number in self._numbers(positions)[:1]:
            return self._shards[number].header
        return self._shards.any().header

    @property
    def images_per_chunk(self) -> int:
        """Images of a chunk of labels."""
        return self._shards.any().images_per_chunk

    def one(self, position: int) -> tuple[Array, npt.NDArray[np.float32], Extent]:
        """Class ids, decoded scores and extent of one image; the arrays are the caller's own."""
        number, row = self._place(position)
        shard = self._shards[number]
        ids, stored, extent = shard.map(row)
        self._check_cells(shard, ids[None], stored[None], np.array([position]))
        return ids.copy(), shard.decoded(stored), extent

    def maps(self, positions: Positions) -> MapBatch:
        """The maps at some positions, in the order given; every chunk is read once."""
        shard, ids, stored, extents = self._read(positions)
        factors = self._factors(positions, shard) if shard.header.has_factors else (None, None)
        return MapBatch(ids, shard.decoded(stored), extents, positions, shard.header, *factors)

    def stored(self, positions: Positions) -> StoredLabels:
        """Class ids and scores as the files hold them, in the order given; every chunk is read once."""
        shard, ids, stored, _ = self._read(positions)
        return StoredLabels(ids, stored if shard.header.encoding == "float16" else shard.decoded(stored))

    def targets(
        self, positions: Positions, boxes: npt.NDArray[np.float64], profile: str | None, clamp: bool, threads: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Targets and covered shares of boxes; `threads` are NumPy's own affair."""
        batch = self.maps(positions)
        inside, covered = boxes_in_extents(batch, batch, boxes, clamp)
        targets = pool_with_numpy(batch, inside, is_transposed(batch.header, profile))
        return targets.reshape(*boxes.shape[:2], -1), covered

    def key(self, position: int) -> str:
        """The key of one image."""
        number, row = self._place(position)
        return self._shards[number].key(row)

    def keys(self) -> Iterator[str]:
        """All keys, in the order of positions."""
        for shard in self._shards.one_by_one():
            yield from shard.keys()

    def stored_keys(self, shard: int) -> Iterator[Array]:
        """The bytes of the keys of a shard, chunk by chunk."""
        with self._shards.for_once(shard) as opened:
            yield from opened.stored_keys()

    def image_index(self, position: int) -> int:
        """The place of one image in the source listing."""
        number, row = self._place(position)
        return self._shards[number].image_index(row)

    def image_indexes(self) -> Positions:
        """The places of all images in the source listing."""
        indexes = np.empty(int(self.first[-1]), np.int64)
        for shard, first, end in zip(self._shards.one_by_one(), self.first[:-1], self.first[1:]):
            indexes[first:end] = shard.image_indexes()
        return indexes

    def close(self) -> None:
        """Closes all files."""
        self._shards.close()

    def _read(self, positions: Positions) -> tuple[Shard, Array, Array, Array]:
        """A shard that says what all maps mean; ids, stored scores and extents, checked."""
        parts = self._parts(positions)
        shard = self._shards[parts[0][0]] if parts else self._shards.any()
        ids, stored, extents = shard.empty_maps(len(positions))
        for number, rows, places in parts:
            self._shards[number].read_maps(rows, places, ids, stored, extents)
        self._check_cells(shard, ids, stored, positions)
        return shard, ids, stored, extents

    def _factors(self, positions: Positions, shard: Shard) -> tuple[Array, Array]:
        """What the factors of maps say of classes, and their scales."""
        numbers, scales = shard.empty_factors(len(positions))
        for number, rows, places in self._parts(positions):
            self._shards[number].read_factors(rows, places, numbers, scales)
        return numbers, scales

    def _parts(self, positions: Positions) -> list[tuple[int, Array, Array]]:
        """The numbers of the shards that hold some positions, each with its rows, ascending, and the places that these were asked at."""
        order = np.argsort(positions, kind="stable")
        ascending = positions[order]
        ends = np.searchsorted(ascending, self.first)
        found = []
        for number in np.flatnonzero(np.diff(ends)).tolist():
            part = slice(ends[number], ends[number + 1])
            found.append((number, ascending[part] - self.first[number], order[part]))
        return found

    def _identified(self, index: DatasetIndex | None) -> tuple[Any, ...]:
        return (index.sha256,) if index else self._shards[0].identity

    def _place(self, position: int) -> tuple[int, int]:
        """The shard of a position, and its row there."""
        number = bisect_right(self._ends, position)
        return number, position - int(self.first[number])

    def _numbers(self, positions: Positions) -> list[int]:
        """The shards that some positions are in, ascending."""
        return sorted(set(self.first[1:].searchsorted(positions, "right").tolist()))

    def _check_cells(self, shard: Shard, ids: Array, stored: Array, positions: Positions) -> None:
        if not cell_fault(ids, stored, shard.header.num_classes):
            return
        order = np.argsort(positions, kind="stable")  # the first in the file, whatever was asked for first
        positions = positions[order]
        fault = cell_fault(ids[order], stored[order], shard.header.num_classes)
        assert fault
        number, row = self._place(int(positions[fault.map]))
        shard = self._shards[number]
        place = {"file": shard.path, "dataset": fault.dataset, "row": row, "cell": fault.cell}
        raise violation(fault.rule, fault.message, key=shard.key_or_none(row), **place)
