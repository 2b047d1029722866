"""Label maps by position or key: a shard, or a dataset of shards (spec, section 11)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from .engines import library
from .engines.base import Engine
from .epoch import whole
from .errors import BoxError, CorruptError, InvalidDataError, RelabelError, UsageError, violation
from .header import ClassEntry, Header
from .key_runs import KeyRuns
from .keys import Array, KeyTable, Positions
from .labels import LabelMap, MapBatch, StoredLabels
from .layout import INDEX_NAME
from .lookup import Indices, Lookup
from .pooling import pool_stored
from .versions import demand

if TYPE_CHECKING:
    from .target_error import TargetError
    from .views import Views


def open(path: str | os.PathLike[str]) -> LabelMaps:
    """Opens a shard, a folder with an `index.json`, or that `index.json`.

        >>> import relabel_hdf5
        >>> len(relabel_hdf5.open("dataset"))
        18

    A lone shard is checked at once. The shards of a dataset are checked when they are first read. Raises `OSError`
    where the system refuses the file, else a `RelabelError` whose `rule` says what is wrong with it.
    """
    place = os.path.abspath(os.fspath(path))
    if os.path.basename(place) == INDEX_NAME:
        place = os.path.dirname(place)
        return LabelMaps(place, _engine(place, is_dataset=True))
    is_dataset = os.path.isdir(place)
    if not is_dataset and not stat.S_ISREG(os.stat(place).st_mode):
        raise InvalidDataError("this is not a regular file", file=place)
    return LabelMaps(place, _engine(place, is_dataset))


def _engine(path: str, is_dataset: bool) -> Engine:
    """The engine that reads what is opened now: the Swift library where it is found, else NumPy."""
    demand("numpy")
    loaded = library.library()
    if loaded is not None:
        from .engines.swift import SwiftEngine

        return SwiftEngine(loaded, path)
    from .engines.numpy.engine import NumPyEngine

    demand("h5py")
    return NumPyEngine(path, is_dataset)


class LabelMaps:
    """Label maps of many images. A map is read when you ask for it.

        >>> import relabel_hdf5
        >>> maps = relabel_hdf5.open("dataset")
        >>> goldfish = maps["n01443537/n01443537_00069"]  # by key, or by position: maps[15]
        >>> goldfish.class_index.shape  # rows, columns, classes kept in a cell
        (15, 15, 5)
        >>> maps.classes[goldfish.class_index[7, 7, 0]].name
        'goldfish, Carassius auratus'
        >>> maps.targets([3, 17], [(0, 0, 1, 1), (0.1, 0.1, 0.4, 0.4)]).shape  # a crop of each
        (2, 1000)

    You may use them from any thread and in forked processes. Unpickling opens the files again by path. Positions
    count from 0 through the shards in the order of the index.
    """

    def __init__(self, path: str, engine: Engine) -> None:
        self.path = path
        """Where the maps are: a shard, or the folder of a dataset."""
        self._engine = engine
        self._count = int(engine.first[-1])
        self._fingerprint: str | None = None
        self._views: Views | None = None
        self._target_error: TargetError | None = None
        self._has_target_error = False
        self._lookup = Lookup(path, self._count, partial(_read_keys, engine), partial(_check_keys, engine))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<LabelMaps of {self._count} images in {self.path!r}>"

    def _repr_html_(self) -> str:
        from .showing.maps_html import maps_html

        return maps_html(self)

    def __enter__(self) -> LabelMaps:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[LabelMap]:
        return (self[position] for position in range(self._count))

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self._engine.identity)

    def close(self) -> None:
        """Closes all files; reading raises `UsageError` from now on."""
        self._engine.close()
        if self._views is not None:
            self._views.table.close()

    @property
    def views(self) -> Views:
        """The views that the rows are, where they are labels of crops and not of whole pictures.

        Raises `UsageError` where the rows are images.
        """
        if self._views is None:
            from .views import Views  # which few need, and which loads h5py

            self._views = Views(self)
        return self._views

    @property
    def header(self) -> Header:
        """What the shards say about all of their maps."""
        return self._engine.header_at(np.empty(0, np.int64))

    @property
    def target_error(self) -> TargetError | None:
        """How far targets of maps of factors are from those of all scores, as measured when they were packed.

        The first use opens every shard. None where a shard does not say it, as one of classes. Raises a `RelabelError`
        for numbers that no measurement gives.
        """
        if not self._has_target_error:
            from .target_error import of_shards  # which few need

            self._target_error, self._has_target_error = of_shards(self._engine.paths), True
        return self._target_error

    @property
    def classes(self) -> tuple[ClassEntry, ...] | None:
        """The class table by class id, or None if the packer was given no class list."""
        return self.header.classes

    @property
    def fingerprint(self) -> str:
        """A digest that is the same for every copy of these maps, and differs once any label or its meaning changes.

        The fingerprint is computed from the shards' SHA-256 in the index (see `relabel_hdf5/fingerprint.py`), so no
        shard is read. `relabel-verify` checks that the files still have these digests. A lone shard has the
        fingerprint of a dataset that holds only this shard; the shard is read once, at the first use. Raises
        `CorruptError` if the index or the lone shard was replaced after it was opened.
        """
        if self._fingerprint is None:
            self._fingerprint = self._fingerprinted()
        return self._fingerprint

    @property
    def chunks(self) -> Positions:
        """Where chunks begin: chunk j holds the positions chunks[j] … chunks[j+1] - 1 (section 14.2)."""
        size, firsts = self._engine.images_per_chunk, self._engine.first
        starts = [np.arange(first, end, size) for first, end in zip(firsts[:-1], firsts[1:])]
        return np.concatenate([*starts, firsts[-1:]])

    def __contains__(self, key: object) -> bool:
        """Whether there is an image with this key; False for a value that is not a string, as in a dict."""
        return isinstance(key, str) and self._lookup.has(key)

    def __getitem__(self, index: SupportsIndex | str) -> LabelMap:
        """The map of one image, by position (negative as in lists) or key.

        Raises `PositionError` or `NotFoundError`; another `RelabelError` where its labels can't be trusted.
        """
        position = self._lookup.one(index)
        ids, scores, extent = self._engine.one(position)
        header = self.header
        found = LabelMap(ids, scores, extent, position, header, self)
        if not header.has_factors:
            return found
        batch = self._engine.maps(np.array([position]))
        return replace(found, class_factor=batch.class_factor[0], factor_scale=batch.factor_scale[0])

    def batch(self, indices: Indices) -> MapBatch:
        """The maps of several images, by position or key, in the order asked for; every chunk is read once.

        Raises as `maps[index]` does.
        """
        return self._engine.maps(self._lookup.several(indices))

    def stored(self, indices: Indices) -> StoredLabels:
        """Class ids and scores of several images as the file holds them; every chunk is read once.

        Scores that are stored as float16 come so, at half the memory of `batch`. Raises as `maps[index]` does.
        """
        return self._engine.stored(self._lookup.several(indices))

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
        if isinstance(threads, bool) or (threads := whole(threads, "threads")) < 1:
            raise UsageError(f"threads is {threads!r}, not a whole number of at least 1")
        positions = self._lookup.several(indices)
        try:
            return pool_stored(self._engine, positions, boxes, profile, outside, threads)
        except BoxError as error:
            if error.position is None:
                raise
            raise BoxError(error.args[0], file=self.path, key=self.key(error.position)) from None

    def _fingerprinted(self) -> str:
        from . import fingerprint  # which loads OpenSSL and JSON, when it is asked for

        identity = self._engine.identity
        if len(identity) == 1:
            return fingerprint.of_dataset(self.path, *identity)
        return fingerprint.of_shard(self.path, identity[-1])

    def position(self, key: str) -> int:
        """The position of the image with a key; raises `NotFoundError`.

        Raises `UsageError` for an image that has several views: `views.of` has the positions of all of them.
        """
        return self._lookup.one(str(key))

    def positions_of(self, key: str) -> Positions:
        """The positions of all rows of the image with a key, ascending: one, or its views; raises `NotFoundError`."""
        return self._lookup.all_of(str(key))

    def positions(self, keys: Sequence[str]) -> Positions:
        """The positions of the images with some keys, -1 where there is none.

        The first call reads all keys and keeps 13 bytes an image of them. A shard that can't be read hides its own
        images only: what is wrong with it is raised for a key that no other shard has.
        """
        return self._lookup.keys(keys)

    def checked_positions(self, positions: Any) -> Positions:
        """Positions as int64 counted from 0; raises `PositionError` for one that no row has, `UsageError` for other things."""
        found = np.asarray(positions)
        return self._lookup.several(found if len(found) else found.astype(np.int64))

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells these maps from others at their path, also on another machine and by another engine."""
        return self._engine.identity

    def key(self, position: SupportsIndex) -> str:
        """The key of the image at a position."""
        return self._engine.key(self._lookup.one(position))

    def keys(self) -> Iterator[str]:
        """All keys, in the order of positions."""
        return self._engine.keys()

    def image_index(self, position: SupportsIndex) -> int:
        """The place in the source listing of the image at a position."""
        return self._engine.image_index(self._lookup.one(position))

    def image_indexes(self) -> Positions:
        """The places in the source listing of all images, in the order of positions."""
        return self._engine.image_indexes()


