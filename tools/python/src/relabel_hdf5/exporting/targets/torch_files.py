"""One file of `torch.save` for each image, under its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import UsageError
from ...header import Header
from ...keys import Array
from ...versions import demand
from ..source import Source
from .base import Job
from .files import created


def refuse_but_logits(source: Source, reader: str) -> None:
    """Raises `UsageError` for scores that are no logits, which is what readers of these files take them for."""
    kind = source.header.score_kind
    if kind == "logit" and not source.header.has_softmax:
        raise UsageError(
            f"these classes don't exclude each other, and {reader} takes a softmax of what it finds: export them to npz "
            "or safetensors"
        )
    if kind != "logit":
        raise UsageError(
            f"these scores are of kind {kind}, and {reader} takes a softmax of what it finds: export them to npz or "
            "safetensors, which say what they hold"
        )


def refuse_ids(header: Header, exact: int, kind: str, other: str) -> None:
    """Raises `UsageError` where floats of a kind, which hold whole numbers up to `exact`, can't hold all class ids."""
    if header.num_classes > exact + 1:
        raise UsageError(
            f"these files hold class ids as {kind}, which is exact up to {exact:,}, and there are "
            f"{header.num_classes:,} classes: export them to {other}"
        )


def by_score(header: Header, ids: Array, scores: Array) -> tuple[Array, Array]:
    """Ids and scores [B, H, W, k] with the best class of a cell first, of two equal ones that of the lower id."""
    if header.cell_order == "score":
        return ids, scores
    order = np.argsort(-scores, axis=-1, kind="stable")  # class ids ascend, so equal scores stay in their order
    return np.take_along_axis(ids, order, -1), np.take_along_axis(scores, order, -1)


def write_each(job: Job, tensors: Callable[[str, Array, Array], Any]) -> None:
    """Writes one file KEY.pt for each image, with the tensor made of its key, ids and scores [H, W, k]."""
    import torch

    header = job.source.header
    for block in job.blocks():
        ids, scores = by_score(header, block.maps.class_index, block.maps.score)
        for place, key in enumerate(block.keys):
            with created(job.path, f"{key}.pt", key) as file:
                torch.save(tensors(key, ids[place], scores[place]), file)


def need_torch() -> None:
    """Raises `ImportError` where PyTorch is missing, and `UsageError` where it is too old, before anything is written."""
    import torch  # noqa: F401

    demand("torch")
