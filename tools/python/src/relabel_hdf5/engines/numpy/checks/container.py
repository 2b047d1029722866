"""Links, storage, types and sizes, before anything else of a shard is read (spec, section 3).

Nothing is opened by name before its link is known to be a hard link to an HDF5 dataset.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from h5py import h5d, h5f, h5l, h5o, h5p, h5s, h5z

from .... import layout
from ....errors import RelabelError, violation
from ..elements import Element, element
from .attributes import Attributes

_SMALLEST_CHUNK = 12
"""The fewest bytes a stored chunk can have: an empty zlib stream and a checksum."""
_LARGEST_RATIO = 1_100
"""No deflate stream holds more bytes for each of its own (1,032, and some to spare)."""
_FILTERS = {h5z.FILTER_SHUFFLE: "shuffle", h5z.FILTER_DEFLATE: "deflate", h5z.FILTER_FLETCHER32: "fletcher32"}
_STORAGES = {h5d.CONTIGUOUS: "contiguous", h5d.COMPACT: "compact", h5d.VIRTUAL: "virtual"}
_LINKS = {h5l.TYPE_SOFT: "soft link", h5l.TYPE_EXTERNAL: "link to another file"}
_OBJECTS = {h5o.TYPE_GROUP: "group", h5o.TYPE_NAMED_DATATYPE: "committed type"}


@dataclass(frozen=True)
class Description:
    """What an HDF5 dataset is made of, without its data."""

    id: Any
    element: Element
    shape: tuple[int, ...]
    limits: tuple[int | None, ...]
    """The largest length of each axis, None for one without limit."""
    chunk: tuple[int, ...]
    filters: tuple[str, ...]
    fill: bytes | None
    """The fill value that the creation list defines."""
    writes_fill: bool
    """False where the fill time is "never"."""
    attributes: Attributes

    @property
    def chunk_bytes(self) -> int:
        """Bytes of one decoded chunk."""
        return math.prod(self.chunk) * self.element.size


@dataclass(frozen=True)
class Container:
    """The objects of a shard."""

    root: Attributes
    datasets: dict[str, Description]


def check_container(file: h5f.FileID, file_bytes: int) -> Container:
    """The objects of an open file; raises a rule of family C for one that must not be read further."""
    names = _dataset_names(file)
    if (size := h5o.get_info(file).meta_size.obj).heap_size or size.index_size:
        raise violation("C005", "the links of the root group are in dense storage")
    root = Attributes(file)
    return Container(root, {name: _describe(file, name, file_bytes) for name in names})


def _dataset_names(file: h5f.FileID) -> list[str]:
    found: list[bytes] = []
    file.links.iterate(found.append)
    if len(found) > layout.MAXIMUM_DATASETS:
        raise violation("C006", f"the root group has more than {layout.MAXIMUM_DATASETS} links")
    names: dict[int, str] = {}
    for link in sorted(found):
        name = os.fsdecode(link)
        kind = file.links.get_info(link).type
        if kind != h5l.TYPE_HARD:
            raise _no_dataset(name, _LINKS.get(kind, "link of an unknown kind"))
        target = h5o.get_info(file, link)
        if target.addr in names:
            what = f"'{names[target.addr]}' and '{name}' are one dataset under two names"
            raise violation("C002", what, dataset=name)
        if target.type != h5o.TYPE_DATASET:
            raise _no_dataset(name, _OBJECTS.get(target.type, "object of an unknown kind"))
        names[target.addr] = name
    return list(names.values())


def _no_dataset(name: str, what: str) -> RelabelError:
    return violation("C002", f"'{name}' is a {what}; only datasets may stand in a shard", dataset=name)


def _describe(file: h5f.FileID, name: str, file_bytes: int) -> Description:
    dataset = h5d.open(file, os.fsencode(name), _without_cache())
    creation = dataset.get_create_plist()
    storage = creation.get_layout()
    if storage != h5d.CHUNKED:
        is_external = storage == h5d.CONTIGUOUS and creation.get_external_count() > 0
        kind = "external" if is_external else _STORAGES.get(storage, "of an unknown kind")
        raise violation("C003", f"storage is {kind}, not chunked", dataset=name)
    form = element(dataset.get_type())
    if not form.is_allowed:
        raise violation("C010", f"the elements are of type {form.name}", dataset=name)
    space = dataset.get_space()
    shape, chunk = space.get_simple_extent_dims(), creation.get_chunk()
    if fault := _size_fault(shape, chunk, form, file_bytes):
        raise violation("C006", fault, dataset=name)
    limits = space.get_simple_extent_dims(True)
    codes = [creation.get_filter(place)[0] for place in range(creation.get_nfilters())]
    return Description(
        id=dataset,
        element=form,
        shape=shape,
        limits=tuple(None if limit == h5s.UNLIMITED else limit for limit in limits),
        chunk=chunk,
        filters=tuple(_FILTERS.get(code, f"filter {code}") for code in codes),
        fill=_fill(creation, form),
        writes_fill=creation.get_fill_time() != h5d.FILL_TIME_NEVER,
        attributes=Attributes(dataset, name),
    )


def _without_cache() -> h5p.PropDAID:
    """Access without the library's cache of chunks, whose table takes 64 KiB: chunks are read past it."""
    access = h5p.create(h5p.DATASET_ACCESS)
    access.set_chunk_cache(1, 0, 0)
    return access


def _size_fault(
    shape: tuple[int, ...], chunk: tuple[int, ...], form: Element, file_bytes: int
) -> str | None:
    """Why the declared sizes are over the limits, or more than the file can hold (sections 3.11, 16)."""
    chunk_bytes = math.prod(chunk) * form.size
    if not 0 < chunk_bytes <= layout.MAXIMUM_CHUNK_BYTES:
        return f"a chunk of {chunk} elements is over the limit of 16 MiB"
    for axis, length in enumerate(shape[1:], 1):
        if length > layout.MAXIMUM_TOP_K:
            return f"axis {axis} has {length} elements, over any limit"
    chunks = shape[0] // chunk[0]
    if chunks > file_bytes // _SMALLEST_CHUNK or chunks * chunk_bytes // _LARGEST_RATIO > file_bytes:
        return f"{shape[0]} rows are declared, more than a file of {file_bytes} bytes can hold"
    return None


def _fill(creation: h5p.PropDCID, form: Element) -> bytes | None:
    if creation.fill_value_defined() != h5d.FILL_VALUE_USER_DEFINED:
        return None
    if form.dtype.kind == "S":
        return b""  # any text: none may be defined
    value = np.empty((), form.dtype)
    creation.get_fill_value(value)
    return value.tobytes()
