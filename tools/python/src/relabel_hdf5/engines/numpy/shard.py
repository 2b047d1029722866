"""One open shard whose header has been checked against the specification."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import InvalidDataError, RelabelError, violation
from ...factors import is_factor_scale
from ...header import Extent, Header
from ...layout import (
    CLASS_FACTOR,
    CLASS_INDEX,
    FACTOR_SCALE,
    IMAGE_INDEX,
    IMAGE_KEY,
    MAP_EXTENT,
    OPTIONAL,
    SCORE,
    SOURCE_LABEL,
)
from .checks.extent import stored_extent_fault
from .checks.inspection import Inspection, inspect
from .checks.path import path_fault
from .checks.superblock import check_superblock
from .column import Array, Recent, StoredColumn
from .files import HDF5_ERRORS, HDF5File


class Shard:
    """Label maps, keys and image indexes by row; callable from any thread.

    Opening raises the first broken rule of families S, C and L; reading those of chunks, keys and indexes.
    """

    def __init__(self, path: str, recent: Recent) -> None:
        try:
            self.stamp = check_superblock(path)
            self._file = HDF5File(path, self.stamp)
            inspection = self._inspect()
        except RelabelError as error:
            error.file = path
            raise
        except HDF5_ERRORS as error:
            if isinstance(error, OSError):
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    raise OSError(error.errno, os.strerror(error.errno), path) from error
                if error.filename is not None:
                    raise  # the system refuses the file; its contents may be sound
            raise violation("C001", f"the HDF5 library can't read the file: {error}", file=path) from error
        self.path = path
        self.header = inspection.header
        self.shared = inspection.shared
        self._columns = columns = {
            name: StoredColumn(self._file, name, description, recent)
            for name, description in inspection.datasets.items()
        }
        self._ids, self._scores = columns[CLASS_INDEX], columns[SCORE]
        self._keys, self._indexes = columns[IMAGE_KEY], columns[IMAGE_INDEX]
        self._extents = columns.get(MAP_EXTENT)
        self._all_ids = _all_ids(self.header, self._ids.dtype)
        self.last_use = 0
        """The time of `open_files.clock` at which it was last asked for."""
        self.rows = self._ids.rows
        self.images_per_chunk = self._ids.rows_per_chunk
        self.id_type = self._ids.dtype

    def close(self) -> None:
        """Closes the file, when nobody reads it any more; reading raises `UsageError` from now on."""
        self._file.close()

    def locate(self) -> None:
        """Finds where all chunks lie and closes the file for the HDF5 library, for a shard that stays open.

        The library keeps half a megabyte for a file, and lets nobody else of this process open it otherwise.
        """
        with self._file.library:
            if all(column.locate() for column in self._columns.values()):
                self._file.close_handle()

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells this shard from another one at its path, also on another machine."""
        return self.header.build_id, self.header.metadata_sha256, self.rows, self.stamp.size

    def map(self, row: int) -> tuple[Array, Array, Extent]:
        """Class ids and stored scores of one image, not to be changed, and its extent."""
        ids = self._ids.row(row) if self._all_ids is None else self._all_ids
        return ids, self._scores.row(row), self._extent(row)

    def read_maps(self, rows: Array, places: Array, ids: Array, stored: Array, extents: Array) -> None:
        """Copies maps, rows given in ascending order, to places of a batch; each chunk is read once."""
        if self._all_ids is None:
            self._ids.gather(rows, places, ids)
        else:
            ids[places] = self._all_ids
        self._scores.gather(rows, places, stored)
        if self._extents:
            found = np.empty((len(rows), 4), np.float32)
            self._extents.gather(rows, np.arange(len(rows)), found)
            self._check_extents(found, rows)
            extents[places] = found

    def read_factors(self, rows: Array, places: Array, numbers: Array, scales: Array) -> None:
        """Copies what factors say of classes, rows given in ascending order, to places of a batch."""
        self._columns[CLASS_FACTOR].gather(rows, places, numbers)
        self._columns[FACTOR_SCALE].gather(rows, places, scales)
        for place, row in zip(places.tolist(), rows.tolist()):
            self._check_factors(numbers[place], scales[place], row)

    def empty_factors(self, count: int) -> tuple[Array, Array]:
        """Space for what the factors of a batch say of classes, and for their scales."""
        header = self.header
        return np.empty((count, header.top_k, header.num_classes), np.uint8), np.empty((count, header.top_k), np.float32)

    def _check_factors(self, numbers: Array, scales: Array, row: int) -> None:
        """Raises V007 for what was never written, and V032 for a scale that is no power of two and not 0."""
        where: dict[str, Any] = {"file": self.path, "row": row}
        if (numbers == 255).any():
            raise violation("V007", "a number of a factor was never written", dataset=CLASS_FACTOR, **where)
        if np.isnan(scales).any():
            raise violation("V007", "the scale of a factor was never written", dataset=FACTOR_SCALE, **where)
        if np.isinf(scales).any():
            raise violation("V003", "the scale of a factor is not finite", dataset=FACTOR_SCALE, **where)
        wrong = ~is_factor_scale(scales)
        if wrong.any():
            message = f"the scale {float(scales[wrong][0])} is no power of two and not 0"
            raise violation("V032", message, dataset=FACTOR_SCALE, **where)

    def empty_maps(self, count: int) -> tuple[Array, Array, Array]:
        """Space for class ids, stored scores and extents of a batch; the extents are those of the root."""
        shape = (count, *self.header.shape)
        extents = np.tile(np.array(self.header.map_extent, np.float64), (count, 1))
        return np.empty(shape, self._ids.dtype), np.empty(shape, self._scores.dtype), extents

    def decoded(self, stored: Array) -> Array:
        """Scores from what is stored, float32 (section 6.1)."""
        scores = stored.astype(np.float32)
        if self.header.step is not None:
            scores *= np.float32(self.header.step)
            scores += np.float32(self.header.offset)
        return scores

    def key_or_none(self, row: int) -> str | None:
        """The key of an image for a message about its labels, or None where it can't be read."""
        try:
            return self.key(row)
        except RelabelError:
            return None

    def key(self, row: int) -> str:
        """The key of one image; raises V010 for one that is no path within a folder."""
        return self._text(self.stored_key(row), row)

    def stored_key(self, row: int) -> bytes:
        """The bytes of one key."""
        key: bytes = self._keys.row(row)
        return key

    def keys(self) -> Iterator[str]:
        """All keys, in row order."""
        row = 0
        for chunk in self._keys.chunks():
            for key in chunk:
                yield self._text(key, row)
                row += 1

    def stored_keys(self) -> Iterator[Array]:
        """The bytes of all keys, chunk by chunk."""
        return self._keys.chunks()

    def image_index(self, row: int) -> int:
        """The place of one image in the source listing; raises V009 for a negative one."""
        return int(self._checked_indexes(self._indexes.row(row)[None], row)[0])

    def image_indexes(self) -> Array:
        """The places of all images in the source listing, int64."""
        rows = np.arange(self.rows)
        indexes = np.empty(self.rows, np.int64)
        self._indexes.gather(rows, rows, indexes)
        return self._checked_indexes(indexes, 0)

    def optional_columns(self) -> tuple[str, ...]:
        """The optional HDF5 datasets that the shard has, by name."""
        return tuple(column.name for column in OPTIONAL if column.name in self._columns)

    def column(self, name: str) -> StoredColumn:
        """One of the HDF5 datasets, whatever its rows mean; raises `KeyError` where the shard has none of this name."""
        return self._columns[name]

    def source_labels(self) -> Array:
        """The class that the source gives to each image, int32, -1 for none; raises V020 for one that is no class."""
        labels = np.full(self.rows, -1, np.int32)
        if SOURCE_LABEL in self._columns:
            rows = np.arange(self.rows)
            self._columns[SOURCE_LABEL].gather(rows, rows, labels)
        wrong = (labels < -1) | (labels >= self.header.num_classes)
        if wrong.any():
            row = int(wrong.argmax())
            message = f"the label is {labels[row]}, neither -1 nor a class below {self.header.num_classes}"
            raise violation("V020", message, file=self.path, dataset=SOURCE_LABEL, row=row)
        return labels

    def _inspect(self) -> Inspection:
        try:
            return inspect(self._file.id, self.stamp.size)
        except BaseException:
            self._file.close()
            raise

    def _extent(self, row: int) -> Extent:
        if not self._extents:
            return self.header.map_extent
        found = self._extents.row(row)
        self._check_extents(found[None], np.array([row]))
        top, left, height, width = found.tolist()
        return top, left, height, width

    def _check_extents(self, extents: Array, rows: Array) -> None:
        if fault := stored_extent_fault(extents):
            place, rule, message = fault
            where: dict[str, Any] = {"file": self.path, "dataset": MAP_EXTENT, "row": int(rows[place])}
            raise InvalidDataError(message, rule=rule, **where)

    def _checked_indexes(self, indexes: Array, first: int) -> Array:
        if indexes.min(initial=0) < 0:
            row = int(indexes.argmin())
            message = f"the image index is {indexes[row]}, not a place counted from 0"
            raise violation("V009", message, file=self.path, dataset=IMAGE_INDEX, row=first + row)
        return indexes

    def _text(self, key: bytes, row: int) -> str:
        try:
            text = key.decode()
            fault = path_fault(text)
        except UnicodeDecodeError:
            fault = "it is not valid UTF-8"
        if fault:
            message = f"the key {bytes(key)!r} is not a path within a folder: {fault}"
            raise violation("V010", message, file=self.path, dataset=IMAGE_KEY, row=row)
        return text


def _all_ids(header: Header, kind: np.dtype[Any]) -> Array | None:
    """The class ids of each view that has scores of all classes in their order, which need not be read (section 4.10)."""
    has_all = header.has_views and header.cell_order == "class" and header.top_k == header.num_classes
    if not (has_all or header.has_factors):
        return None
    ids = np.broadcast_to(np.arange(header.top_k, dtype=kind), header.shape)
    return ids
