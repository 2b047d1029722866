"""What the scores of a cell say: a probability of each class that is kept, and of any other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .engines.numpy.pooling import sigmoid
from .header import Header

Floats = npt.NDArray[np.float64]


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
