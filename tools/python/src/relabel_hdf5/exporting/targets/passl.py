"""Label maps as PASSL has them."""

from __future__ import annotations

import numpy as np

from .. import losses
from ..options import Options
from ..source import Source
from . import torch_files
from .base import Job, OfViews
from .files import created
from .tokenlabeling import EXACT, rounding


class PASSL:
    """KEY.npy for each image: float16 [2, k, H, W], scores and class ids, as PASSL made them of TokenLabeling's files.

    `passl/datasets/preprocess/lvvit` of PaddlePaddle/PASSL reads these files.
    """

    name = "passl"
    summary = "a folder of .npy files [2, k, H, W], float16, as PASSL has them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.REFUSED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses scores that are no logits, and more classes than float16 can number."""
        torch_files.refuse_but_logits(source, "PASSL's reader")
        torch_files.refuse_ids(source.header, EXACT, "float16", "npy")

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        return losses.of_maps(source)

    def write(self, job: Job) -> None:
        """Writes a file for each image; says how much scores changed on the way to float16."""
        largest = 0.0
        for block in job.blocks():
            ids, scores = torch_files.by_score(job.source.header, block.maps.class_index, block.maps.score)
            for place, key in enumerate(block.keys):
                largest = max(largest, rounding(key, scores[place]))
                planes = np.stack([scores[place].astype(np.float16), ids[place].astype(np.float16)])
                with created(job.path, f"{key}.npy", key) as file:
                    np.lib.format.write_array(file, planes.transpose(0, 3, 1, 2).copy(), allow_pickle=False)
        if largest:
            job.losses.append(f"scores were rounded to float16: they differ by up to {largest:.3g}")
