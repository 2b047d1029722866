"""Maps of factors: products that add up to logits of all classes (spec, section 4.11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .header import Header
from .labels import LabelMap, MapBatch
from .layout import CLASS_FACTOR_OFFSET

Floats = npt.NDArray[np.float64]


def classes_of_factors(numbers: npt.NDArray[np.uint8], scale: npt.NDArray[np.float32]) -> Floats:
    """What factors say of classes [..., k, C], of stored numbers and scales [..., k]."""
    found: Floats = (numbers.astype(np.float64) - CLASS_FACTOR_OFFSET) * scale.astype(np.float64)[..., None]
    return found


def is_factor_scale(scale: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether scales are those that a factor may have: powers of two that are no subnormal numbers, and 0."""
    powers = np.isfinite(scale) & (np.frexp(scale)[0] == 0.5) & (scale >= np.finfo(np.float32).tiny)
    found: npt.NDArray[np.bool_] = (scale == 0) | powers
    return found


def dense(labels: LabelMap) -> Floats:
    """The logits of all classes [C, H, W] of a map of factors, less the mean of each cell; raises `UsageError` for others."""
    if labels.class_factor is None or labels.factor_scale is None:
        raise UsageError("the map has the best classes of each cell, and not all")
    classes = classes_of_factors(labels.class_factor, labels.factor_scale)
    return _logits(labels.score, classes)


def of_classes(labels: LabelMap, best: int) -> LabelMap:
    """The map with classes in its cells; what is left out of a map of factors is lost."""
    if labels.class_factor is None:
        return labels
    own = header_of_classes(labels.header, best)
    ids, scores = _best(dense(labels), own.top_k)
    kept: dict[str, Any] = {"class_index": ids.astype(labels.class_index.dtype), "score": scores}
    return replace(labels, **kept, header=own, class_factor=None, factor_scale=None)


def header_of_classes(header: Header, best: int) -> Header:
    """What `of_classes` makes of the header of maps of factors."""
    k = min(max(best, 1), header.num_classes)
    return replace(header, top_k=k, has_factors=False, cell_order="score", encoding="float32", step=None, offset=None)


def dense_batch(batch: MapBatch) -> Iterator[Floats]:
    """The logits of all classes [C, H, W] of each map of a batch of factors, less the mean of each cell."""
    for amounts, numbers, scale in zip(batch.score, batch.class_factor, batch.factor_scale):
        yield _logits(amounts, classes_of_factors(numbers, scale))


def batch_of_classes(batch: MapBatch, best: int) -> MapBatch:
    """As `of_classes`, of a batch of maps of factors."""
    own = header_of_classes(batch.header, best)
    ids = np.empty((len(batch), *own.shape), batch.class_index.dtype)
    scores = np.empty(ids.shape, np.float32)
    for place, logits in enumerate(dense_batch(batch)):
        ids[place], scores[place] = _best(logits, own.top_k)
    return MapBatch(ids, scores, batch.extent, batch.positions, own)


def _logits(amounts: npt.NDArray[np.float32], classes: Floats) -> Floats:
    logits: Floats = np.einsum("yxf,fc->cyx", amounts.astype(np.float64), classes)
    logits -= logits.mean(0)
    return logits


def _best(logits: Floats, k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The ids and logits [H, W, k] of the best classes of each cell; others count as 0."""
    ids = np.argsort(-logits, 0, kind="stable")[:k]
    scores = np.take_along_axis(logits, ids, 0)
    if k < len(logits):
        # All classes of a cell sum to 0.
        scores += scores.sum(0) / (len(logits) - k)
    return np.moveaxis(ids, 0, -1), np.moveaxis(scores, 0, -1).astype(np.float32)
