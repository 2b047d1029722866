"""What to export: the rows of one shard, of a dataset, or of several shards, in the order of their listing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import factors
from ..dataset import LabelMaps
from ..dataset import open as open_maps
from ..engines.numpy.columns import optional_columns, source_labels
from ..errors import InvalidDataError, UsageError
from ..header import Header
from ..labels import MapBatch
from ..layout import IMAGE_INDEX, SOURCE_LABEL
from .image_labels import RULES, Targets
from .key_column import KeyColumn
from .views import Views

BLOCK_BYTES = 32 << 20
_BLOCK_IMAGES = 512
BEST_OF_FACTORS = 5
"""Classes of a cell that forms of the best classes get of maps of factors."""


@dataclass(frozen=True)
class Block:
    """Some images, one behind the other in the listing."""

    first: int
    """The place of the first among the exported images."""
    keys: list[str]
    stored: MapBatch
    """The maps as they are stored."""
    labels: npt.NDArray[np.int32] | None
    """The class that the source gives to each image, -1 where it gives none; None where there is no such column."""
    columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    """What the shards say of views, and `image_index`; empty for maps of whole pictures."""

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def maps(self) -> MapBatch:
        """The maps with the best classes of each cell: as stored, unless they have factors."""
        return factors.batch_of_classes(self.stored, BEST_OF_FACTORS) if self.stored.header.has_factors else self.stored

    def targets(self, rule: str) -> Targets:
        """One probability of each class for each image, [B, C], by a name of `image_labels.RULES`; of factors, from all classes."""
        return RULES[rule](self.stored)


class Source:
    """What is exported; files stay open until it is left.

    Memory grows by about 40 bytes a row, whatever the maps are; keys lie on disk.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        with ExitStack() as files:
            self.parts: list[LabelMaps] = [files.enter_context(open_maps(path)) for path in paths]
            self.stored: Header = _common_header(self.parts)
            """What the shards say of all maps."""
            self.header: Header = self.stored
            """The same of the maps as forms get them, with classes in their cells."""
            if self.stored.has_factors:
                self.header = factors.header_of_classes(self.stored, BEST_OF_FACTORS)
            self._first = np.array([0, *map(len, self.parts)], np.int64).cumsum()
            self._views = Views(self.parts) if self.header.has_views else None
            if self._views is not None:
                files.callback(self._views.close)
            self._order = _listing_order(self.parts) if self._views is None else self._views.image_order.positions
            self.optional = tuple(sorted({name for maps in self.parts for name in optional_columns(maps.path)}))
            """The optional HDF5 datasets that shards have (spec, section 4.5)."""
            labels = [source_labels(maps.path) for maps in self.parts] if SOURCE_LABEL in self.optional else None
            self._labels: npt.NDArray[np.int32] | None = None if labels is None else np.concatenate(labels)
            self._files = files
            if self._views is None and (repeated := self.keys.repeated()):
                message = "two of the images to export have this key"
                raise InvalidDataError(message, rule="M007", key=self.keys[repeated[1]])
            self._files = files.pop_all()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def __len__(self) -> int:
        return int(self._first[-1])

    @cached_property
    def keys(self) -> KeyColumn:
        """The keys of all rows, by position."""
        keys = KeyColumn(len(self._order), (key for maps in self.parts for key in maps.keys()))
        self._files.callback(keys.close)
        return keys

    @property
    def is_views(self) -> bool:
        """Whether a row is a view of an image."""
        return self._views is not None

    @property
    def views(self) -> Views:
        """The rows as views; raises `UsageError` for maps of whole pictures."""
        if self._views is None:
            raise UsageError("these are maps of whole pictures, not views", file=self.parts[0].path)
        return self._views

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self._order) if self._views is None else len(self._views.image_order.names)

    @property
    def has_labels(self) -> bool:
        """Whether the shards say which class the source gives to an image."""
        return self._labels is not None

    def key(self, place: int) -> str:
        """The key of the image at a place of the listing."""
        return self.keys[int(self._order[place])]

    def blocks(self, image_bytes: int) -> Iterator[Block]:
        """All images in the order of the listing, as many at once as fit into a bounded memory.

        `image_bytes` is what the caller needs for one of them. In shards whose rows are shuffled, a block's rows lie
        apart; the chunks that hold them are read once for it.
        """
        size = max(1, min(_BLOCK_IMAGES, BLOCK_BYTES // (row_bytes(self.stored) + image_bytes)))
        for first in range(0, len(self), size):
            positions = self._order[first : first + size]
            labels = None if self._labels is None else self._labels[positions]
            keys = [self.keys[place] for place in positions.tolist()]
            columns = {} if self._views is None else self._views.columns(positions, (IMAGE_INDEX, *self._views.names))
            yield Block(first, keys, self._batch(positions), labels, columns)

    def _batch(self, positions: npt.NDArray[np.int64]) -> MapBatch:
        numbers = np.searchsorted(self._first[1:], positions, "right")
        found = [
            (np.flatnonzero(numbers == number), self.parts[number].batch(positions[numbers == number] - first))
            for number, first in enumerate(self._first[:-1])
            if (numbers == number).any()
        ]
        if len(found) == 1:
            return found[0][1]
        back = np.argsort(np.concatenate([places for places, _ in found]))

        def joined(name: str) -> Any:
            return np.concatenate([getattr(batch, name) for _, batch in found])[back]

        own = (joined("class_factor"), joined("factor_scale")) if self.stored.has_factors else ()
        return MapBatch(joined("class_index"), joined("score"), joined("extent"), positions, self.stored, *own)


def row_bytes(header: Header) -> int:
    """The memory that a row takes on the way."""
    dense = header.num_classes * (header.height * header.width * 24 + header.top_k) if header.has_factors else 0
    return header.height * header.width * header.top_k * 24 + dense


def _common_header(parts: list[LabelMaps]) -> Header:
    """The header of all parts; raises `UsageError` where they differ."""
    first = parts[0]
    for other in parts[1:]:
        if other.header == first.header:
            continue
        names = [
            field.name for field in fields(Header)
            if field.compare and getattr(first.header, field.name) != getattr(other.header, field.name)
        ]  # fmt: skip
        raise UsageError(
            f"this is no part of the same build as {first.path} ({', '.join(names)} differ): export each by itself",
            file=other.path,
        )
    return first.header


def _listing_order(parts: list[LabelMaps]) -> npt.NDArray[np.int64]:
    """The positions in the order of the listing; raises `UsageError` where an image comes twice."""
    indexes = np.concatenate([maps.image_indexes() for maps in parts])
    if not len(indexes):
        raise UsageError("there are no images to export", file=parts[0].path)
    order = np.argsort(indexes, kind="stable")
    listed = indexes[order]
    if (listed[1:] == listed[:-1]).any():
        place = int(listed[1:][listed[1:] == listed[:-1]][0])
        raise UsageError(f"image {place} of the listing comes twice: name each shard once, or its dataset alone")
    return order
