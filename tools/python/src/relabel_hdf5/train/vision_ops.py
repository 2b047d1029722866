"""torchvision's RandAugment, AutoAugment and TrivialAugmentWide: what their operations do to the picture's place."""

from __future__ import annotations

import copy
import math
import sys
from types import FunctionType, MethodType
from typing import Any

from ..errors import UsageError
from .augment_ops import rotation
from .placements import Size, size_of
from .view import Placement, View

_MODULES = ("torchvision.transforms", "torchvision.transforms.v2")
_NAMES = ("AutoAugment", "RandAugment", "TrivialAugmentWide")
_PIXELS = frozenset(
    "AutoContrast Brightness Color Contrast Equalize Identity Invert Posterize Sharpness Solarize".split()
)
_BY_TRANSFORM, _BY_FUNCTION = "_apply_image_or_video_transform", "_apply_op"


def is_followed(transform: Any) -> bool:
    """Whether a transform is of one of these classes, and lets us see which operations it chooses."""
    loaded = [sys.modules.get(module) for module in _MODULES]
    classes = {getattr(module, name, None) for module in loaded for name in _NAMES}
    kind = type(transform)
    if kind not in classes:
        return False
    return hasattr(kind, _BY_TRANSFORM) or _BY_FUNCTION in getattr(kind.forward, "__globals__", {})


class VisionAugment:
    """A step that lets the transform choose its operations, and follows those that move the picture.

    A copy of the transform notes what it is about to do, so that threads may share it; no number is drawn twice.
    """

    def __init__(self, transform: Any) -> None:
        self._transform = transform

    def __call__(self, view: View) -> View:
        done: list[tuple[str, float, Size]] = []
        output = _noting(self._transform, done)(view.picture)
        for name, magnitude, size in done:
            if name not in _PIXELS:
                view = view.placed(view.picture, _placement(name, magnitude, size))
        return view.with_picture(output)


def _noting(transform: Any, done: list[tuple[str, float, Size]]) -> Any:
    """A copy of a transform that adds to `done` each operation, its magnitude, and the size of what it is given."""
    noting = copy.copy(transform)
    # v2 asks a method of its own, v1 a function of its module.
    by_method = hasattr(transform, _BY_TRANSFORM)
    forward = type(transform).forward
    apply = getattr(transform, _BY_TRANSFORM) if by_method else forward.__globals__[_BY_FUNCTION]

    def note(picture: Any, name: str, magnitude: Any, *arguments: Any, **options: Any) -> Any:
        done.append((name, float(magnitude), size_of(picture)))
        return apply(picture, name, magnitude, *arguments, **options)

    if by_method:
        setattr(noting, _BY_TRANSFORM, note)
    else:
        seen = {**forward.__globals__, _BY_FUNCTION: note}
        asking = FunctionType(forward.__code__, seen, forward.__name__, forward.__defaults__, forward.__closure__)
        noting.forward = MethodType(asking, noting)
    return noting


def _placement(name: str, magnitude: float, size: Size) -> Placement:
    """How torchvision makes (y, x) of the input from (y, x, 1) of the output."""
    row: tuple[float, ...] = (1.0, 0.0, 0.0)
    column: tuple[float, ...] = (0.0, 1.0, 0.0)
    if name == "ShearX":
        column = (magnitude, 1.0, 0.0)
    elif name == "ShearY":
        row = (1.0, magnitude, 0.0)
    elif name == "TranslateX":
        column = (0.0, 1.0, -float(int(magnitude)))
    elif name == "TranslateY":
        row = (1.0, 0.0, -float(int(magnitude)))
    elif name == "Rotate":
        row, column = rotation(math.radians(magnitude), size[0] / 2, size[1] / 2)
    else:
        raise UsageError(f"with_box doesn't know torchvision's operation {name}: leave this transform out")
    return Placement.affine(size, row, column)
