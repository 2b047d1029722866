"""LabelPooling: from label maps and crop boxes to targets (spec, section 13)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .boxes import Maps, box_array, box_axes, how_to_pool
from .engines.arrays import pool_arrays
from .engines.base import Engine
from .keys import Positions
from .labels import LabelMap


def label_pooling(maps: Maps, boxes: Any, profile: str | None = None, outside: str = "error") -> Any:
    """Pools crops into targets: a probability for each class, float32 (spec, section 13).

        >>> import relabel_hdf5
        >>> goldfish = relabel_hdf5.open("dataset")["n01443537/n01443537_00069"]
        >>> target = relabel_hdf5.label_pooling(goldfish, (0.1, 0.1, 0.4, 0.4))  # top, left, height, width
        >>> int(target.argmax()), round(float(target.max()), 3)
        (1, 0.567)

    `boxes` are (top, left, height, width) in fractions of the original picture, float64: one for each
    image [B, 4] or several [B, n, 4]. The targets are [B, C] or [B, n, C]. A single `LabelMap` has no axis B,
    and neither have its boxes and targets. A batch of tensors gives tensors on its device, else targets are
    NumPy arrays.

    `profile` is None, `relabel` or `relabel-2021` (section 13.1). `outside` says what happens to a box that
    leaves the part of the picture that the map covers. `error` refuses the box. `clamp` cuts the box and
    returns `(targets, covered)`; `covered` is the share of each box that was left, float64 [B] or [B, n].

    Raises `BoxError` for an invalid box and names its image. Raises `UsageError` for maps of unknown
    orientation without a profile, and for arguments that don't fit each other. Tensors on another device than
    the CPU are not checked, since checking would stop the device: where a box, a class id or a score there is
    bad, or a cell has a class twice, the target is NaN.
    """
    transposed, clamp = how_to_pool(maps.header, profile, outside)
    if not hasattr(boxes, "detach"):
        boxes = box_array(boxes)
    shape = tuple(boxes.shape[:-1])
    boxes = boxes.reshape(*box_axes(None if isinstance(maps, LabelMap) else len(maps), boxes), 4)
    targets: Any
    covered: Any
    if isinstance(maps, LabelMap) or isinstance(maps.score, np.ndarray):
        targets, covered = pool_arrays(maps, box_array(boxes), transposed, clamp)
    else:
        from .pooling_torch import pool_tensors

        targets, covered = pool_tensors(maps, boxes, transposed, clamp)
    targets = targets.reshape(*shape, maps.header.num_classes)
    return (targets, covered.reshape(shape)) if clamp else targets


def pool_stored(
    engine: Engine, positions: Positions, boxes: Any, profile: str | None, outside: str, threads: int
) -> Any:
    """What `label_pooling` gives for the maps at some positions, from storage to targets by one engine."""
    header = engine.header_at(positions)
    _, clamp = how_to_pool(header, profile, outside)
    boxes = box_array(boxes)
    shape = tuple(boxes.shape[:-1])
    boxes = boxes.reshape(*box_axes(len(positions), boxes), 4).astype(np.float64, copy=False)
    targets, covered = engine.targets(positions, boxes, profile, clamp, threads)
    targets = targets.reshape(*shape, header.num_classes)
    return (targets, covered.reshape(shape)) if clamp else targets
