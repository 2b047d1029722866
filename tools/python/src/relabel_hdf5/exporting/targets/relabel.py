"""Label maps as ReLabel releases them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...keys import Array
from .. import losses
from ..options import Options
from ..source import Source
from . import torch_files
from .base import Job, OfViews

_EXACT = 1 << 24


class ReLabel:
    """KEY.pt for each image: float32 [2, k, H, W] of scores and class ids, the best class of a cell first.

    `utils/relabel_functions.py` of naver-ai/relabel_imagenet reads these files: names are the last two parts of a
    picture's path, cut at the first dot; scores have to be float32, so ids are float32, too.
    """

    name = "relabel"
    summary = "a folder of .pt files [2, k, H, W], float32, as ReLabel releases them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.REFUSED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses scores that are no logits, and more classes than float32 can number."""
        torch_files.refuse_but_logits(source, "ReLabel's reader")
        torch_files.refuse_ids(source.header, _EXACT, "float32", "npz")
        torch_files.need_torch()

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        return losses.of_maps(source)

    def write(self, job: Job) -> None:
        """Writes a file for each image."""
        torch_files.write_each(job, _tensor)


def _tensor(key: str, ids: Array, scores: Array) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.stack([scores, ids.astype(np.float32)]).transpose(0, 3, 1, 2)))
