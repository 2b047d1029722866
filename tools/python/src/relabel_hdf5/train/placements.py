"""Which part of its input the output of each known transform shows.

A function here lets a transform make its output and returns that with its `Placement`. Nothing is drawn a second
time: what the transform's own `get_params` answers while it works is noted, so that box and pixels agree from
whatever generator the numbers came.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from ..errors import UsageError
from .view import WHOLE, Placement

Size = tuple[int, int]
Moved = tuple[Any, Placement]
"""What a transform made of a picture, and where that lies in the picture."""

Follower = Callable[[Any, Any], Moved]
"""From a transform and a picture to what it makes of it, and where that lies."""


def size_of(picture: Any) -> Size:
    """Height and width of a PIL image or tensor."""
    if isinstance(picture, torch.Tensor):
        return int(picture.shape[-2]), int(picture.shape[-1])
    if hasattr(picture, "width") and hasattr(picture, "height"):
        return picture.height, picture.width
    kind = type(picture).__name__
    raise UsageError(f"a {kind} reached a crop or flip: with_box follows PIL images and tensors")


def _noted(transform: Any, name: str, picture: Any) -> tuple[Any, Any]:
    """The output of a transform, and what its method answered when it asked for its random numbers.

    A copy is asked, so that threads may share the transform.
    """
    method, answers = getattr(transform, name), []

    def note(*arguments: Any, **options: Any) -> Any:
        answers.append(method(*arguments, **options))
        return answers[-1]

    asking = copy.copy(transform)
    setattr(asking, name, note)
    output = asking(picture)
    if len(answers) != 1:
        kind = type(transform).__name__
        raise UsageError(
            f"{kind} asked its {name} {len(answers)} times and not once: where its crop lies is not known. Give a "
            f"handler with relabel_hdf5.train.register, or with_box(transform, known={{{kind}: handler}})"
        )
    return output, answers[0]


def _name_of_params(transform: Any) -> str:
    """The method that torchvision v2 draws by; it got its public name in 0.21."""
    return "make_params" if hasattr(transform, "make_params") else "_get_params"


def _sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """What is added left, above, right and below, in torchvision's shorthand."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 1:
        return padding[0], padding[0], padding[0], padding[0]
    if len(padding) == 2:
        return padding[0], padding[1], padding[0], padding[1]
    left, above, right, below = padding
    return left, above, right, below


def _padded(size: Size, padding: int | Sequence[int]) -> Placement:
    left, above, right, below = _sides(padding)
    return Placement.window(size, -above, -left, size[0] + above + below, size[1] + left + right)


def _centred(length: int, wanted: int) -> int:
    """Where a centred crop begins; negative where it is longer than the picture and gets padded."""
    return round((length - wanted) / 2) if wanted <= length else -((wanted - length) // 2)


def flip_columns(transform: Any, picture: Any) -> Moved:
    """A flip from left to right by chance: torchvision hands back the picture itself where it flips nothing."""
    return _flipped(transform, picture, Placement.mirror(columns=True))


def flip_rows(transform: Any, picture: Any) -> Moved:
    """A flip upside down by chance."""
    return _flipped(transform, picture, Placement.mirror(rows=True))


def _flipped(transform: Any, picture: Any, mirror: Placement) -> Moved:
    size_of(picture)
    output = transform(picture)
    return output, WHOLE if output is picture else mirror


def _seen_flip(transform: Any, picture: Any, by_columns: bool) -> Moved:
    """A flip by a class of the user's, which may hand back a copy: the pixels tell."""
    size_of(picture)
    before = np.asarray(picture).copy()
    output = transform(picture)
    axis = int(by_columns) - (2 if isinstance(picture, torch.Tensor) else 0)
    if np.array_equal(output, before):
        return output, WHOLE
    if np.array_equal(output, np.flip(before, axis)):
        return output, Placement.mirror(rows=not by_columns, columns=by_columns)
    kind = type(transform).__name__
    raise UsageError(
        f"{kind} was declared to be a flip, and its output is neither the picture nor its mirror image: give a "
        f"handler, with_box(transform, known={{{kind}: handler}})"
    )


def pad(transform: Any, picture: Any) -> Moved:
    """A border on each side."""
    placement = _padded(size_of(picture), transform.padding)
    return transform(picture), placement


def centre_crop(transform: Any, picture: Any) -> Moved:
    """A centred crop, padded where it is larger than the picture."""
    size, (height, width) = size_of(picture), transform.size
    placement = Placement.window(size, _centred(size[0], height), _centred(size[1], width), height, width)
    return transform(picture), placement


def resized_crop(transform: Any, picture: Any) -> Moved:
    """RandomResizedCrop of torchvision v1 and of timm."""
    size = size_of(picture)
    output, window = _noted(transform, "get_params", picture)
    return output, Placement.window(size, *window)


def resized_crop_v2(transform: Any, picture: Any) -> Moved:
    """RandomResizedCrop of torchvision v2."""
    size = size_of(picture)
    output, drawn = _noted(transform, _name_of_params(transform), picture)
    return output, Placement.window(size, drawn["top"], drawn["left"], drawn["height"], drawn["width"])


def random_crop(transform: Any, picture: Any) -> Moved:
    """RandomCrop of torchvision v1, which pads first and then cuts."""
    size = size_of(picture)
    left, above, right, below = _sides(transform.padding or 0)
    if transform.pad_if_needed:  # the whole difference on both sides
        above += max(transform.size[0] - (size[0] + above + below), 0)
        left += max(transform.size[1] - (size[1] + left + right), 0)
    output, (top, start, *cut) = _noted(transform, "get_params", picture)
    return output, Placement.window(size, top - above, start - left, *cut)


def random_crop_v2(transform: Any, picture: Any) -> Moved:
    """RandomCrop of torchvision v2, which pads first and then cuts."""
    size = size_of(picture)
    output, drawn = _noted(transform, _name_of_params(transform), picture)
    left, above, _, _ = drawn["padding"]
    window = drawn["top"] - above, drawn["left"] - left, drawn["height"], drawn["width"]
    return output, Placement.window(size, *window)


def crop_or_pad(transform: Any, picture: Any) -> Moved:
    """timm's RandomCropOrPad: a crop where the picture is larger, a place in the frame where it is not."""
    size = size_of(picture)
    output, corner = _noted(transform, "get_params", picture)
    return output, Placement.window(size, *corner, *transform.size)


def random_pad(transform: Any, picture: Any) -> Moved:
    """timm's RandomPad."""
    size = size_of(picture)
    output, padding = _noted(transform, "get_params", picture)
    return output, _padded(size, padding)


def trim_border(transform: Any, picture: Any) -> Moved:
    """timm's TrimBorder."""
    size, border = size_of(picture), transform.border_size
    window = border, border, size[0] - 2 * border, size[1] - 2 * border
    return transform(picture), Placement.window(size, *window)


def crop_to_sequence(transform: Any, picture: Any) -> Moved:
    """timm's RandomResizedCropToSequence (NaFlex)."""
    size = size_of(picture)
    output, (window, _, _) = _noted(transform, "get_params", picture)
    return output, Placement.window(size, *window)


def declared(follower: Follower) -> Follower:
    """How a class of the user's is followed that was declared to move pictures as a known one does."""
    if follower in (flip_columns, flip_rows):
        return partial(_seen_flip, by_columns=follower is flip_columns)
    return follower
