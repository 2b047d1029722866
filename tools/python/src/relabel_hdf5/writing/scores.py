"""What annotators hand over as scores: arrays or tensors, dense or sparse, on any device."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InvalidDataError, UsageError
from ..layout import MAXIMUM_GRID_SIDE, MAXIMUM_TOP_K
from .records import DenseMaps, SparseMaps

Array = npt.NDArray[Any]

Maps = SparseMaps | DenseMaps


def maps_of(scores: Any, num_classes: int, top_k: int, is_batch: bool) -> Maps:
    """The maps [B, …] that a caller handed over; one map gets an axis B of 1.

    Dense scores on another device are reduced to the best classes there.
    """
    pair = parts(scores)
    if pair is not None:
        return _sparse(*pair, is_batch)
    if is_tensor(scores):
        return _dense_tensor(scores.detach(), num_classes, top_k, is_batch)
    return _dense(np.asarray(scores), num_classes, is_batch)


def parts(scores: Any) -> tuple[Any, Any] | None:
    """Class ids and scores of what is sparse, else None: then the scores are dense."""
    if hasattr(scores, "class_index") and hasattr(scores, "score"):
        return scores.class_index, scores.score
    if hasattr(scores, "values") and hasattr(scores, "indices") and isinstance(scores, tuple):
        raise UsageError(
            "this is what topk returns, whose k is where the classes were; give (class_index, score) with k last: "
            "(top.indices.movedim(-3, -1), top.values.movedim(-3, -1)), or the dense scores"
        )
    if not isinstance(scores, (tuple, list)):
        return None
    if len(scores) != 2:
        raise UsageError(f"sparse scores are a pair (class_index, score), not {len(scores)} things")
    return scores[0], scores[1]


def _sparse(class_index: Any, score: Any, is_batch: bool) -> SparseMaps:
    ids, values = _array(class_index), _array(score)
    if ids.dtype.kind not in "iu" or values.dtype.kind != "f":
        raise UsageError(
            f"class ids are integers and scores floats: this pair is of {ids.dtype} and {values.dtype}; class ids come "
            "first"
        )
    if ids.shape != values.shape:
        raise UsageError(f"class_index has the shape {list(ids.shape)}, score {list(values.shape)}")
    axes = "[B, H, W, k]" if is_batch else "[H, W, k]"
    if ids.ndim != (4 if is_batch else 3):
        raise UsageError(f"class_index has the shape {list(ids.shape)}; sparse scores are {axes}")
    _check_grid(ids.shape[-3], ids.shape[-2], axes)
    if not 1 <= ids.shape[-1] <= MAXIMUM_TOP_K:
        raise UsageError(f"k is {ids.shape[-1]}; it has to be 1 to {MAXIMUM_TOP_K}: axes are {axes}")
    if not is_batch:
        ids, values = ids[None], values[None]
    if ids.size and (ids.min() < 0 or ids.max() > np.iinfo(np.uint32).max):
        place = np.argwhere((ids < 0) | (ids > np.iinfo(np.uint32).max))[0]
        raise PlacedError(f"the class id is {ids[tuple(place)]}", place)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return SparseMaps(np.ascontiguousarray(ids, np.uint32), np.ascontiguousarray(values, np.float32))


def _dense(scores: Array, num_classes: int, is_batch: bool) -> DenseMaps:
    check_dense(scores, num_classes, is_batch)
    if not is_batch:
        scores = scores[None]
    if scores.dtype != np.float16:
        with np.errstate(over="ignore"):
            scores = np.ascontiguousarray(scores, np.float32)
    return DenseMaps(np.ascontiguousarray(scores), scores.dtype.name)


def check_dense(scores: Any, num_classes: int, is_batch: bool) -> None:
    """Refuses arrays and tensors that are no scores [B, C, H, W] of a batch, or [C, H, W] of one map."""
    if is_tensor(scores):
        if not scores.dtype.is_floating_point:
            raise UsageError(f"dense scores are floats, not {scores.dtype}")
    elif scores.dtype.kind != "f":
        raise UsageError(f"dense scores are float16, float32 or float64, not {scores.dtype}")
    _check_shape(tuple(scores.shape), num_classes, is_batch)


def _check_shape(shape: tuple[int, ...], num_classes: int, is_batch: bool) -> None:
    axes = "[B, C, H, W]" if is_batch else "[C, H, W]"
    if len(shape) != (4 if is_batch else 3):
        raise UsageError(
            f"the scores have the shape {list(shape)}; dense scores are {axes}, sparse ones a pair (class_index, score)"
        )
    if shape[-3] != num_classes:
        moved = "; classes come first: numpy.moveaxis(scores, -1, -3)" if shape[-1] == num_classes else ""
        raise UsageError(
            f"the scores have the shape {list(shape)}, so {shape[-3]} classes, and num_classes is {num_classes}: axes "
            f"are {axes}{moved}"
        )
    _check_grid(shape[-2], shape[-1], axes)


def _check_grid(height: int, width: int, axes: str) -> None:
    if not (1 <= height <= MAXIMUM_GRID_SIDE and 1 <= width <= MAXIMUM_GRID_SIDE):
        raise UsageError(
            f"the grid is {height}×{width}; each side has to be 1 to {MAXIMUM_GRID_SIDE}: axes are {axes}"
        )


def _dense_tensor(scores: Any, num_classes: int, top_k: int, is_batch: bool) -> Maps:
    import torch

    check_dense(scores, num_classes, is_batch)
    if not is_batch:
        scores = scores[None]
    if scores.device.type != "cpu":
        return _best(scores, top_k)
    if scores.dtype == torch.bfloat16:
        return DenseMaps(scores.contiguous().view(torch.int16).numpy().view(np.uint16), "bfloat16")
    if scores.dtype == torch.float16:
        return DenseMaps(scores.contiguous().numpy(), "float16")
    return DenseMaps(scores.to(torch.float32).contiguous().numpy(), "float32")


def whole(scores: Any, count: int) -> DenseMaps | None:
    """The first `count` maps of dense scores on another device, for the packer's sample; None for others."""
    if not is_tensor(scores) or scores.device.type == "cpu":
        return None
    part = scores.detach()
    part = part[None] if part.ndim == 3 else part
    maps = _dense_tensor(part[:count].to("cpu"), part.shape[1], 0, True)
    assert isinstance(maps, DenseMaps)
    return maps


