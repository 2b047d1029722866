"""Boxes and maps as they are given to LabelPooling, and what is refused of them (spec, section 13.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import geometry
from .cells import is_distinct, is_finite
from .errors import BoxError, UsageError
from .factors import is_factor_scale
from .geometry import Floats
from .header import Header
from .labels import LabelMap, MapBatch

MAXIMUM_CLASSES = 1 << 24
"""The most classes that targets are made for."""

Maps = MapBatch | LabelMap


def box_array(boxes: Any) -> npt.NDArray[Any]:
    """Boxes as an array; tensors must be on the CPU."""
    refuse_masked("boxes", boxes)
    if hasattr(boxes, "detach"):
        boxes = boxes.detach()  # a target is no function of its box that anybody could learn by
    try:
        return np.asarray(boxes)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"boxes are nothing that NumPy can read: {error}") from error


def refuse_masked(name: str, values: Any) -> None:
    """Raises `UsageError` for a masked array, whose mask nobody would look at."""
    if isinstance(values, np.ma.MaskedArray):
        raise UsageError(f"{name}: a masked array, whose masked values would be taken like the others; fill it or cut it")


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


def boxes_in_extents(maps: Maps, batch: MapBatch, boxes: Floats, clamp: bool) -> tuple[Floats, Floats]:
    """Checked boxes [B, n, 4] in fractions of the extents, and the covered share of each [B, n].

    `batch` is `maps` as a batch. Raises `BoxError` for a box that is none, `UsageError` for a class id of no class.
    """
    check_boxes(maps, boxes, geometry.box_rules(boxes))
    inside, covered, rules = geometry.into_extent(boxes, batch.extent[:, None], clamp, np)
    check_boxes(maps, boxes, rules)
    check_ids(batch)
    return inside, covered


def check_cells(batch: MapBatch) -> None:
    """Raises `UsageError` for a cell with a score that is not finite, or with one class twice.

    Maps that are read have been checked; these are for maps that somebody has made or changed in memory.
    """
    ids, scores = batch.class_index, batch.score
    for name, values in (("class_index", ids), ("score", scores), ("extent", batch.extent)):
        refuse_masked(name, values)
    if is_finite(scores) and is_distinct(ids):
        return
    ranked = np.sort(ids, axis=-1)
    is_repeated = (ranked[..., 1:] == ranked[..., :-1]).any(-1)
    image, y, x = np.argwhere(is_repeated | ~np.isfinite(scores).all(-1))[0].tolist()
    entries = ids[image, y, x].tolist() if is_repeated[image, y, x] else scores[image, y, x].tolist()
    what = f"class ids {entries} are not distinct" if is_repeated[image, y, x] else f"scores {entries} are not all finite"
    raise UsageError(f"image at position {int(batch.positions[image])}, cell ({y}, {x}): {what}")


def check_factor_shapes(batch: MapBatch) -> None:
    """Raises `UsageError` where factors don't fit the maps, whose memory is then not what it should be."""
    numbers, scale, header = batch.class_factor, batch.factor_scale, batch.header
    if numbers is None:
        return
    shape = (len(batch), header.top_k, header.num_classes)
    if tuple(numbers.shape) != shape or scale is None or tuple(scale.shape) != shape[:2]:
        raise UsageError(f"class_factor and factor_scale have not the shapes {list(shape)} and {list(shape[:2])}")


def check_factors(batch: MapBatch) -> None:
    """Raises `UsageError` for factors that no reader hands out; as `check_cells`."""
    check_factor_shapes(batch)
    numbers, scale = batch.class_factor, batch.factor_scale
    if numbers is None:
        return
    faults = (
        ((numbers == 255).any(-1), "a number of a factor was never written"),
        (~is_factor_scale(scale), "the scale of a factor is no power of two and not 0"),
    )
    for mask, reason in faults:
        if mask.any():
            image, factor = np.argwhere(mask)[0].tolist()
            raise UsageError(f"image at position {int(batch.positions[image])}, factor {factor}: {reason}")


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
    factors = (None, None) if maps.class_factor is None or maps.factor_scale is None else (
        maps.class_factor[None], maps.factor_scale[None]
    )  # fmt: skip
    return MapBatch(maps.class_index[None], maps.score[None], extent, position, maps.header, *factors)


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
