"""What a writer may be told of an image beside its map: the optional HDF5 datasets (spec, section 4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .records import FIELDS

Array = npt.NDArray[Any]


def facts_of(
    given: Mapping[str, Any], count: int, grid: tuple[int, int], fields: Sequence[str]
) -> dict[str, Array]:
    """The rows of each field in their stored types, in the order of `FIELDS`.

    `given` has one value for each of `count` images, or None where the field is not used.
    """
    return {name: _rows(name, given[name], count, grid) for name in FIELDS if name in fields}


def fields_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that are given, in the order of `FIELDS`."""
    return tuple(name for name in FIELDS if given.get(name) is not None)


def _rows(name: str, values: Any, count: int, grid: tuple[int, int]) -> Array:
    if name == "image_sha256":
        return np.stack([_digest(value) for value in values]).reshape(count, 32)
    # Tensors as arrays, whatever device they are on.
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, (list, tuple)):
        values = [value.detach().cpu() if hasattr(value, "detach") else value for value in values]
    found = np.asarray(values)
    kind, shape = {
        "image_size": ("<u4", (count, 2)), "source_label": ("<i4", (count,)), "map_extent": ("<f4", (count, 4)),
        "log_normalizer": ("<f4", (count, *grid)),
    }[name]  # fmt: skip
    if found.shape != shape:
        raise UsageError(f"{name} has the shape {list(found.shape)} for {count} images, not {list(shape)}")
    kinds = "iuf" if kind == "<f4" else "iu"
    if found.dtype.kind not in kinds:
        raise UsageError(f"{name} holds {found.dtype}, not {'numbers' if kind == '<f4' else 'whole numbers'}")
    limits = None if kind == "<f4" else np.iinfo(kind)
    if limits is not None and found.size and not limits.min <= found.min() <= found.max() <= limits.max:
        raise UsageError(f"{name} holds {found.min()} to {found.max()}, more than {np.dtype(kind)} has")
    return np.ascontiguousarray(found, kind)


def _digest(value: Any) -> Array:
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    except (TypeError, ValueError):
        digest = b""
    if len(digest) != 32:
        raise UsageError("image_sha256 is 32 bytes or 64 hexadecimal digits, as hashlib.sha256 gives them")
    return np.frombuffer(digest, np.uint8)
