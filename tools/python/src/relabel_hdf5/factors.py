"""Maps of factors: products that add up to logits of all classes (spec, section 4.11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .labels import LabelMap
from .layout import CLASS_FACTOR_OFFSET

Floats = npt.NDArray[np.float64]


def classes_of_factors(numbers: npt.NDArray[np.uint8], scale: npt.NDArray[np.float32]) -> Floats:
    """What factors say of classes [..., k, C], of stored numbers and scales [..., k]."""
    found: Floats = (numbers.astype(np.float64) - CLASS_FACTOR_OFFSET) * scale.astype(np.float64)[..., None]
    return found


def dense(labels: LabelMap) -> Floats:
    """The logits of all classes [C, H, W] of a map of factors, less the mean of each cell; raises `UsageError` for others."""
    if labels.class_factor is None or labels.factor_scale is None:
        raise UsageError("the map has the best classes of each cell, and not all")
    classes = classes_of_factors(labels.class_factor, labels.factor_scale)
    logits: Floats = np.einsum("yxf,fc->cyx", labels.score.astype(np.float64), classes)
    logits -= logits.mean(0)
    return logits


def of_classes(labels: LabelMap, best: int) -> LabelMap:
    """The map with classes in its cells; what is left out of a map of factors is lost."""
    if labels.class_factor is None:
        return labels
    header = labels.header
    k = min(max(best, 1), header.num_classes)
    logits = dense(labels)
    ids = np.argsort(-logits, 0, kind="stable")[:k]
    scores = np.take_along_axis(logits, ids, 0)
    if k < header.num_classes:
        # All classes of a cell sum to 0.
        scores += scores.sum(0) / (header.num_classes - k)
    kept: dict[str, Any] = {
        "class_index": np.moveaxis(ids, 0, -1).astype(labels.class_index.dtype),
        "score": np.moveaxis(scores, 0, -1).astype(np.float32),
    }
    own = replace(header, top_k=k, has_factors=False, cell_order="score", encoding="float32", step=None, offset=None)
    return replace(labels, **kept, header=own, class_factor=None, factor_scale=None)
