"""LabelPooling: from label maps and crop boxes to targets (spec, section 13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from . import geometry, native
from .errors import BoxError, UsageError
from .geometry import Floats
from .header import Header
from .labels import LabelMap, MapBatch

MAXIMUM_CLASSES = 1 << 24
"""The most classes that targets are made for."""

BLOCK = 1 << 18
"""Sums and entries that are worked on at a time: they fit into the cache of a core."""

Maps = MapBatch | LabelMap


def label_pooling(maps: Maps, boxes: Any, profile: str | None = None, outside: str = "error") -> Any:
    """The targets of crops: a probability for each class, float32 (spec, section 13).

    `boxes` are (top, left, height, width) in fractions of the original picture, float64: one for each
    image [B, 4] or several [B, n, 4]. The targets are [B, C] or [B, n, C]; for a single `LabelMap` the axis
    B is left out of both. They are NumPy arrays, or tensors on the device of a batch of tensors.

    `profile` is None, `relabel` or `relabel-2021` (section 13.1). `outside` says what becomes of a box that
    leaves the part of the picture that the map covers: `error`, or `clamp`, which cuts the box and returns
    `(targets, covered)`, covered being the share of each box that was left, float64 [B] or [B, n].

    Raises `BoxError` for a box that is none, naming the image, and `UsageError` for maps of unknown
    orientation without a profile and for arguments that don't fit each other. Tensors of another device
    than the CPU are not looked into, since that would stop the device: where a box or a class id there is
    bad, the target is NaN.
    """
    transposed, clamp = how_to_pool(maps.header, profile, outside)
    if not hasattr(boxes, "dtype"):
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


def box_array(boxes: Any) -> npt.NDArray[Any]:
    """Boxes as an array; tensors must be on the CPU."""
    try:
        return np.asarray(boxes)
    except (TypeError, ValueError) as error:
        raise UsageError(f"boxes are nothing that NumPy can read: {error}") from error


def pool_stored(
    stored: native.NativeMaps, header: Header, positions: npt.NDArray[np.int64], boxes: Any,
    profile: str | None, outside: str, threads: int,
) -> Any:
    """What `label_pooling` gives for the maps at some positions, from storage to targets by the Swift library."""
    _, clamp = how_to_pool(header, profile, outside)
    boxes = box_array(boxes)
    shape = tuple(boxes.shape[:-1])
    boxes = boxes.reshape(*box_axes(len(positions), boxes), 4).astype(np.float64, copy=False)
    targets, covered = stored.targets(positions, boxes, header, profile, clamp, threads)
    targets = targets.reshape(*shape, header.num_classes)
    return (targets, covered.reshape(shape)) if clamp else targets


def how_to_pool(header: Header, profile: str | None, outside: str) -> tuple[bool, bool]:
    """Whether axes are transposed and whether boxes are cut; raises `UsageError` for what is not defined."""
    if header.num_classes > MAXIMUM_CLASSES:
        raise UsageError(f"targets of {header.num_classes} classes are not pooled")
    return geometry.is_transposed(header, profile), geometry.is_clamped(outside)


def box_axes(count: int | None, boxes: Any) -> tuple[int, int]:
    """How many images there are and boxes for each; `count` is None for a single map without that axis.

    Raises `UsageError` where boxes don't fit the maps.
    """
    kind = str(boxes.dtype).removeprefix("torch.")
    if kind != "float64" and "int" not in kind:
        raise UsageError(f"boxes are {kind}: they must be float64, since rounding them changes the targets")
    axes, images, head = tuple(boxes.shape[:-1]), 1, ""
    if count is None:
        axes = (1, *axes)
    else:
        images, head = count, f"{count}, "
    if boxes.shape[-1:] != (4,) or len(axes) not in (1, 2) or axes[0] != images:
        raise UsageError(f"boxes have shape {list(boxes.shape)}, not [{head}4] or [{head}n, 4]")
    return images, axes[1] if len(axes) == 2 else 1


def check_boxes(maps: Maps, boxes: Any, rules: list[geometry.Rule]) -> None:
    """Raises `BoxError` for the first of boxes [B, n, 4] that breaks a rule."""
    kept = np.logical_and.reduce([np.asarray(mask) for mask, _ in rules])
    if kept.all():
        return
    image, number = np.argwhere(~kept)[0].tolist()
    reason = next(reason for mask, reason in rules if not mask[image, number])
    sides = tuple(float(side) for side in boxes[image, number])
    message = f"box {number}, (top, left, height, width) = {sides}: {reason}"
    if isinstance(maps, LabelMap):
        raise BoxError(message, key=maps.key)
    position = int(maps.positions[image])
    error = BoxError(f"image at position {position}, {message}")
    error.position = position
    raise error


def as_batch(maps: Maps) -> MapBatch:
    """A single map as a batch of one."""
    if isinstance(maps, MapBatch):
        return maps
    extent, position = np.array([maps.extent], np.float64), np.array([maps.position])
    return MapBatch(maps.class_index[None], maps.score[None], extent, position, maps.header)


def pool_arrays(
    maps: Maps, boxes: npt.NDArray[Any], transposed: bool, clamp: bool
) -> tuple[npt.NDArray[np.float32], Floats]:
    """The targets of boxes [B, n, 4], and the covered shares, by the Swift library where there is one."""
    batch = as_batch(maps)
    boxes = boxes.astype(np.float64, copy=False)
    check_boxes(maps, boxes, geometry.box_rules(boxes))
    inside, covered, rules = geometry.into_extent(boxes, batch.extent[:, None], clamp, np)
    check_boxes(maps, boxes, rules)
    check_ids(batch)
    swift = native.library()
    if swift is not None and batch.class_index.dtype.itemsize in (2, 4):
        return native.pool_arrays(swift, batch, boxes, transposed, clamp)
    return pool_with_numpy(batch, inside, transposed), covered


def pool_with_numpy(batch: MapBatch, boxes: Floats, transposed: bool) -> npt.NDArray[np.float32]:
    """The targets [B·n, C] of boxes [B, n, 4] in fractions of the extents."""
    header = batch.header
    top, height, left, width = geometry.axes_of_grid(boxes.reshape(-1, 4), transposed)
    rows = geometry.axis_weights(top, height, header.height)
    columns = geometry.axis_weights(left, width, header.width)
    image = np.arange(len(rows)) // max(1, boxes.shape[1])
    targets = np.empty((len(rows), header.num_classes), np.float32)
    for part in blocks(len(rows), header):
        weights = rows[part, :, None] * columns[part, None, :]
        sums = weighted_sums(header, batch.class_index[image[part]], batch.score[image[part]], weights)
        targets[part] = softmax(sums, header.temperature) if header.score_kind == "logit" else sums
    return targets


def check_ids(batch: MapBatch) -> None:
    """Raises `UsageError` for a class id that would be counted as another image's."""
    ids = batch.class_index
    if ids.max(initial=0) < batch.header.num_classes and ids.min(initial=0) >= 0:
        return
    bad = (ids < 0) | (ids >= batch.header.num_classes)
    image, y, x, rank = np.argwhere(bad)[0].tolist()
    raise UsageError(
        f"image at position {int(batch.positions[image])}, cell ({y}, {x}): class id "
        f"{ids[image, y, x, rank]} is not below the number of classes, {batch.header.num_classes}"
    )


