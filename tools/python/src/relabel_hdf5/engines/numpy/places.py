"""Where the stored chunks of an HDF5 dataset lie: with that, its file need not stay open."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .files import HDF5_ERRORS

_NOWHERE = -1


class Place(NamedTuple):
    """A stored chunk."""

    start: int
    size: int
    skipped: int
    """Bit i means that filter i was not applied."""


class ChunkPlaces:
    """The places of all chunks, 12 bytes each."""

    def __init__(self, chunks: int, rows_per_chunk: int) -> None:
        self._rows_per_chunk = rows_per_chunk
        self._starts = np.full(chunks, _NOWHERE, np.int64)
        self._sizes = np.zeros(chunks, np.uint32)
        # Of chunks where it is not 0: sound shards have none.
        self._skipped: dict[int, int] = {}

    @classmethod
    def of(cls, dataset: Any, chunks: int, rows_per_chunk: int) -> ChunkPlaces | None:
        """The places in an open HDF5 dataset, or None where the library can't tell them all at once."""
        places = cls(chunks, rows_per_chunk)
        try:
            dataset.chunk_iter(places._note)
            # Some versions of the library count chunks where others count rows.
            last = int(np.flatnonzero(places._starts != _NOWHERE)[-1])
            offset = (last * rows_per_chunk, *(0 for _ in dataset.shape[1:]))
            if dataset.get_chunk_info_by_coord(offset).byte_offset != places._starts[last]:
                return None
        except (AttributeError, IndexError, OverflowError, *HDF5_ERRORS):
            return None
        return places

    def _note(self, info: Any) -> None:
        number = info.chunk_offset[0] // self._rows_per_chunk
        if number < len(self._starts):
            self._starts[number] = info.byte_offset
            self._sizes[number] = info.size
            if info.filter_mask:
                self._skipped[number] = info.filter_mask

    def __getitem__(self, number: int) -> Place | None:
        """The place of a chunk, or None for one that was never written."""
        start = int(self._starts[number])
        return None if start == _NOWHERE else Place(start, int(self._sizes[number]), self._skipped.get(number, 0))
