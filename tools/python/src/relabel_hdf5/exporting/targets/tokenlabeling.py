"""Label maps as TokenLabeling writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidDataError
from ...keys import Array
from .. import losses
from ..options import Options
from ..source import Source
from . import torch_files
from .base import Job, OfViews

EXACT = 1 << 11
"""Whole numbers up to this one are exact in float16."""


class TokenLabeling:
    """KEY.pt for each image: float16 [2, k, H, W], scores and class ids, a view of what lies as [2, H, W, k].

    `generate_label.py:264-272` of zihangJiang/TokenLabeling writes these files; readers have to heed the strides.
    """

    name = "tokenlabeling"
    summary = "a folder of .pt files [2, k, H, W], float16 and strided, as TokenLabeling writes them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.REFUSED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses scores that are no logits, and more classes than float16 can number."""
        torch_files.refuse_but_logits(source, "TokenLabeling's reader")
        torch_files.refuse_ids(source.header, EXACT, "float16", "relabel")
        torch_files.need_torch()

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        return losses.of_maps(source)

    def write(self, job: Job) -> None:
        """Writes a file for each image; says how much scores changed on the way to float16."""
        largest = 0.0

        def tensor(key: str, ids: Array, scores: Array) -> Any:
            nonlocal largest
            largest = max(largest, rounding(key, scores))
            return _tensor(ids, scores)

        torch_files.write_each(job, tensor)
        if largest:
            job.losses.append(f"scores were rounded to float16: they differ by up to {largest:.3g}")


def rounding(key: str, scores: Array) -> float:
    """How much float16 changes scores at most."""
    with np.errstate(over="ignore"):
        rounded = scores.astype(np.float16)
    if not np.isfinite(rounded).all():
        y, x, _ = (int(place) for place in np.argwhere(~np.isfinite(rounded))[0])
        raise InvalidDataError("a score is too large for float16: export it to relabel", key=key, cell=(y, x))
    return float(np.abs(rounded.astype(np.float64) - scores).max())


def _tensor(ids: Array, scores: Array) -> Any:
    import torch

    return torch.from_numpy(np.stack([scores.astype(np.float16), ids.astype(np.float16)])).permute(0, 3, 1, 2)