def blocks(count: int, header: Header) -> Iterator[slice]:
    """Slices of so many boxes that their sums and entries stay in the cache."""
    size = max(1, BLOCK // (header.num_classes + header.height * header.width * header.top_k))
    return (slice(first, first + size) for first in range(0, count, size))


def weighted_sums(
    header: Header, ids: npt.NDArray[Any], scores: npt.NDArray[np.float32], weights: Floats
) -> Floats:
    """The pooled scores or probabilities [N, C] before any softmax (spec, section 13.4).

    Ids and scores are [N, H, W, k], the weights of the cells [N, H, W].
    """
    values: npt.NDArray[Any] = scores
    if header.score_kind == "log_probability":
        values = np.exp(scores, dtype=np.float64)
    rest = None
    absent = header.num_classes - header.top_k
    if header.fill == "uniform" and absent > 0:
        share = np.maximum(0, 1 - values.sum(-1, dtype=np.float64)) / absent
        rest = (weights * share).sum((1, 2))
        values = values - share[..., None]
    slots = ids.reshape(len(ids), -1) + np.arange(len(ids))[:, None] * header.num_classes
    parts = values * weights[..., None]
    counted = np.bincount(slots.ravel(), parts.ravel(), len(ids) * header.num_classes)
    sums = counted.reshape(len(ids), header.num_classes).astype(np.float64, copy=False)
    return sums if rest is None else sums + rest[:, None]


def softmax(sums: Floats, temperature: float) -> Floats:
    """The softmax of sums [N, C], in place; a class without entries has the sum 0, which is its logit."""
    sums /= temperature
    sums -= sums.max(1, keepdims=True)
    np.exp(sums, out=sums)
    sums /= sums.sum(1, keepdims=True)
    return sums
