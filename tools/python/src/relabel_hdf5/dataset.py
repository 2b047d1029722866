"""Label maps by position or key: a shard, or a dataset of shards (spec, section 11)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, SupportsIndex

import numpy as np

from .errors import BoxError, CorruptError, UsageError, violation
from .header import ClassEntry, Header
from .index import FILE_NAME, DatasetIndex, read_index
from .keys import KeyTable, Positions
from .labels import LabelMap, MapBatch
from .lookup import Indices, Lookup
from .reading import MapReader
from .shards import Shards


def open(path: str | os.PathLike[str]) -> LabelMaps:
    """Opens a shard, a folder with an `index.json`, or that `index.json`.

    A shard is checked at once, those of a dataset when they are first read. Raises `OSError` where the
    system refuses the file, else a `RelabelError` whose `rule` says what is wrong with it.
    """
    place = os.path.abspath(os.fspath(path))
    if os.path.basename(place) == FILE_NAME:
        place = os.path.dirname(place)
    elif not os.path.isdir(place):
        return LabelMaps(place, None)
    return LabelMaps(place, read_index(place))


class LabelMaps:
    """Label maps of many images, read when they are asked for.

    Callable from any thread and in forked processes; a pickled one opens its files again by path. Positions
    count from 0 through the shards in the order of the index.
    """

    def __init__(self, path: str, index: DatasetIndex | None) -> None:
        self.path = path
        """Where the maps are: a shard, or the folder of a dataset."""
        self._shards = Shards(path, index)
        rows = [shard.rows for shard in index.shards] if index else [self._shards[0].rows]
        self._first = np.array([0, *rows], np.int64).cumsum()
        self._count = int(self._first[-1])
        self._identity = (index.sha256,) if index else self._shards[0].identity
        self._maps = MapReader(self._shards, self._first, partial(_confirm, path, self._identity))
        self._lookup = Lookup(path, self._count, partial(_read_keys, self._shards, self._first))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<LabelMaps of {self._count} images in {self.path!r}>"

    def __enter__(self) -> LabelMaps:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[LabelMap]:
        return (self[position] for position in range(self._count))

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self._identity)

    def close(self) -> None:
        """Closes all files; reading raises `UsageError` from now on."""
        self._shards.close()
        self._maps.close()

    @property
    def header(self) -> Header:
        """What the shards say about all of their maps."""
        return self._shards.any().header

    @property
    def classes(self) -> tuple[ClassEntry, ...] | None:
        """The class table by class id, or None where the packer was given none."""
        return self.header.classes

    @property
    def chunks(self) -> Positions:
        """Where chunks begin: chunk j holds the positions chunks[j] … chunks[j+1] - 1 (section 14.2)."""
        size = self._shards.any().images_per_chunk
        starts = [np.arange(first, end, size) for first, end in zip(self._first[:-1], self._first[1:])]
        return np.concatenate([*starts, self._first[-1:]])

    def __getitem__(self, index: SupportsIndex | str) -> LabelMap:
        """The map of one image, by position (negative as in lists) or key.

        Raises `PositionError` or `NotFoundError`; another `RelabelError` where its labels can't be trusted.
        """
        position = self._lookup.one(index)
        ids, scores, extent = self._maps.one(position)
        return LabelMap(ids, scores, extent, position, self.header, self)

    def batch(self, indices: Indices) -> MapBatch:
        """The maps of several images, by position or key, in the order asked for; every chunk is read once.

        Raises as `maps[index]` does.
        """
        return self._maps.batch(self._lookup.several(indices))

    def targets(
        self,
        indices: Indices,
        boxes: Any,
        profile: str | None = None,
        outside: str = "error",
        threads: int = 1,
    ) -> Any:
        """Pooled targets of several images, [B, C] or [B, n, C]: `label_pooling` of their `batch`.

        The Swift library reads and pools where it is found (`engine()` tells), on `threads` threads.
        """
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise UsageError(f"threads is {threads!r}, not a whole number of at least 1")
        positions = self._lookup.several(indices)
        try:
            return self._maps.targets(positions, boxes, profile, outside, threads)
        except BoxError as error:
            if error.position is None:
                raise
            raise BoxError(error.args[0], file=self.path, key=self.key(error.position)) from None

    def position(self, key: str) -> int:
        """The position of the image with a key; raises `NotFoundError`."""
        return self._lookup.one(str(key))

    def positions(self, keys: Sequence[str]) -> Positions:
        """The positions of the images with some keys, -1 where there is none.

        The first call reads all keys and keeps 13 bytes an image of them.
        """
        return self._lookup.keys(keys)

    def key(self, position: SupportsIndex) -> str:
        """The key of the image at a position."""
        number, row = self._maps.place(self._lookup.one(position))
        return self._shards[number].key(row)

    def keys(self) -> Iterator[str]:
        """All keys, in the order of positions."""
        for shard in self._shards.one_by_one():
            yield from shard.keys()

    def image_index(self, position: SupportsIndex) -> int:
        """The place in the source listing of the image at a position."""
        number, row = self._maps.place(self._lookup.one(position))
        return self._shards[number].image_index(row)

    def image_indexes(self) -> Positions:
        """The places in the source listing of all images, in the order of positions."""
        indexes = np.empty(self._count, np.int64)
        for shard, first, end in zip(self._shards.one_by_one(), self._first[:-1], self._first[1:]):
            indexes[first:end] = shard.image_indexes()
        return indexes


def _read_keys(shards: Shards, first: Positions) -> KeyTable:
    """The table of all keys; raises V010 or M007 where two images have the same."""
    chunks = (chunk for shard in shards.one_by_one() for chunk in shard.stored_keys())
    table = KeyTable(int(first[-1]), chunks)
    if not (repeated := table.repeated()):
        return table
    one, other = np.searchsorted(first, repeated, "right") - 1
    earlier, row = (repeated - first[[one, other]]).tolist()
    if shards[one].stored_key(earlier) != shards[other].stored_key(row):
        return _read_keys(shards, first)  # two keys have one digest by chance: with another secret they don't
    message = f"the images at positions {repeated[0]} and {repeated[1]} have the same key"
    place = {"file": shards[other].path, "dataset": "image_key", "row": row}
    raise violation("V010" if one == other else "M007", message, **place)


def _confirm(path: str, identity: tuple[Any, ...]) -> None:
    """Refuses maps that are not those with an identity."""
    _reopen(path, identity).close()


def _reopen(path: str, identity: tuple[Any, ...]) -> LabelMaps:
    maps = open(path)
    if maps._identity != identity:
        raise CorruptError("what lies here now is not what was opened", file=path)
    return maps
