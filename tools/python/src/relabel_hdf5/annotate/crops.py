"""A network's own answers for crops, the truth that pooled targets are measured against, and how far these are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ..pooling_torch import axis_weights
from .annotator import Annotator

Array = npt.NDArray[np.float64]


def answers(annotator: Annotator, picture: Image.Image, boxes: Array) -> Array:
    """The network's probabilities [n, C] for the pixels of boxes, at the size it was trained at."""
    plain = dataclasses.replace(annotator.preprocessing, input_size=annotator.native_size, resize="squash")
    crops = [plain.pixels(crop(picture, box)) for box in boxes]
    inputs = plain.normalised(torch.from_numpy(np.stack(crops)).to(annotator.device))
    found: Array = annotator.answers(inputs).double().softmax(-1).cpu().numpy()
    return found


def random_box(generator: np.random.Generator, area: tuple[float, float] = (0.08, 1)) -> list[float]:
    """Top, left, height and width of a crop as `RandomResizedCrop` draws it, as fractions of what it is cut from."""
    while True:
        share = generator.uniform(*area)
        ratio = math.exp(generator.uniform(math.log(3 / 4), math.log(4 / 3)))
        height, width = math.sqrt(share / ratio), math.sqrt(share * ratio)
        if height <= 1 and width <= 1:
            return [generator.uniform(0, 1 - height), generator.uniform(0, 1 - width), height, width]


def crop(picture: Image.Image, box: Array) -> Image.Image:
    """The pixels of a box, at least one."""
    width, height = picture.size
    top, left, tall, wide = box
    first = (round(left * width), round(top * height))
    last = (round((left + wide) * width), round((top + tall) * height))
    return picture.crop((*first, max(first[0] + 1, last[0]), max(first[1] + 1, last[1])))


def pooled_dense(scores: Tensor, boxes: Array, extent: Sequence[float]) -> Array:
    """Targets [n, C] of all classes' scores [C, H, W], as pooling gives them without a cut."""
    inside = torch.from_numpy((boxes - [extent[0], extent[1], 0, 0]) / [extent[2], extent[3], extent[2], extent[3]])
    rows = axis_weights(inside[:, 0], inside[:, 2], scores.shape[1])
    columns = axis_weights(inside[:, 1], inside[:, 3], scores.shape[2])
    found: Array = torch.einsum("chw,nh,nw->nc", scores.double().cpu(), rows, columns).softmax(-1).numpy()
    return found


def divergence(truth: Array, target: Array) -> Array:
    """The Kullback-Leibler divergence of answers from targets, in nats, over the last axis."""
    found: Array = (truth * (np.log(truth.clip(1e-12)) - np.log(target.clip(1e-12)))).sum(-1)
    return found
