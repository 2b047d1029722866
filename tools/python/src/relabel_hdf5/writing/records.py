"""Label maps as records of a stream (`spec/stream.md`): what a writer sends to the packer."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..layout import OPTIONAL, VIEW_COLUMNS

Array = npt.NDArray[Any]

MAGIC = b"\x89RLS\r\n\x1a\n"
SCORE_TYPES = {"float16": 1, "bfloat16": 2, "float32": 3}
"""The number of each type of scores."""
VIEW_FIELDS = tuple(column.name for column in VIEW_COLUMNS)
"""Those that only views have."""
FIELDS = tuple(column.name for column in OPTIONAL) + VIEW_FIELDS

_END, _SPARSE, _DENSE, _LEFT_OUT = 0, 1, 2, 3
_HEAD = struct.Struct("<IBBBBHHII")
_LAST = struct.Struct("<IB7xQ")
_HEAD_BYTES = _HEAD.size - 4


@dataclass(frozen=True)
class SparseMaps:
    """The best classes of each cell."""

    class_index: Array
    """Class ids [B, H, W, k]."""
    score: Array
    """Their scores, as many."""

    def __len__(self) -> int:
        return len(self.class_index)


@dataclass(frozen=True)
class DenseMaps:
    """The scores of all classes."""

    scores: Array
    """Scores [B, C, H, W]; bfloat16 as uint16."""
    score_type: str
    """`float16`, `bfloat16` or `float32`."""

    def __len__(self) -> int:
        return len(self.scores)


def header(
    num_classes: int,
    score_kind: str,
    orientation: str | None,
    fields: Sequence[str],
    centred: bool = False,
    of_views: Mapping[str, Any] | None = None,
) -> bytes:
    """What a stream begins with; `of_views` has the members that only streams of views have."""
    document: dict[str, Any] = {
        "format": "relabel-stream", "format_version": "1.0" if of_views is None else "1.1", "num_classes": num_classes,
        "score_kind": score_kind, **(of_views or {}),
    }  # fmt: skip
    if orientation is not None:
        document["orientation"] = orientation
    if centred:
        document["centred"] = True
    if fields:
        document["fields"] = list(fields)
    try:
        text = json.dumps(document, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UsageError(f"the document of the views is no JSON: {error}") from error
    return MAGIC + struct.pack("<I", len(text)) + text


def records(
    keys: Sequence[str], maps: SparseMaps | DenseMaps, facts: Mapping[str, Array], num_classes: int
) -> Iterator[bytes]:
    """One record for each map, in pieces.

    `facts` has the rows of each field, in the order of `FIELDS`, in their stored types.
    """
    if isinstance(maps, DenseMaps):
        rows, kind, id_bytes, number = [maps.scores], _DENSE, 0, SCORE_TYPES[maps.score_type]
        classes, height, width = maps.scores.shape[1:]
        grid = (height, width, classes)
    else:
        id_type = np.dtype("<u2" if num_classes <= 1 << 16 else "<u4")
        rows = [maps.class_index.astype(id_type), maps.score.astype("<f4")]
        kind, id_bytes, number = _SPARSE, id_type.itemsize, SCORE_TYPES["float32"]
        grid = maps.class_index.shape[1:]
    rows = [*facts.values(), *rows]
    row_bytes = sum(row[0].nbytes for row in rows) if len(maps) else 0
    for place, key in enumerate(keys):
        name = key.encode()
        size = _HEAD_BYTES + len(name) + row_bytes
        yield _HEAD.pack(size, kind, number, id_bytes, 0, *grid, len(name)) + name
        for row in rows:
            yield row[place].tobytes()


def left_out(key: str, reason: str) -> bytes:
    """The record of an image that has no map."""
    name, why = key.encode(), reason.encode()
    return _HEAD.pack(_HEAD_BYTES + len(name) + len(why), _LEFT_OUT, 0, 0, 0, 0, 0, 0, len(name)) + name + why


def end(count: int) -> bytes:
    """What a stream ends with: without it nothing is finished."""
    return _LAST.pack(_LAST.size - 4, _END, count)
