"""One HDF5 dataset of a shard, read by whole chunks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import RelabelError, violation
from .checks.container import Description
from .codec import ChunkFault, decode, longest_stored
from .files import HDF5_ERRORS, HDF5File
from .places import ChunkPlaces

Array = npt.NDArray[Any]
Recent = dict[str, tuple[object, int, Array]]
"""The chunk of each HDF5 dataset that was read last: whose it is, its number and its rows."""

_MISSING = "the chunk was never written"
_OVERSIZED = "the stored chunk has {} bytes, more than any sound one"


class StoredColumn:
    """Reads chunks of one HDF5 dataset; callable from any thread."""

    def __init__(self, file: HDF5File, name: str, description: Description, recent: Recent) -> None:
        self.name = name
        self.rows = description.shape[0]
        self.rows_per_chunk = description.chunk[0]
        self.dtype = description.element.dtype
        self.tail: tuple[int, ...] = description.shape[1:]
        self._file = file
        self._id = description.id
        self._places: ChunkPlaces | None = None
        self._filters = description.filters
        self._chunk = description.chunk
        self._chunk_bytes = description.chunk_bytes
        self._offset = (0,) * len(description.shape[1:])
        self._recent = recent
        # Stands for this column among the recent chunks, which must not keep its file open.
        self._owner = object()

    def locate(self) -> bool:
        """Finds where all chunks lie; False where that fails, and they are asked of the HDF5 library."""
        if not self._places:
            chunks = -(-self.rows // self.rows_per_chunk)
            self._places = ChunkPlaces.of(self._id, chunks, self.rows_per_chunk)
        return self._places is not None

    def row(self, row: int) -> Any:
        """One row, not to be changed."""
        number, place = divmod(row, self.rows_per_chunk)
        return self._rows(number)[place]

    def chunk(self, number: int) -> Array:
        """The rows of a chunk, without padding, not to be changed."""
        return self._rows(number)

    def chunks(self) -> Iterator[Array]:
        """All rows, chunk by chunk, not to be changed."""
        for first in range(0, self.rows, self.rows_per_chunk):
            yield self._rows(first // self.rows_per_chunk)

    def gather(self, rows: Array, places: Array, into: Array) -> None:
        """Copies rows, given in ascending order, to places of an array; each chunk is read once."""
        numbers, within = np.divmod(rows, self.rows_per_chunk)
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        ends = [*starts[1:].tolist(), len(rows)]
        for start, end, number in zip(starts.tolist(), ends, numbers[starts].tolist()):
            chunk = self._rows(number)
            if end == start + 1:
                into[places[start]] = chunk[within[start]]
            else:
                into[places[start:end]] = chunk[within[start:end]]

    def _rows(self, number: int) -> Array:
        """The rows of a chunk, without padding; the one read last is kept.

        Raises a rule of family C that names the rows, or `CorruptError` for a file that has been changed.
        """
        recent = self._recent.get(self.name)
        if recent and recent[0] is self._owner and recent[1] == number:
            return recent[2]
        try:
            rows = self._read(number)
        except RelabelError:
            self._file.check_unchanged()
            raise
        self._file.check_unchanged()
        self._recent[self.name] = (self._owner, number, rows)
        return rows

    def _read(self, number: int) -> Array:
        first = number * self.rows_per_chunk
        skipped, found = self._stored(number, first, longest_stored(self._chunk_bytes))
        try:
            body = decode(found, skipped, self._filters, self.dtype.itemsize, self._chunk_bytes)
        except ChunkFault as fault:
            raise self._lost(first, fault.rule, str(fault)) from None
        return np.frombuffer(body, self.dtype).reshape(self._chunk)[: self.rows - first]

    def _stored(self, number: int, first: int, limit: int) -> tuple[int, memoryview]:
        """Filter mask and bytes of a chunk."""
        if not self._places:
            with self._file.reading, self._file.library:
                # Once chunks are located the file may be closed.
                if not self._places:
                    return self._asked(first, limit)
        return self._placed(self._places, number, first, limit)

    def _placed(self, places: ChunkPlaces, number: int, first: int, limit: int) -> tuple[int, memoryview]:
        """The same of a chunk whose place is known."""
        place = places[number]
        if not place:
            raise self._lost(first, "C007", _MISSING)
        if place.size > limit:
            raise self._lost(first, "C006", _OVERSIZED.format(place.size))
        found = self._file.read(place.start, place.size)
        if len(found) < place.size:
            raise self._lost(first, "C001", "the stored chunk ends behind the file")
        return place.skipped, memoryview(found)

    def _asked(self, first: int, limit: int) -> tuple[int, memoryview]:
        """The same by the HDF5 library."""
        stored = np.empty(limit, np.uint8)
        try:
            skipped, found = self._id.read_direct_chunk((first, *self._offset), out=stored)
        except HDF5_ERRORS as error:
            raise self._lost(first, *self._why_unreadable(first, limit, error)) from error
        return skipped, found

    def _why_unreadable(self, first: int, limit: int, error: Exception) -> tuple[str, str]:
        try:
            place = self._id.get_chunk_info_by_coord((first, *self._offset))
        except HDF5_ERRORS:
            return "C001", f"the HDF5 library can't find the chunk: {error}"
        if place.byte_offset is None:
            return "C007", _MISSING
        if place.size > limit:
            return "C006", _OVERSIZED.format(place.size)
        return "C001", f"the HDF5 library can't read the chunk: {error}"

    def _lost(self, first: int, rule: str, message: str) -> RelabelError:
        last = min(first + self.rows_per_chunk, self.rows) - 1
        lost = f"rows {first} to {last} are lost" if last > first else f"row {first} is lost"
        return violation(rule, f"{message}; {lost}", file=self._file.path, dataset=self.name, row=first)
