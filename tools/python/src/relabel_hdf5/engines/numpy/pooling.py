"""LabelPooling by NumPy (spec, section 13.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import geometry
from ...factors import classes_of_factors
from ...geometry import Floats
from ...header import Header
from ...labels import MapBatch

BLOCK = 1 << 18
"""Sums and entries that are worked on at a time: they fit into the cache of a core."""


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
        some = image[part]
        if batch.class_factor is not None:
            sums = sums_of_factors(batch.score[some], batch.class_factor[some], batch.factor_scale[some], weights)
        else:
            sums = weighted_sums(header, batch.class_index[some], batch.score[some], weights)
        targets[part] = softmax(sums, header.temperature) if header.has_softmax else sums
    return targets


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
    elif header.score_kind == "logit" and not header.has_softmax:
        values = sigmoid(scores, header.temperature)
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


def sums_of_factors(
    amounts: npt.NDArray[np.float32], numbers: npt.NDArray[np.uint8], scale: npt.NDArray[np.float32], weights: Floats
) -> Floats:
    """The pooled logits [N, C] of maps of factors (spec, section 4.11): amounts are [N, H, W, k], numbers [N, k, C]."""
    pooled = np.einsum("nyxf,nyx->nf", amounts, weights)
    sums: Floats = np.einsum("nf,nfc->nc", pooled, classes_of_factors(numbers, scale))
    return sums


def sigmoid(scores: npt.NDArray[np.float32], temperature: float) -> Floats:
    """The probability of each class for itself; far below 0 it is 0."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-scores.astype(np.float64) / temperature)))


def softmax(sums: Floats, temperature: float) -> Floats:
    """The softmax of sums [N, C], in place; a class without entries has the sum 0, which is its logit."""
    sums /= temperature
    sums -= sums.max(1, keepdims=True)
    np.exp(sums, out=sums)
    sums /= sums.sum(1, keepdims=True)
    return sums
