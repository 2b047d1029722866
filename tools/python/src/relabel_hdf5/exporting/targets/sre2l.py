"""Batches as SRe2L relabels them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..views import Rows, Views
from .batch_lists import BatchLists, Record


class SRe2L(BatchLists):
    """`epoch_E/batch_B.tar`: boxes, flips, partners' slots, lambda, box of the mix, logits of all classes.

    `SRe2L/relabel/generate_soft_label.py` of VILA-Lab/SRe2L writes these lists; CDA, CV-DD and FADRM write the same. The
    reader finds pictures by a sampler with the seed 42, so nothing says which they are.
    """

    name = "sre2l"
    summary = "a folder labels of epoch_E/batch_B.tar, lists of six, as SRe2L relabels (CDA, CV-DD and FADRM, too)"


class GVBSM(SRe2L):
    """SRe2L's lists with a seventh slot: the places of the pictures.

    `relabel/generate_soft_label_with_db.py` of shaoshitong/G_VBSM_Dataset_Condensation writes these lists.
    """

    name = "g-vbsm"
    summary = "the same lists with a seventh slot, the places of the pictures, as G-VBSM relabels"

    def record(self, views: Views, rows: Rows) -> Record:
        """The list of a batch."""
        return [*super().record(views, rows), pictures(rows)]


def pictures(rows: Rows) -> Any:
    """The place of each view's picture in the listing, a tensor."""
    import torch

    return torch.from_numpy(rows.columns["image_index"].astype(np.int64))
