"""The Swift library, used through its C interface where it is found; everything works without it.

`RELABEL_LIBRARY` names the library's file, or is `none` to use NumPy alone. Without it, the library is looked
for beside this package, in the build folder of a checkout, and where the system keeps libraries.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import (
    BoxError,
    CorruptError,
    NotFoundError,
    RelabelError,
    UnsafeError,
    UnsupportedError,
    UsageError,
    violation,
)
from .header import Header
from .labels import MapBatch

NAME = "libRelabelC.so"
VERSION = "0.1.0"

_Pointer, _Long, _Int, _Text = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32, ctypes.c_char_p
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "version": (_Text, []),
    "error": (_Text, []),
    "open": (_Pointer, [_Text]),
    "close": (None, [_Pointer]),
    "read": (_Int, [_Pointer, _Pointer, _Long, _Int, _Pointer, _Int, _Pointer, _Pointer]),
    "pool": (
        _Int,
        [_Pointer, _Pointer, _Pointer, _Long, _Long, _Text, _Int, _Int, _Pointer, _Pointer],
    ),
    "pooling_create": (
        _Pointer,
        [_Long, _Text, _Text, ctypes.c_double, _Text, _Long, _Long, _Long, _Text, _Int],
    ),
    "pooling_free": (None, [_Pointer]),
    "pool_arrays": (
        _Int,
        [_Pointer, _Pointer, _Int, _Pointer, _Pointer, _Pointer, _Long, _Long, _Int, _Pointer, _Pointer],
    ),
}
# Statuses of relabel.h.
_ERRORS: dict[int, type[RelabelError]] = {
    4: UnsafeError, 5: CorruptError, 6: UnsupportedError, 64: UsageError, 66: NotFoundError,
}


def engine() -> str:
    """Which code reads and pools: `numpy`, or `swift VERSION (FILE)`."""
    found = library()
    return f"swift {VERSION} ({found._name})" if found else "numpy"


@functools.cache
def library() -> ctypes.CDLL | None:
    """The library, or None. Raises `UsageError` where `RELABEL_LIBRARY` names one that can't be used."""
    named = os.environ.get("RELABEL_LIBRARY")
    if named == "none":
        return None
    if named:
        try:
            return _loaded(named)
        except (OSError, AttributeError, ValueError) as error:
            raise UsageError(f"RELABEL_LIBRARY can't be used: {error}", file=named) from error
    for path in _places():
        try:
            return _loaded(path)
        except (OSError, AttributeError, ValueError):
            continue
    return None


def _places() -> Iterator[str]:
    folder = pathlib.Path(__file__).resolve().parent
    yield from (str(path) for path in [folder / NAME] if path.exists())
    checkout = folder.parents[3]
    built = checkout / ".build" / "release" / NAME
    if (checkout / "Package.swift").exists() and built.exists():
        yield str(built)
    system = ctypes.util.find_library("RelabelC")
    if system:
        yield system


def _loaded(path: str) -> ctypes.CDLL:
    """The library at a path; ValueError where it is of another version than this package."""
    loaded = ctypes.CDLL(path)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, f"relabel_{name}")
        function.restype, function.argtypes = result, arguments
    version = loaded.relabel_version().decode()
    if version.split(" ")[0] != VERSION:
        raise ValueError(f"it is of version {version}, this package of {VERSION}")
    return loaded


class NativeMaps:
    """Label maps that the Swift library holds open; it notices a fork by itself."""

    def __init__(self, loaded: ctypes.CDLL, path: str) -> None:
        self._loaded = loaded
        self._maps = loaded.relabel_open(os.fsencode(path))
        if not self._maps:
            raise _failure(loaded, 5)

    def maps(
        self, positions: npt.NDArray[np.int64], header: Header, id_type: np.dtype[Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Class ids and decoded scores [B, H, W, k], and extents [B, 4]."""
        positions = np.ascontiguousarray(positions)
        shape = (len(positions), *header.shape)
        ids, scores, extents = np.empty(shape, id_type), np.empty(shape, np.float32), np.empty((shape[0], 4))
        status = self._loaded.relabel_read(
            self._maps, positions.ctypes.data, len(positions), 1, ids.ctypes.data, id_type.itemsize,
            scores.ctypes.data, extents.ctypes.data,
        )
        if status:
            raise _failure(self._loaded, status)
        return ids, scores, extents

    def targets(
        self, positions: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64], header: Header,
        profile: str | None, clamp: bool, threads: int,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Targets [B, n, C] and covered shares [B, n] of boxes [B, n, 4]."""
        positions, boxes = np.ascontiguousarray(positions), np.ascontiguousarray(boxes)
        targets = np.empty((*boxes.shape[:2], header.num_classes), np.float32)
        covered = np.empty(boxes.shape[:2])
        status = self._loaded.relabel_pool(
            self._maps, positions.ctypes.data, boxes.ctypes.data, len(boxes), boxes.shape[1],
            profile.encode() if profile else None, clamp, threads, targets.ctypes.data, covered.ctypes.data,
        )
        if status:
            raise _failure(self._loaded, status)
        return targets, covered

    def close(self) -> None:
        """Closes the files; nothing may be read any more."""
        if self._maps:
            self._loaded.relabel_close(self._maps)
            self._maps = None

    def __del__(self) -> None:
        self.close()


def pool_arrays(
    loaded: ctypes.CDLL, batch: MapBatch, boxes: npt.NDArray[np.float64], transposed: bool, clamp: bool,
    threads: int = 1,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Targets [B, n, C] and covered shares [B, n] of maps in memory and checked boxes [B, n, 4]."""
    header = batch.header
    pooling = loaded.relabel_pooling_create(
        header.num_classes, header.score_kind.encode(), header.fill.encode(), header.temperature,
        b"xy" if transposed else b"yx", header.height, header.width, header.top_k, b"relabel", clamp,
    )
    if not pooling:
        raise _failure(loaded, 64)
    try:
        ids = np.ascontiguousarray(batch.class_index)
        scores = np.ascontiguousarray(batch.score, np.float32)
        extents = np.ascontiguousarray(batch.extent, np.float64)
        boxes = np.ascontiguousarray(boxes)
        targets = np.empty((*boxes.shape[:2], header.num_classes), np.float32)
        covered = np.empty(boxes.shape[:2])
        status = loaded.relabel_pool_arrays(
            pooling, ids.ctypes.data, ids.dtype.itemsize, scores.ctypes.data, extents.ctypes.data,
            boxes.ctypes.data, len(boxes), boxes.shape[1], threads, targets.ctypes.data, covered.ctypes.data,
        )
    finally:
        loaded.relabel_pooling_free(pooling)
    if status:
        raise _failure(loaded, status)
    return targets, covered


def _failure(loaded: ctypes.CDLL, status: int) -> RelabelError:
    """The error that the library speaks of; its text names file, image and rule already."""
    message = loaded.relabel_error().decode()
    kind = BoxError if status == 64 and "box [" in message else _ERRORS.get(status, RelabelError)
    if not (rule := re.search(r" \[([A-Z]\d{3})\]$", message)):
        return kind(message)
    return violation(rule[1], message[: rule.start()])
