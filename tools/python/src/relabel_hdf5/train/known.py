"""The transforms whose effect on the crop box is known: torchvision v1 and v2, and timm.

Classes are named by module and looked up where that module is loaded: whoever hands us such a transform has
loaded it. A subclass of a known class is not known, for it may do anything.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

from ..errors import UsageError
from . import placements
from .foretold import Foretold, Handler
from .placements import Follower

Effect = Follower | Literal["pixels"]
"""What a transform does to the box: a follower sees, or it changes only pixels or their number."""

Said = Handler | Literal["pixels"] | type
"""What users say of a transform of theirs."""

Known = Mapping[Any, Said]

_V1, _V2 = "torchvision.transforms", "torchvision.transforms.v2"
_TIMM, _NAFLEX = "timm.data.transforms", "timm.data.naflex_transforms"

_PIXELS = {
    _V1: "ColorJitter ConvertImageDtype GaussianBlur Grayscale Normalize PILToTensor RandomAdjustSharpness "
    "RandomAutocontrast RandomEqualize RandomErasing RandomGrayscale RandomInvert RandomPosterize "
    "RandomSolarize Resize ToPILImage ToTensor",
    _V2: "ColorJitter ConvertImageDtype GaussianBlur GaussianNoise Grayscale Identity JPEG Normalize "
    "PILToTensor RGB RandomAdjustSharpness RandomAutocontrast RandomChannelPermutation RandomEqualize "
    "RandomErasing RandomGrayscale RandomInvert RandomPhotometricDistort RandomPosterize RandomResize "
    "RandomShortestSize RandomSolarize Resize ScaleJitter ToDtype ToImage ToPILImage ToPureTensor ToTensor",
    _TIMM: "MaybePILToTensor MaybeToTensor ResizeKeepRatio ToNumpy ToTensor",
    _NAFLEX: "Patchify ResizeKeepRatioToSequence ResizeToSequence",
    "timm.data.random_erasing": "RandomErasing",
    "torch.nn": "Identity",
}

_MOVES: dict[str, dict[str, Follower]] = {
    _V1: {
        "CenterCrop": placements.centre_crop,
        "Pad": placements.pad,
        "RandomCrop": placements.random_crop,
        "RandomHorizontalFlip": placements.flip_columns,
        "RandomResizedCrop": placements.resized_crop,
        "RandomVerticalFlip": placements.flip_rows,
    },
    _V2: {
        "CenterCrop": placements.centre_crop,
        "Pad": placements.pad,
        "RandomCrop": placements.random_crop_v2,
        "RandomHorizontalFlip": placements.flip_columns,
        "RandomResizedCrop": placements.resized_crop_v2,
        "RandomVerticalFlip": placements.flip_rows,
    },
    _TIMM: {
        "CenterCropOrPad": placements.centre_crop,
        "RandomCropOrPad": placements.crop_or_pad,
        "RandomPad": placements.random_pad,
        "RandomResizedCropAndInterpolation": placements.resized_crop,
        "TrimBorder": placements.trim_border,
    },
    _NAFLEX: {"RandomResizedCropToSequence": placements.crop_to_sequence},
}

_UNFOLLOWED = {
    _V1: "AugMix AutoAugment ElasticTransform RandAugment RandomAffine RandomPerspective RandomRotation "
    "TrivialAugmentWide",
    _V2: "AugMix AutoAugment ElasticTransform RandAugment RandomAffine RandomPerspective RandomRotation "
    "TrivialAugmentWide",
    "timm.data.auto_augment": "AugMixAugment",
}

_registered: dict[Any, Said] = {}


def register(cls: Any, effect: Said) -> None:
    """Tells `with_box` what a transform of yours does to the crop box (spec section 13.6).

    `cls` is the transform's class, or the function itself where a function is used as a transform. `effect`
    is ``"pixels"`` for one that changes colours or the number of pixels only, another known class that moves
    the picture in the same way, or a handler: called with the transform and the (height, width) of its input,
    it returns a `Placement`. A handler runs before the transform, twice, with the random numbers that the
    transform will draw from the global generators of Python, NumPy and torch.
    """
    _registered[cls] = _checked(cls, effect)


def effect_of(transform: Any, known: Known) -> Effect | None:
    """What `transform` does to the box: what the user said, or what the tables say; None if nobody knows."""
    for key in (transform, type(transform)):
        if not _hashable(key):
            continue
        for said in (known, _registered):
            if key in said:
                return _resolve(_checked(key, said[key]))
    return _from_tables(type(transform))


def unfollowed(transform: Any) -> bool:
    """Whether `transform` is known to turn, shear or warp the picture in a way that no handler follows."""
    return type(transform) in _classes(_UNFOLLOWED)


def class_name(transform: Any) -> str:
    """The name that a user knows a transform by."""
    named = transform if hasattr(transform, "__qualname__") else type(transform)
    return f"{named.__module__}.{named.__qualname__}"


def _resolve(said: Said) -> Effect:
    if said == "pixels":
        return "pixels"
    if not isinstance(said, type):
        return Foretold(said)
    meant = _from_tables(said)
    if meant is None:
        name = f"{said.__module__}.{said.__qualname__}"
        raise UsageError(f"{name} is not a class that with_box knows by itself")
    return meant if meant == "pixels" else placements.declared(meant)


def _from_tables(cls: type) -> Effect | None:
    if cls in _classes(_PIXELS):
        return "pixels"
    for module, followers in _MOVES.items():
        for name, follower in followers.items():
            if getattr(sys.modules.get(module), name, None) is cls:
                return follower
    return None


def _classes(table: Mapping[str, str]) -> set[type]:
    """The classes of a table whose modules are loaded."""
    names = ((module, name) for module, text in table.items() for name in text.split())
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return {cls for cls in found if cls is not None}


def _checked(cls: Any, effect: Said) -> Said:
    if effect == "pixels" or callable(effect):
        return effect
    raise UsageError(f"{cls!r}: {effect!r} is neither 'pixels', nor a known class, nor a handler")


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
