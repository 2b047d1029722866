"""LabelPooling of maps in memory by the Swift library."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

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
        scores = np.ascontiguousarray(batch.score, np.float32)
        extents = np.ascontiguousarray(batch.extent, np.float64)
        boxes = np.ascontiguousarray(boxes)
        targets, covered = room_for_targets(boxes, header)
        crops = (
            extents.ctypes.data, boxes.ctypes.data, len(boxes), boxes.shape[1], threads, targets.ctypes.data,
            covered.ctypes.data,
        )  # fmt: skip
        if batch.class_factor is None:
            ids = np.ascontiguousarray(batch.class_index)
            status = library.relabel_pool_arrays(
                pooling, ids.ctypes.data, ids.dtype.itemsize, scores.ctypes.data, *crops
            )
        else:
            numbers = np.ascontiguousarray(batch.class_factor, np.uint8)
            scale = np.ascontiguousarray(batch.factor_scale, np.float32)
            status = library.relabel_pool_factors(
                pooling, scores.ctypes.data, numbers.ctypes.data, scale.ctypes.data, *crops
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


class StoredForm(NamedTuple):
    """How ids and scores of maps are stored."""

    shape: tuple[int, int, int]
    id_type: np.dtype[Any]
    score_type: np.dtype[Any]
    all_ids: bytes | None
    """The ids of one map where each has all classes in class order, so that none has to be read (section 4.10)."""

    @staticmethod
    def of(header: Header, id_type: str) -> StoredForm:
        """That of maps whose header is known."""
        ids = np.arange(header.num_classes, dtype=id_type)
        is_all = header.has_views and header.cell_order == "class" and header.top_k == header.num_classes
        all_ids = np.broadcast_to(ids, header.shape).tobytes() if is_all else None
        return StoredForm(
            header.shape, ids.dtype, np.dtype(np.float16 if header.encoding == "float16" else np.float32), all_ids
        )

    def room(self, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Memory for the ids and scores of so many maps; ids that nobody has to read are there."""
        shape = (count, *self.shape)
        scores = np.empty(shape, self.score_type)
        if self.all_ids is None:
            return np.empty(shape, self.id_type), scores
        _, width, k = self.shape
        size = self.id_type.itemsize
        strides = (0, width * k * size, k * size, size)
        return np.ndarray(shape, self.id_type, self.all_ids, strides=strides), scores
