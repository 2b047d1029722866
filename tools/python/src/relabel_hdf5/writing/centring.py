"""Logits less the mean of the classes that their cell leaves out, which then lie about the 0 that they count as."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .scores import check_dense, is_tensor, parts

Array = npt.NDArray[Any]


def centred(scores: Any, num_classes: int, top_k: int, is_batch: bool) -> tuple[Any, Array]:
    """Dense logits less each cell's mean of the classes left out, and these means [B, H, W] (B is 1 for one map).

    Softmax is the same when all logits of a cell are shifted alike, and so is the softmax of pooled ones: targets of the
    scores of all classes do not change.

    Args:
        scores: Logits [B, C, H, W] of a batch, else [C, H, W]: NumPy array or tensor.
        num_classes: C.
        top_k: Classes that each cell keeps.
        is_batch: Whether there is an axis B.

    Raises:
        UsageError: The scores are sparse, so that the others are not known; shapes or types are wrong.
    """
    if parts(scores) is not None:
        raise UsageError(
            "sparse scores hold the best classes only, so the mean of the others is not known: give dense scores, or "
            "leave centre out"
        )
    scores = scores.detach() if is_tensor(scores) else np.asarray(scores)
    check_dense(scores, num_classes, is_batch)
    wide = scores.float() if is_tensor(scores) else scores.astype(np.float32, copy=False)
    means = (tensor_means if is_tensor(wide) else _array_means)(wide, min(top_k, num_classes))
    shifts = means.cpu().numpy() if is_tensor(means) else means
    return wide - means, shifts.reshape(-1, *shifts.shape[-2:])


def tensor_means(scores: Any, top_k: int) -> Any:
    """The mean score of the classes that each cell leaves out [..., 1, H, W] of a tensor [..., C, H, W]; 0 of none."""
    left = scores.sum(-3, keepdim=True) - scores.topk(top_k, -3).values.sum(-3, keepdim=True)
    if top_k == scores.shape[-3]:
        return left.new_zeros(left.shape)
    means = left / (scores.shape[-3] - top_k)
    return means.where(means.isfinite(), means.new_zeros(()))  # a score that is not finite is refused by name later


def _array_means(scores: Any, top_k: int) -> Any:
    others = scores.shape[-3] - top_k
    if not others:
        return np.zeros((*scores.shape[:-3], 1, *scores.shape[-2:]), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        left = np.partition(scores, others - 1, axis=-3)[..., :others, :, :]
        means = left.mean(-3, dtype=np.float64, keepdims=True).astype(np.float32)
    return np.where(np.isfinite(means), means, np.float32(0))
