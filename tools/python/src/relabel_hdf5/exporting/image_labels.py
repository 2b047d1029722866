"""Rules that make one probability of each class for a whole image from its map.

On scenes with known objects, the mean of the cells' softmax ranks the objects of a picture best: its mean average
precision is 0.892, that of the maximum 0.858, and that of the softmax of pooled logits 0.747.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engines.numpy.pooling import sigmoid
from ..header import Header
from ..labels import MapBatch
from ..pooling import label_pooling

Floats = npt.NDArray[np.float64]
Targets = npt.NDArray[np.float32]

_PAIRS = 1 << 21
"""Cells times classes that are dense at once: 16 MB."""


def mean_softmax(batch: MapBatch) -> Targets:
    """The mean over the cells of what each cell says, [B, C]: the share of the picture that shows a class."""
    header = batch.header
    kept, other = cell_probabilities(header, batch.score)
    count, classes = len(batch), header.num_classes
    cells = header.height * header.width
    slots = batch.class_index.reshape(count, -1).astype(np.int64) + np.arange(count)[:, None] * classes
    parts = (kept - other[..., None]).reshape(count, -1)
    sums = np.bincount(slots.ravel(), parts.ravel(), count * classes).reshape(count, classes)
    means: Targets = ((sums + other.sum((1, 2))[:, None]) / cells).astype(np.float32)
    return means


def pooled_softmax(batch: MapBatch) -> Targets:
    """The target of the crop that shows all that the map covers, [B, C]: what LabelPooling gives (spec, section 13)."""
    # A whole grid looks the same however it lies on the picture.
    profile = "relabel" if batch.header.orientation == "unknown" else None
    targets: Targets = label_pooling(batch, batch.extent, profile)
    return targets


def maximum(batch: MapBatch) -> Targets:
    """The highest probability that any cell gives to a class, [B, C]; the sum may be far above 1."""
    header = batch.header
    found = np.empty((len(batch), header.num_classes), np.float32)
    size = max(1, _PAIRS // (header.num_classes * header.height * header.width))
    for first in range(0, len(batch), size):
        part = slice(first, first + size)
        kept, other = cell_probabilities(header, batch.score[part])
        found[part] = scattered(header, batch.class_index[part], kept, other).max((2, 3))
    return found


DEFAULT_RULE = "mean-softmax"
RULES: dict[str, Callable[[MapBatch], Targets]] = {
    DEFAULT_RULE: mean_softmax, "pooled-softmax": pooled_softmax, "max": maximum,
}  # fmt: skip
"""The rules by name."""


def cell_probabilities(header: Header, scores: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
    """What each cell says by itself: probabilities of kept classes [B, H, W, k], and of any other class [B, H, W]."""
    absent = header.num_classes - header.top_k
    if header.has_softmax:
        values = scores.astype(np.float64) / header.temperature
        highest = values.max(-1)
        if absent:
            highest = np.maximum(highest, 0)  # the logit of an absent class (spec, section 8.2)
        values = np.exp(values - highest[..., None])
        other = np.exp(-highest) if absent else np.zeros_like(highest)
        total = values.sum(-1) + absent * other
        return values / total[..., None], other / total
    kept = stored_probabilities(header, scores)
    return kept, missing_share(header, kept)


def stored_probabilities(header: Header, scores: npt.NDArray[np.float32]) -> Floats:
    """The probabilities that scores are where no softmax is taken (spec, sections 8.1 and 8.6)."""
    if header.score_kind == "logit":
        return sigmoid(scores, header.temperature)
    values: Floats = scores.astype(np.float64)
    return np.exp(values, out=values) if header.score_kind == "log_probability" else values


def missing_share(header: Header, kept: Floats) -> Floats:
    """What each absent class of a cell gets of the mass that its kept classes leave (spec, section 8.2)."""
    absent = header.num_classes - header.top_k
    if header.fill != "uniform" or not absent:
        return np.zeros(kept.shape[:-1])
    share: Floats = np.maximum(0, 1 - kept.sum(-1)) / absent
    return share


def scattered(header: Header, ids: npt.NDArray[Any], values: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    """Values of all classes [B, C, H, W]: those of kept classes, and the cell's `other` [B, H, W] elsewhere."""
    shape = (len(ids), header.num_classes, header.height, header.width)
    found = np.broadcast_to(other[:, None], shape).copy()
    np.put_along_axis(found, np.moveaxis(ids.astype(np.int64), -1, 1), np.moveaxis(values, -1, 1), axis=1)
    return found
