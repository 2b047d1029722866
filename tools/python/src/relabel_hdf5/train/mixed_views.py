"""Mixing views as their run did: by the stored lambda or box, with the stored partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from ..errors import UnsupportedError, UsageError
from ..keys import Positions
from ..views import ViewRows
from ..views.partners import partners


class Partners(NamedTuple):
    """The position of each view's partner, -1 for a view that is not mixed in a way."""

    mixup: Positions
    cutmix: Positions

    @property
    def needed(self) -> Positions:
        """The positions of all partners, each once."""
        both = np.concatenate([self.mixup, self.cutmix])
        return np.unique(both[both >= 0])


def partners_of(rows: ViewRows) -> Partners:
    """The partners of some views; raises `UnsupportedError` for a view that is mixed in both ways."""
    found = Partners(partners(rows, "mixup"), partners(rows, "cutmix"))
    both = np.flatnonzero((found.mixup >= 0) & (found.cutmix >= 0))
    if len(both):
        raise UnsupportedError(
            "the view is mixed by mixup and by cutmix: which of them saw the other's picture is not stored",
            file=rows.source.maps.path, key=rows[int(both[0])].key,
        )  # fmt: skip
    return found


def mixed(rows: ViewRows, place: int, images: Mapping[int, torch.Tensor], of: Partners) -> torch.Tensor:
    """The picture of one of some views; `images` has the pictures of views and partners by position, not mixed."""
    image = images[int(rows.positions[place])]
    if of.mixup[place] >= 0:
        share = float(rows.mixup_lambda[place])
        return image * share + images[int(of.mixup[place])] * (1 - share)
    if of.cutmix[place] < 0:
        return image
    top, left, bottom, right = rows.cutmix_box[place].tolist()
    if top < 0:
        return image  # drawn, but nothing was pasted
    size = rows.source.size
    if tuple(image.shape[-2:]) != size:
        raise UsageError(f"the transform made a picture {list(image.shape)}, and boxes are in pixels of views of {size}")
    image = image.clone()
    image[..., top:bottom, left:right] = images[int(of.cutmix[place])][..., top:bottom, left:right]
    return image
