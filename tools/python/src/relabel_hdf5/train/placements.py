"""Which part of its input the output of each known transform shows.

A function here gets the transform and the size of its input and returns a `Placement`. The random numbers
that it draws are put back afterwards, and then the transform itself runs: so a function asks the transform's
own `get_params`, and the pixels never depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .view import Placement

Size = tuple[int, int]


def _stand_in(height: int, width: int) -> torch.Tensor:
    """A picture that has a size and no pixels, for functions that ask for nothing else."""
    return torch.empty((1, height, width), device="meta")


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


def flip(transform: Any, size: Size) -> Placement:
    """A flip by chance, seen on a picture of four pixels."""
    pixels = transform(torch.tensor([[[0, 1], [2, 3]]], dtype=torch.uint8))
    return Placement.mirror(rows=bool(pixels[0, 0, 0] >= 2), columns=bool(pixels[0, 0, 0] % 2 == 1))


def pad(transform: Any, size: Size) -> Placement:
    """A border on each side."""
    return _padded(size, transform.padding)


def centre_crop(transform: Any, size: Size) -> Placement:
    """A centred crop, padded where it is larger than the picture."""
    height, width = transform.size
    return Placement.window(size, _centred(size[0], height), _centred(size[1], width), height, width)


def resized_crop(transform: Any, size: Size) -> Placement:
    """RandomResizedCrop of torchvision v1 and of timm."""
    return Placement.window(size, *transform.get_params(_stand_in(*size), transform.scale, transform.ratio))


def resized_crop_v2(transform: Any, size: Size) -> Placement:
    """RandomResizedCrop of torchvision v2."""
    drawn = transform.make_params([_stand_in(*size)])
    return Placement.window(size, drawn["top"], drawn["left"], drawn["height"], drawn["width"])


def random_crop(transform: Any, size: Size) -> Placement:
    """RandomCrop of torchvision v1, which pads first and then cuts."""
    left, above, right, below = _sides(transform.padding or 0)
    height, width = size[0] + above + below, size[1] + left + right
    if transform.pad_if_needed:  # the whole difference on both sides
        add_rows, add_columns = max(transform.size[0] - height, 0), max(transform.size[1] - width, 0)
        above, left = above + add_rows, left + add_columns
        height, width = height + 2 * add_rows, width + 2 * add_columns
    top, start, *cut = transform.get_params(_stand_in(height, width), transform.size)
    return Placement.window(size, top - above, start - left, *cut)


def random_crop_v2(transform: Any, size: Size) -> Placement:
    """RandomCrop of torchvision v2, which pads first and then cuts."""
    drawn = transform.make_params([_stand_in(*size)])
    left, above, _, _ = drawn["padding"]
    return Placement.window(size, drawn["top"] - above, drawn["left"] - left, drawn["height"], drawn["width"])


def crop_or_pad(transform: Any, size: Size) -> Placement:
    """timm's RandomCropOrPad: a crop where the picture is larger, a place in the frame where it is not."""
    return Placement.window(size, *transform.get_params(_stand_in(*size), transform.size), *transform.size)


def random_pad(transform: Any, size: Size) -> Placement:
    """timm's RandomPad."""
    return _padded(size, transform.get_params(_stand_in(*size), transform.input_size))


def trim_border(transform: Any, size: Size) -> Placement:
    """timm's TrimBorder."""
    border = transform.border_size
    return Placement.window(size, border, border, size[0] - 2 * border, size[1] - 2 * border)


def crop_to_sequence(transform: Any, size: Size) -> Placement:
    """timm's RandomResizedCropToSequence (NaFlex)."""
    window, _, _ = transform.get_params(
        _stand_in(*size), scale=transform.scale, ratio=transform.ratio, crop_attempts=transform.attempts,
        patch_h=transform.patch_h, patch_w=transform.patch_w, max_seq_len=transform.max_seq_len,
        interpolation=transform.interpolation,
    )
    return Placement.window(size, *window)
