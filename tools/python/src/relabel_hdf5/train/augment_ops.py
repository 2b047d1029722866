"""The operations of timm's RandAugment and AutoAugment: which of them move the picture, and how far."""

from __future__ import annotations

import copy
import math
from typing import Any

from .placements import Moved, Size, size_of
from .view import WHOLE, Placement

_PIXELS = frozenset(
    "AutoContrast Brightness BrightnessIncreasing Color ColorIncreasing Contrast ContrastIncreasing "
    "Desaturate Equalize GaussianBlur GaussianBlurRand Invert Posterize PosterizeIncreasing "
    "PosterizeOriginal Sharpness SharpnessIncreasing Solarize SolarizeAdd SolarizeIncreasing".split()
)
_GEOMETRIC = frozenset("Rotate ShearX ShearY TranslateX TranslateXRel TranslateY TranslateYRel".split())


def moves_picture(op: Any) -> bool | None:
    """Whether an `AugmentOp` moves the picture; None for an operation that is not known."""
    if op.name in _PIXELS:
        return False
    return True if op.name in _GEOMETRIC else None


def follow(op: Any, picture: Any) -> Moved:
    """The output of one geometric `AugmentOp`, and where that lies in its input.

    The operation decides by itself whether it runs and how strongly: a copy of it notes what its image function
    is given.
    """
    size, given = size_of(picture), []

    def note(picture: Any, strength: float, **options: Any) -> Any:
        given.append(strength)
        return op.aug_fn(picture, strength, **options)

    noting = copy.copy(op)
    noting.aug_fn = note
    output = noting(picture)
    return output, _placement(op.name, given[0], size) if given else WHOLE


def _placement(name: str, strength: float, size: Size) -> Placement:
    """How Pillow makes (y, x) of the input from (y, x, 1) of the output."""
    height, width = size
    row: tuple[float, ...] = (1.0, 0.0, 0.0)
    column: tuple[float, ...] = (0.0, 1.0, 0.0)
    if name == "ShearX":
        column = (strength, 1.0, 0.0)
    elif name == "ShearY":
        row = (1.0, strength, 0.0)
    elif name == "TranslateX":
        column = (0.0, 1.0, strength)
    elif name == "TranslateXRel":
        column = (0.0, 1.0, strength * width)
    elif name == "TranslateY":
        row = (1.0, 0.0, strength)
    elif name == "TranslateYRel":
        row = (1.0, 0.0, strength * height)
    else:
        row, column = rotation(math.radians(strength), height / 2, width / 2)
    return Placement.affine(size, row, column)


def rotation(angle: float, middle: float, centre: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A turn about (middle, centre), against the clock as seen on a screen."""
    cos, sin = math.cos(angle), math.sin(angle)
    return (
        (cos, sin, middle - cos * middle - sin * centre),
        (-sin, cos, centre + sin * middle - cos * centre),
    )