def _best(scores: Any, top_k: int) -> SparseMaps:
    """The best classes of each cell, found on the device that has the scores; ties take the lower class id."""
    import torch

    if not bool(torch.isfinite(scores).all()):
        place = torch.nonzero(~torch.isfinite(scores))[0].tolist()
        raise PlacedError(
            f"the score of class {place[1]} is {float(scores[tuple(place)])}", [place[0], *place[2:]]
        )
    rows = scores.movedim(1, -1).reshape(-1, scores.shape[1])
    k = min(top_k, rows.shape[1])
    found = torch.topk(rows, min(k + 1, rows.shape[1]), dim=1)
    score, ids = found.values[:, :k], found.indices[:, :k]
    if rows.shape[1] > k:
        # Equal scores on both sides of the cut: topk takes any of them, the packer the lower class id.
        tied = torch.nonzero(found.values[:, k - 1] == found.values[:, k])[:, 0]
        if len(tied):
            order = torch.sort(rows[tied], dim=1, descending=True, stable=True)
            ids = ids.index_copy(0, tied, order.indices[:, :k])
            score = score.index_copy(0, tied, order.values[:, :k])
    batch, _, height, width = scores.shape
    grid = (batch, height, width, k)
    return SparseMaps(
        ids.to(torch.int32).cpu().numpy().view(np.uint32).reshape(grid),
        score.float().cpu().numpy().reshape(grid),
    )


def _array(values: Any) -> Array:
    if is_tensor(values):
        values = values.detach().cpu()
        return np.asarray(values.float() if values.dtype.is_floating_point else values)
    return np.asarray(values)


def is_tensor(values: Any) -> bool:
    """Whether this is a tensor of torch; torch is not loaded for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


class PlacedError(InvalidDataError):
    """A fault of one map; the place is that in the batch, then y and x."""

    def __init__(self, message: str, place: Any) -> None:
        super().__init__(message)
        self.position = int(place[0])
        self.at = (int(place[1]), int(place[2]))
