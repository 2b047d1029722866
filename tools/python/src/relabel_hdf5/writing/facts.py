"""What a writer may be told of an image beside its map: the optional HDF5 datasets (spec, section 4.5)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..layout import OPTIONAL, VIEW_COLUMNS
from .records import FIELDS
from .view_stream import ViewStream

Array = npt.NDArray[Any]


UNKNOWN: dict[str, Any] = {
    "view_flip": 255, "replay": (-1, -1, -1), "mixup_lambda": math.nan, "mixup_partner": (-1, -1), "cutmix_lambda": math.nan,
    "cutmix_box": (-1, -1, -1, -1), "cutmix_partner": (-1, -1),
}  # fmt: skip
"""What stands for None in the fields of views: nobody knows, or there is nothing."""


def facts_of(
    given: Mapping[str, Any],
    count: int,
    grid: tuple[int, int],
    fields: Sequence[str],
    views: ViewStream | None = None,
) -> dict[str, Array]:
    """The rows of each field in their stored types, in the order of `FIELDS`.

    `given` has one value for each of `count` images, or None where the field is not used.
    """
    rows: dict[str, Array] = {}
    for name in FIELDS:
        if name == "operations" and name in fields:
            assert views is not None
            rows[name] = _operations(given[name], count, views.operations_bytes)
        elif name in fields:
            rows[name] = _rows(name, given[name], count, grid)
    if views is not None:
        _check_views(rows, views)
    return rows


def completed(given: Mapping[str, Any], fields: Sequence[str], count: int) -> dict[str, Any]:
    """The values with None in each row of a field of views that is used, not given, and may be unknown."""
    missing = [name for name in fields if given.get(name) is None and (name in UNKNOWN or name == "operations")]
    return {**given, **{name: [None] * count for name in missing}}


def fields_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that are given, in the order of `FIELDS`."""
    return tuple(name for name in FIELDS if given.get(name) is not None)


def _rows(name: str, values: Any, count: int, grid: tuple[int, int]) -> Array:
    if name == "image_sha256":
        return np.stack([_digest(value) for value in values]).reshape(count, 32)
    if name in UNKNOWN and isinstance(values, (list, tuple)):
        values = [UNKNOWN[name] if value is None else value for value in values]
    # Tensors as arrays, whatever device they are on.
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, (list, tuple)):
        values = [value.detach().cpu() if hasattr(value, "detach") else value for value in values]
    found = np.asarray(values)
    column = next(column for column in (*OPTIONAL, *VIEW_COLUMNS) if column.name == name)
    kind = np.dtype(column.types[0]).newbyteorder("<")
    shape = (count, *(grid if name == "log_normalizer" else column.tail))
    if kind.kind == "u" and kind.itemsize == 1 and found.dtype.kind == "b":
        found = found.astype(np.uint8)  # a flip is a yes or no
    if found.shape != shape:
        raise UsageError(f"{name} has the shape {list(found.shape)} for {count} images, not {list(shape)}")
    kinds = "iuf" if kind.kind == "f" else "iu"
    if found.dtype.kind not in kinds and found.size:
        raise UsageError(f"{name} holds {found.dtype}, not {'numbers' if kind.kind == 'f' else 'whole numbers'}")
    limits = None if kind.kind == "f" else np.iinfo(kind)
    if limits is not None and found.size and not limits.min <= found.min() <= found.max() <= limits.max:
        raise UsageError(f"{name} holds {found.min()} to {found.max()}, more than {kind} has")
    return np.ascontiguousarray(found, kind)


def _operations(values: Any, count: int, width: int) -> Array:
    """Operations as JSON texts of one width; None and {} are none."""
    texts = [_text(value) for value in values]
    if len(texts) != count:
        raise UsageError(f"there are {len(texts)} operations for {count} images")
    if (longest := max(map(len, texts), default=0)) > width:
        raise UsageError(f"the operations of a view have {longest} bytes: say operations_bytes={longest} or more")
    return np.array(texts, f"S{width}").view(np.uint8).reshape(count, width)  # one text of it would lose its padding


def _text(value: Any) -> bytes:
    if not value:
        return b""
    try:
        found = json.loads(value) if isinstance(value, str) else value
        text = json.dumps(found, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise UsageError(f"operations are a JSON object, or its text: {error}") from error
    if not isinstance(found, Mapping):
        raise UsageError(f"operations are a JSON object, not {found!r}")
    return text


def _check_views(rows: dict[str, Array], views: ViewStream) -> None:
    """Refuses what would not come back as the source had it, or could not be told from nothing."""
    boxes = rows.get("view_box")
    if boxes is not None and views.box_type in ("float16", "float32"):
        with np.errstate(over="ignore"):
            is_exact = boxes.astype(views.box_type).astype(np.float64) == boxes
        if not is_exact.all():
            worst = boxes[~is_exact.all(-1)][0].tolist()
            raise UsageError(f"the box {worst} is not of {views.box_type} numbers: box_type is what the source has")
    for name in ("mixup_lambda", "cutmix_lambda"):
        if name in rows:  # whatever NaN was given, one of them stands for "not mixed"
            rows[name] = np.where(np.isnan(rows[name]), math.nan, rows[name])


def _digest(value: Any) -> Array:
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    except (TypeError, ValueError):
        digest = b""
    if len(digest) != 32:
        raise UsageError("image_sha256 is 32 bytes or 64 hexadecimal digits, as hashlib.sha256 gives them")
    return np.frombuffer(digest, np.uint8)
