"""LabelPooling on tensors of any device, without dense maps or waiting for the device (spec, section 13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from . import geometry
from .boxes import box_array, check_boxes, check_factor_shapes
from .engines.arrays import pool_arrays
from .header import Header
from .labels import MapBatch
from .layout import CLASS_FACTOR_OFFSET


def pool_tensors(batch: MapBatch, boxes: Any, transposed: bool, clamp: bool) -> tuple[Tensor, Tensor]:
    """The targets of boxes [B, n, 4], and the covered shares, on the device of the maps."""
    pool = pool_as_arrays if batch.score.device.type == "cpu" else pool_on_device
    return pool(batch, boxes, transposed, clamp)


def pool_as_arrays(batch: MapBatch, boxes: Any, transposed: bool, clamp: bool) -> tuple[Tensor, Tensor]:
    """As `pool_tensors`, for tensors on the CPU, whose memory arrays share."""
    names = ["class_index", "score", "extent", "positions"]
    names += [] if batch.class_factor is None else ["class_factor", "factor_scale"]
    arrays = replace(batch, **{name: getattr(batch, name).detach().numpy() for name in names})
    targets, covered = pool_arrays(arrays, box_array(boxes), transposed, clamp)
    return torch.from_numpy(targets), torch.from_numpy(covered)


def pool_on_device(batch: MapBatch, boxes: Any, transposed: bool, clamp: bool) -> tuple[Tensor, Tensor]:
    """As `pool_tensors`, for tensors of another device; what lies on the CPU is checked before it is sent."""
    # Not by as_tensor, which would send an array to torch's default device.
    boxes = boxes.detach() if isinstance(boxes, Tensor) else torch.from_numpy(box_array(boxes))
    if boxes.device.type == "cpu":
        boxes = boxes.to(torch.float64)
        check_boxes(batch, boxes, geometry.box_rules(boxes))
        if batch.extent.device.type == "cpu":
            check_boxes(batch, boxes, geometry.into_extent(boxes, batch.extent[:, None], clamp, torch)[2])
    return pool_unchecked(batch, boxes, transposed, clamp)


def pool_unchecked(batch: MapBatch, boxes: Tensor, transposed: bool, clamp: bool) -> tuple[Tensor, Tensor]:
    """As `pool_on_device`, with NaN where a box or a class id is bad."""
    check_factor_shapes(batch)
    header, device = batch.header, batch.score.device
    kind = sum_type(device)
    # Boxes and extents on the CPU are turned into weights there, where float64 always exists.
    place = boxes.device if boxes.device == batch.extent.device else device
    boxes, extent = sent(boxes, place, torch.float64), sent(batch.extent, place, torch.float64)[:, None]

    inside, covered, rules = geometry.into_extent(boxes, extent, clamp, torch)
    good = torch.stack([mask for mask, _ in geometry.box_rules(boxes) + rules]).all(0)
    inside = inside.masked_fill(~good[..., None], 0)  # NaN would become an index
    top, height, left, width = geometry.axes_of_grid(inside, transposed)
    rows = sent(axis_weights(top, height, header.height), device, kind)
    columns = sent(axis_weights(left, width, header.width), device, kind)

    ids = batch.class_index.long().flatten(1)
    ranked = batch.class_index.sort(-1).values
    is_repeated = (ranked[..., 1:] == ranked[..., :-1]).flatten(1).any(1)
    known = ((ids >= 0) & (ids < header.num_classes)).all(1) & batch.score.isfinite().flatten(1).all(1) & ~is_repeated
    if batch.class_factor is not None:
        known &= _are_factors(batch.class_factor, batch.factor_scale)
    bad = ~(sent(good, device, torch.bool) & known[:, None])
    weights = rows[..., :, None] * columns[..., None, :]
    if batch.class_factor is not None:
        targets = _targets_of_factors(batch, weights)
    else:
        targets = _targets(header, ids.clamp(0, header.num_classes - 1), batch.score.to(kind), weights)
    targets = targets.to(torch.float32).masked_fill(bad[..., None], torch.nan)
    return targets, sent(covered, device, kind).masked_fill(bad, torch.nan)


def sum_type(device: torch.device) -> torch.dtype:
    """The type of sums on a device: float64, but for Metal, which has none; float32 agrees to about 1e-5."""
    return torch.float32 if device.type == "mps" else torch.float64


def sent(values: Tensor, device: torch.device, kind: torch.dtype) -> Tensor:
    """Values on a device, without waiting where that is safe: CUDA has read ordinary memory by then."""
    return values.to(device, kind, non_blocking=device.type == "cuda")


def axis_weights(start: Tensor, length: Tensor, cells: int) -> Tensor:
    """The weights [..., cells] of the cells of an axis (spec, section 13.3); see `geometry.axis_weights`.

    Not for `torch.compile`: it may fuse the product with the subtraction, which rounds otherwise.
    """
    low = start.to(torch.float32) * cells - 0.5
    high = (start + length).to(torch.float32) * cells - 0.5
    span = (high - low).clamp(min=1)
    samples = span.ceil().to(torch.float64)[..., None]

    # As many as the longest box can have: its own number is not known here without waiting.
    limit = cells + 1 + cells // 100_000
    sample = torch.arange(limit, dtype=torch.float64, device=start.device)
    share = (sample < samples) / samples
    place = low.to(torch.float64)[..., None] + (sample + 0.5) * span.to(torch.float64)[..., None] / samples
    place = place.clamp(0, cells - 1)
    near = place.long()
    part = (place - near) * share
    weights = torch.zeros(*start.shape, cells, dtype=torch.float64, device=start.device)
    weights.scatter_add_(-1, near, share - part)
    return weights.scatter_add_(-1, (near + 1).clamp(max=cells - 1), part)


def _are_factors(numbers: Tensor, scale: Tensor) -> Tensor:
    """Whether each map [B] has factors that a reader hands out: all numbers written, and scales powers of two or 0."""
    is_power = scale.isfinite() & (scale >= torch.finfo(torch.float32).tiny) & (scale.view(torch.int32) & 0x7FFFFF == 0)
    found: Tensor = (numbers != 255).flatten(1).all(1) & (is_power | (scale == 0)).all(1)
    return found


def _targets_of_factors(batch: MapBatch, weights: Tensor) -> Tensor:
    """Targets [B, n, C] of maps of factors and weights [B, n, H, W] (section 4.11): two products of matrices a batch."""
    kind = weights.dtype
    amounts = weights.flatten(2) @ batch.score.to(kind).flatten(1, 2)
    classes = (batch.class_factor.to(kind) - CLASS_FACTOR_OFFSET) * batch.factor_scale.to(kind)[..., None]
    sums: Tensor = amounts @ classes
    return (sums / batch.header.temperature).softmax(-1)


def _targets(header: Header, ids: Tensor, scores: Tensor, weights: Tensor) -> Tensor:
    """Targets [B, n, C] of ids [B, H·W·k], scores [B, H, W, k] and weights [B, n, H, W] (section 13.4)."""
    values = scores.exp() if header.score_kind == "log_probability" else scores
    if header.score_kind == "logit" and not header.has_softmax:
        values = (scores / header.temperature).sigmoid()
    sums = weights.new_zeros(*weights.shape[:2], header.num_classes)
    absent = header.num_classes - header.top_k
    if header.fill == "uniform" and absent > 0:
        share = (1 - values.sum(-1)).clamp(min=0) / absent
        sums += (weights * share[:, None]).sum((2, 3))[..., None]
        values = values - share[..., None]
    parts = (weights[..., None] * values[:, None]).flatten(2)
    sums.scatter_add_(2, ids[:, None].expand_as(parts), parts)
    return (sums / header.temperature).softmax(-1) if header.has_softmax else sums
