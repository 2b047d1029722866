"""The Swift engine: the Swift library opens, checks, reads and pools; nothing is opened here."""

from __future__ import annotations

import ctypes
import json
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import open_files
from ..errors import RelabelError
from ..gate import Gate
from ..header import Extent, Header
from ..keys import Array, Positions
from ..labels import MapBatch, StoredLabels
from .library import failure
from .swift_arrays import StoredForm, room_for_targets

_BLOCK = 8192
"""Images whose keys or indexes are asked for at once."""

_NUMBERS = ("temperature", "step", "offset")


class SwiftEngine:
    """Reads by the Swift library, which notices a fork by itself (see `engines.base.Engine`)."""

    def __init__(self, library: ctypes.CDLL, path: str) -> None:
        self._library = library
        self._path = path
        self._maps: int = open_files.opened(self._opened)
        self._gate = Gate(path, partial(library.relabel_close, self._maps))
        listing = json.loads(self._made(library.relabel_listing(self._maps)))
        self._shards: list[dict[str, Any]] = listing["shards"]
        self._index: dict[str, Any] | None = listing["index"]
        self.paths: list[str] = [shard["path"] for shard in self._shards]
        self.first: Positions = np.array([0, *(shard["rows"] for shard in self._shards)], np.int64).cumsum()
        self._ends: list[int] = self.first[1:].tolist()
        self._description: dict[str, Any] | None = None
        self._header: Header | None = None
        self._used: dict[int, int] = {}  # the shards that may be open, and when each was last used
        self._last: MapBatch | None = None
        self._form: StoredForm | None = None
        open_files.add(self)

    @property
    def identity(self) -> tuple[Any, ...]:
        """The digest of the index, or what the shard says of its build and size."""
        if self._index:
            return (self._index["sha256"],)
        header, shard = self.header_at(self.first[:0]), self._shards[0]
        return header.build_id, header.metadata_sha256, shard["rows"], shard["bytes"]

    def header_at(self, positions: Positions) -> Header:
        """What the shards say of all maps."""
        if self._header is None:
            self._describe(int(positions.min()) if len(positions) else -1)
        self._gate.check()
        assert self._header is not None
        return self._header

    @property
    def images_per_chunk(self) -> int:
        """Images of a chunk of labels."""
        return int(self._describe(-1)["images_per_chunk"])

    def one(self, position: int) -> tuple[Array, npt.NDArray[np.float32], Extent]:
        """Class ids, decoded scores and extent of one image; the arrays are the caller's own."""
        self._gate.check()
        maps = self._last
        if maps is None or not maps.positions[0] <= position <= maps.positions[-1]:
            maps = self._last = self._near(position, maps)
        place = position - maps.positions[0]
        top, left, height, width = maps.extent[place].tolist()
        return maps.class_index[place].copy(), maps.score[place].copy(), (top, left, height, width)

    def maps(self, positions: Positions) -> MapBatch:
        """The maps at some positions, in the order given; every chunk is read once."""
        header, positions = self.header_at(positions), np.ascontiguousarray(positions)
        id_type = np.dtype(self._describe(-1)["id_type"])
        shape = (len(positions), *header.shape)
        ids, scores, extents = np.empty(shape, id_type), np.empty(shape, np.float32), np.empty((shape[0], 4))

        def read(positions: Positions, ids: Array, scores: Array, extents: Array) -> None:
            self._call(
                "relabel_read", positions.ctypes.data, len(positions), 1, ids.ctypes.data, id_type.itemsize,
                scores.ctypes.data, extents.ctypes.data,
            )

        self._in_parts(positions, [positions], [ids, scores, extents], read)
        return MapBatch(ids, scores, extents, positions, header, *self._factors(positions, header))

    def _factors(self, positions: Positions, header: Header) -> tuple[Array | None, Array | None]:
        """What the factors of maps say of classes, and their scales; nothing where maps have classes."""
        if not header.has_factors:
            return None, None
        numbers = np.empty((len(positions), header.top_k, header.num_classes), np.uint8)
        scales = np.empty((len(positions), header.top_k), np.float32)

        def read(positions: Positions, numbers: Array, scales: Array) -> None:
            self._call(
                "relabel_read_factors", positions.ctypes.data, len(positions), 1, numbers.ctypes.data, scales.ctypes.data
            )

        self._in_parts(positions, [positions], [numbers, scales], read)
        return numbers, scales

    def stored(self, positions: Positions) -> StoredLabels:
        """Class ids and scores as the files hold them, in the order given; every chunk is read once."""
        header, positions = self.header_at(positions), np.ascontiguousarray(positions)
        form = self._form = self._form or StoredForm.of(header, self._describe(-1)["id_type"])
        ids, scores = form.room(len(positions))

        def read(positions: Positions, ids: Array, scores: Array) -> None:
            self._call(
                "relabel_read_stored", positions.ctypes.data, len(positions), 1,
                None if form.all_ids else ids.ctypes.data, ids.itemsize, scores.ctypes.data, scores.itemsize,
            )

        self._in_parts(positions, [positions], [ids, scores], read)
        return StoredLabels(ids, scores)

    def targets(
        self, positions: Positions, boxes: npt.NDArray[np.float64], profile: str | None, clamp: bool, threads: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Targets [B, n, C] and covered shares [B, n] of boxes [B, n, 4]."""
        header = self.header_at(positions)
        positions, boxes = np.ascontiguousarray(positions), np.ascontiguousarray(boxes)
        targets, covered = room_for_targets(boxes, header)

        def pool(positions: Positions, boxes: Array, targets: Array, covered: Array) -> None:
            self._call(
                "relabel_pool", positions.ctypes.data, boxes.ctypes.data, len(boxes), boxes.shape[1],
                profile.encode() if profile else None, clamp, threads, targets.ctypes.data, covered.ctypes.data,
            )

        self._in_parts(positions, [positions, boxes], [targets, covered], pool)
        return targets, covered

    def key(self, position: int) -> str:
        """The key of one image."""
        self._make_room([bisect_right(self._ends, position)], open_files.limit())
        width = self._describe(position)["key_bytes"]
        key, wanted = ctypes.create_string_buffer(width), ctypes.c_int64(position)
        open_files.opened(lambda: self._call("relabel_keys", ctypes.byref(wanted), 1, key, width))
        return key.value.decode()

    def keys(self) -> Iterator[str]:
        """All keys, in the order of positions."""
        for shard in range(len(self._shards)):
            yield from (key.decode() for block in self.stored_keys(shard) for key in block.tolist())

    def stored_keys(self, shard: int) -> Iterator[Array]:
        """The bytes of the keys of a shard, block by block."""
        return map(self._keys, self._blocks(shard))

    def image_index(self, position: int) -> int:
        """The place of one image in the source listing."""
        self._make_room([bisect_right(self._ends, position)], open_files.limit())
        index, wanted = ctypes.c_int64(), ctypes.c_int64(position)
        open_files.opened(lambda: self._call("relabel_image_indexes", ctypes.byref(wanted), 1, ctypes.byref(index)))
        return index.value

    def image_indexes(self) -> Positions:
        """The places of all images in the source listing."""
        blocks = (block for shard in range(len(self._shards)) for block in self._blocks(shard))
        return np.concatenate([np.empty(0, np.int64), *map(self._image_indexes, blocks)])

    def close(self) -> None:
        """Closes all files, when nobody reads them any more."""
        self._last = None
        self._gate.close()

    def let_go(self) -> None:
        """Closes the shards that are open; each is opened again when it is needed."""
        for number in list(self._used):
            if not self._gate.is_closed:
                self._close_shard(number)

    def __del__(self) -> None:
        if hasattr(self, "_gate"):
            self.close()

    def _opened(self) -> int:
        maps: int | None = self._library.relabel_open(os.fsencode(self._path))
        if not maps:
            raise failure(self._library)
        return maps

    def _call(self, function: str, *arguments: Any) -> None:
        """Calls a function of the library on these maps, which nobody closes meanwhile."""
        with self._gate:
            if getattr(self._library, function)(self._maps, *arguments):
                raise failure(self._library)

    def _close_shard(self, number: int) -> None:
        self._used.pop(number, None)
        self._call("relabel_close_shard", number)

    def _in_parts(
        self, positions: Positions, given: list[Array], found: list[Array], work: Callable[..., None]
    ) -> None:
        """Does work on arrays, at once where few enough shards hold the positions, else shard by shard."""
        numbers, room = self.first[1:].searchsorted(positions, "right"), open_files.limit()
        is_one = len(numbers) and (numbers == numbers[0]).all()
        shards = [int(numbers[0])] if is_one else sorted(set(numbers.tolist()))
        if len(shards) <= room:
            self._make_room(shards, room)
            return open_files.opened(partial(work, *given, *found))
        for start in range(0, len(shards), room):
            some = shards[start : start + room]
            self._make_room(some, room)
            places = np.flatnonzero((numbers >= some[0]) & (numbers <= some[-1]))
            parts, results = [array[places] for array in given], [array[places] for array in found]
            open_files.opened(partial(work, *parts, *results))
            for whole, result in zip(found, results, strict=True):
                if whole.flags.writeable:  # not what is the same for all maps
                    whole[places] = result
        return None

    def _make_room(self, numbers: list[int], room: int) -> None:
        """Closes the shards used least recently, so that no more than `room` are open with the ones asked for."""
        now = next(open_files.clock)
        if len(self._used) + len(numbers) <= room:
            self._used.update(dict.fromkeys(numbers, now))
            return
        used = dict(self._used)
        idle = [number for number in used if number not in numbers]
        if (excess := len(idle) + len(numbers) - room) > 0:
            for number in sorted(idle, key=used.__getitem__)[:excess]:
                self._close_shard(number)
        self._used.update(dict.fromkeys(numbers, now))

    def _made(self, text: bytes | None) -> bytes:
        if text is None:
            raise failure(self._library)
        return text

    def _describe(self, position: int) -> dict[str, Any]:
        """What the shards say of their maps: by one that is open, or the one that holds a position."""
        if self._description is None:
            with self._gate:
                text = self._made(self._library.relabel_describe(self._maps, position))
            self._used.setdefault(bisect_right(self._ends, max(position, 0)), next(open_files.clock))
            found = json.loads(text)
            # What only views have the library leaves out where there are none.
            named = {name: found[name] for name in Header.__dataclass_fields__ if name in found}
            named["has_views"] = "views" in found["features_required"]
            named["has_factors"] = "factors" in found["features_required"]
            numbers = {name: None if named[name] is None else float(named[name]) for name in _NUMBERS}
            extent = {"map_extent": tuple(map(float, named["map_extent"]))}
            if named.get("view_size") is not None:
                named["view_size"] = tuple(map(int, named["view_size"]))
            if named.get("factor_quality") is not None:
                named["factor_quality"] = float(named["factor_quality"])
            self._header = Header(**named | numbers | extent)
            self._description = found
        return self._description

    def _near(self, position: int, last: MapBatch | None) -> MapBatch:
        """The map of an image; those of its chunk, where what was read last is of that chunk or beside it."""
        if last is not None:
            number = bisect_right(self._ends, position)
            size = self.images_per_chunk
            begin = position - (position - int(self.first[number])) % size
            end = min(begin + size, self._ends[number])
            if last.positions[0] <= end and begin - 1 <= last.positions[-1]:
                try:
                    return self.maps(np.arange(begin, end))
                except RelabelError:
                    pass  # it may be about another image
        return self.maps(np.array([position]))

    def _blocks(self, shard: int) -> Iterator[Positions]:
        """All positions of a shard, which is closed when all were asked for and it was not open before."""
        start, end, was_used = int(self.first[shard]), self._ends[shard], shard in self._used
        self._describe(start)
        for begin in range(start, end, _BLOCK):
            yield np.arange(begin, min(begin + _BLOCK, end))
        if self._index and not was_used:
            self._close_shard(shard)

    def _keys(self, positions: Positions) -> Array:
        keys = np.empty(len(positions), f"S{self._describe(-1)['key_bytes']}")
        open_files.opened(
            lambda: self._call("relabel_keys", positions.ctypes.data, len(positions), keys.ctypes.data, keys.itemsize)
        )
        return keys

    def _image_indexes(self, positions: Positions) -> Positions:
        indexes = np.empty(len(positions), np.int64)
        open_files.opened(
            lambda: self._call("relabel_image_indexes", positions.ctypes.data, len(positions), indexes.ctypes.data)
        )
        return indexes
