"""Batches as SRe2L relabels them."""

from __future__ import annotations

from .batch_lists import BatchLists


class SRe2L(BatchLists):
    """`epoch_E/batch_B.tar`: boxes, flips, partners' slots, lambda, box of the mix, logits of all classes.

    `SRe2L/relabel/generate_soft_label.py` of VILA-Lab/SRe2L writes these lists; CDA, CV-DD and FADRM write the same. The
    reader finds pictures by a sampler with the seed 42, so nothing says which they are.
    """

    name = "sre2l"
    summary = "a folder labels of epoch_E/batch_B.tar, lists of six, as SRe2L relabels (CDA, CV-DD and FADRM, too)"
