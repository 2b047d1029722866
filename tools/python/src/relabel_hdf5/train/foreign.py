"""Collate functions of timm that change what they are handed without a word."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

from ..errors import UsageError

_DEPTH = 16
"""Calls between DataLoader's fetcher, which knows the collate function, and the dataset: subsets and the like."""


def check_collate(picture: Any) -> None:
    """Refuses to hand items to a collate function of timm that would spoil them.

    `fast_collate`, which timm's loader takes with its prefetcher, casts all pictures to uint8, and
    `FastCollateMixup` takes a target for the number of a class. Whoever calls for items leads there.
    """
    loader, mixup = sys.modules.get("timm.data.loader"), sys.modules.get("timm.data.mixup")
    if loader is None and mixup is None:
        return
    collate = _collate()
    is_mixing = isinstance(collate, getattr(mixup, "FastCollateMixup", ()))
    if is_mixing:
        _check_mixing(collate)
    is_casting = collate is not None and collate is getattr(loader, "fast_collate", None)
    if (is_mixing or is_casting) and not _is_bytes(picture):
        raise UsageError(
            f"timm's prefetcher casts pictures to uint8, and this transform makes {_kind(picture)}: normalised pictures "
            "would lose all but a few grey levels. Let create_loader set the transform, give one of "
            "create_transform(..., use_prefetcher=True), or say create_loader(..., use_prefetcher=False)"
        )


def _check_mixing(collate: Any) -> None:
    if not getattr(collate, "multi_label", False) or collate.label_smoothing:
        raise UsageError(
            "timm's FastCollateMixup takes targets for numbers of classes, and smooths what are probabilities: give it "
            "multi_label=True, label_smoothing=0 (timm 1.0.31 or later), or mix batches with "
            "relabel_hdf5.train.SoftMixup"
        )


def _collate() -> Any:
    """The collate function of the loader that is asking; None where none is found."""
    frame = sys._getframe(1)
    for _ in range(_DEPTH):
        caller = frame.f_back
        if caller is None:
            return None
        frame = caller
        if frame.f_code.co_name == "fetch":
            return getattr(frame.f_locals.get("self"), "collate_fn", None)
    return None


def _is_bytes(picture: Any) -> bool:
    if isinstance(picture, (tuple, list)):
        return all(map(_is_bytes, picture))
    return getattr(picture, "dtype", None) in (np.dtype(np.uint8), torch.uint8)


def _kind(picture: Any) -> str:
    return str(getattr(picture, "dtype", type(picture).__name__))
