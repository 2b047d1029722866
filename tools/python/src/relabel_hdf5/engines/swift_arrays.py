"""LabelPooling of maps in memory by the Swift library."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from ..header import Header
from ..labels import MapBatch
from .library import failure


def pool_arrays(
    library: ctypes.CDLL, batch: MapBatch, boxes: npt.NDArray[np.float64], transposed: bool, clamp: bool,
    threads: int = 1,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Targets [B, n, C] and covered shares [B, n] of maps in memory and checked boxes [B, n, 4]."""
    header = batch.header
    pooling = library.relabel_pooling_create(
        header.num_classes, header.score_kind.encode(), header.classes_are.encode(), header.fill.encode(),
        header.temperature,
        b"xy" if transposed else b"yx", header.height, header.width, header.top_k, b"relabel", clamp,
    )
    if not pooling:
        raise failure(library)
    try:
        ids = np.ascontiguousarray(batch.class_index)
        scores = np.ascontiguousarray(batch.score, np.float32)
        extents = np.ascontiguousarray(batch.extent, np.float64)
        boxes = np.ascontiguousarray(boxes)
        targets, covered = room_for_targets(boxes, header)
        status = library.relabel_pool_arrays(
            pooling, ids.ctypes.data, ids.dtype.itemsize, scores.ctypes.data, extents.ctypes.data,
            boxes.ctypes.data, len(boxes), boxes.shape[1], threads, targets.ctypes.data, covered.ctypes.data,
        )
    finally:
        library.relabel_pooling_free(pooling)
    if status:
        raise failure(library)
    return targets, covered


def room_for_targets(
    boxes: npt.NDArray[np.float64], header: Header
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Memory for targets and covered shares of boxes [B, n, 4]."""
    return np.empty((*boxes.shape[:2], header.num_classes), np.float32), np.empty(boxes.shape[:2])
