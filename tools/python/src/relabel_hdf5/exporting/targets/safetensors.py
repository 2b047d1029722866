"""Label maps as tensors of one .safetensors file."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidDataError
from ...versions import demand
from .. import losses
from ..options import Options
from ..source import Source
from . import filled
from .base import Job, OfViews
from .view_arrays import view_arrays

_WORDS = {"int32": "I32", "int64": "I64", "float32": "F32", "float64": "F64", "uint8": "U8"}


class Safetensors:
    """Tensors `class_index` and `score` [N, H, W, k], or dense ones, and `keys` [N, L]: UTF-8, zeros behind each key.

    The library makes a file from tensors in memory. Here the header is written first and the rows after it, so that
    memory does not grow; the library then opens the file and has to find what was meant.
    """

    name = "safetensors"
    summary = "one .safetensors with the same tensors as npz, and what the shards say"
    is_folder = False
    takes = frozenset({"dense"})
    of_views = OfViews.ROWS

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps."""
        import safetensors  # noqa: F401

        demand("safetensors")

    def losses(self, source: Source, options: Options) -> list[str]:
        """What tensors say nothing of; their file has room for what the shards say."""
        return [*(filled.loss(source.stored) if options.dense else []), *losses.of_maps(source, without=tuple(view_arrays(source)), dense=options.dense)]

    def write(self, job: Job) -> None:
        """Writes the header, then each block of rows at its places in all tensors."""
        shapes = _shapes(job)
        head, first = _head(shapes, job.about)
        starts = dict(zip(shapes, _starts(shapes)))
        with open(job.path, "xb") as file:
            file.write(head)

            def put(name: str, row: int, values: npt.NDArray[Any]) -> None:
                dtype, shape = shapes[name]
                file.seek(first + starts[name] + row * _bytes(dtype, shape[1:]))
                file.write(values.astype(dtype, copy=False).tobytes())

            width = shapes["keys"][1][1]
            facts = view_arrays(job.source)
            dense = job.options.dense
            for block in job.blocks(filled.array_bytes(job.source.header) if dense else 0):
                keys = np.array([key.encode() for key in block.keys], f"S{width}")
                put("keys", block.first, keys.view(np.uint8).reshape(len(keys), width))
                for name in facts:
                    put(name, block.first, block.columns[name])
                if dense:
                    put(filled.array_name(job.source.header), block.first, filled.filled(block.stored))
                else:
                    put("class_index", block.first, block.maps.class_index)
                    put("score", block.first, block.maps.score)
        _check(job, shapes)


_Shapes = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]


def _shapes(job: Job) -> _Shapes:
    header, count = job.source.header, len(job.source)
    found: _Shapes = {"keys": (np.dtype(np.uint8), (count, job.source.keys.longest))}
    if job.options.dense:
        found[filled.array_name(header)] = np.dtype(np.float32), (count, *filled.array_shape(header))
    else:
        # Signed, because that is what torch can index with.
        ids = np.int32 if header.num_classes <= 1 << 31 else np.int64
        found["class_index"] = np.dtype(ids), (count, *header.shape)
        found["score"] = np.dtype(np.float32), (count, *header.shape)
    found |= {name: (dtype, (count, *tail)) for name, (dtype, tail) in view_arrays(job.source).items()}
    # The format wants larger types first, so that each tensor begins at a multiple of its type.
    return dict(sorted(found.items(), key=lambda item: -item[1][0].itemsize))


def _bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    size = dtype.itemsize
    for length in shape:
        size *= length
    return size


def _starts(shapes: _Shapes) -> list[int]:
    sizes = [_bytes(dtype, shape) for dtype, shape in shapes.values()]
    return [sum(sizes[:place]) for place in range(len(sizes))]


def _head(shapes: _Shapes, about: dict[str, Any]) -> tuple[bytes, int]:
    """The header's bytes and their number: its length, JSON, and spaces up to a multiple of eight."""
    document: dict[str, Any] = {"__metadata__": {"relabel_export": json.dumps(about, ensure_ascii=False)}}
    for (name, (dtype, shape)), start in zip(shapes.items(), _starts(shapes)):
        end = start + _bytes(dtype, shape)
        document[name] = {"dtype": _WORDS[dtype.name], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, 8 + len(text)


def _check(job: Job, shapes: _Shapes) -> None:
    """Lets the library open what was written."""
    from safetensors import safe_open

    with safe_open(job.path, framework="numpy") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    if found != {name: shape for name, (_, shape) in shapes.items()}:
        raise InvalidDataError(f"safetensors finds other tensors than were written: {found}", file=str(job.path))
