"""LabelPooling of maps in memory: by the Swift library where it is found, else by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..boxes import Maps, as_batch, boxes_in_extents, check_cells, check_factors
from ..geometry import Floats
from . import library, swift_arrays
from .numpy.pooling import pool_with_numpy


def pool_arrays(
    maps: Maps, boxes: npt.NDArray[Any], transposed: bool, clamp: bool
) -> tuple[npt.NDArray[np.float32], Floats]:
    """The targets of boxes [B, n, 4], and the covered shares."""
    batch = as_batch(maps)
    check_cells(batch)
    check_factors(batch)
    boxes = boxes.astype(np.float64, copy=False)
    inside, covered = boxes_in_extents(maps, batch, boxes, clamp)
    loaded = library.library()
    if loaded is not None and batch.class_index.dtype.itemsize in (2, 4):
        return swift_arrays.pool_arrays(loaded, batch, boxes, transposed, clamp)
    return pool_with_numpy(batch, inside, transposed), covered