def _read_keys(engine: Engine) -> tuple[KeyTable | KeyRuns, int | None]:
    """The table of the keys that can be read, and the first shard that can't be; raises V010 or M007 where two
    images have the same, which views may."""
    first = engine.first
    unread: list[int] = []
    blocks = _blocks_of_keys(engine, unread)
    begin: list[Array | int] = []
    for block in blocks:
        begin.append(block)
        if not isinstance(block, int):
            break
    # Asked while the shard of that block is open, so that none has to stay open for it.
    if begin and not isinstance(begin[-1], int) and engine.header_at(np.empty(0, np.int64)).has_views:
        return KeyRuns(int(first[-1]), chain(begin, blocks)), min(unread, default=None)
    table = KeyTable(int(first[-1]), chain(begin, blocks))
    if not (repeated := table.repeated()):
        return table, min(unread, default=None)
    earlier, later = repeated
    if engine.key(earlier) != engine.key(later):
        return _read_keys(engine)  # two keys have one digest by chance: with another secret they don't
    one, other = np.searchsorted(first, repeated, "right") - 1
    message = f"the images at positions {earlier} and {later} have the same key"
    place = {"file": engine.paths[other], "dataset": "image_key", "row": int(later - first[other])}
    raise violation("V010" if one == other else "M007", message, **place)


def _check_keys(engine: Engine, shard: int) -> None:
    """Raises what is wrong with a shard whose keys could not be read."""
    for _ in engine.stored_keys(shard):
        pass


def _blocks_of_keys(engine: Engine, unread: list[int]) -> Iterator[Array | int]:
    """All keys, the number of those that can't be read in their place; notes their shards."""
    for shard, rows in enumerate(np.diff(engine.first).tolist()):
        try:
            for block in engine.stored_keys(shard):
                yield block
                rows -= len(block)
        except UsageError:
            raise  # the maps are closed
        except (RelabelError, OSError):
            unread.append(shard)  # whoever asks for a key that no other shard has is told why
            yield rows


def _reopen(path: str, identity: tuple[Any, ...]) -> LabelMaps:
    maps = open(path)
    if maps._engine.identity != identity:
        raise CorruptError("what lies here now is not what was opened", file=path)
    return maps
