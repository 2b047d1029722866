"""Proof that a map lies on its picture as the file says: an impulse lights the right cells."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ..errors import UsageError
from .annotator import Annotator
from .findings import Finding, rounded

# Middles of the bright object, as fractions of height and width; no turn or mirror image takes one to another.
_PLACES = ((0.20, 0.35), (0.30, 0.85), (0.70, 0.12), (0.85, 0.62))
_SIDE = 0.18
_DECISIVE = 1.25

_TURNS = (
    "as it is", "mirrored", "upside down", "turned by 180°", "transposed", "turned by 90°", "turned by 270°",
    "transposed across the other diagonal",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Proof(Finding):
    """What the impulse has shown."""

    share: float
    """The share of the change that falls where the object is."""
    ratio: float
    """How many times as well the grid fits as it is than turned or mirrored in the best other way."""
    mirrored: float | None = None
    """How far maps of mirrored pictures are from mirrored maps, as a share of how maps vary; None: not measured."""
    transposed: float | None = None
    """The same of transposed pictures, where the input is square."""

    def __str__(self) -> str:
        text = f"orientation yx proven: a bright object fits its cells {self.ratio:.1f}× as well as in any turned grid"
        parts = [
            f"{word} pictures give {word} maps within {value:.0%}"
            for word, value in (("mirrored", self.mirrored), ("transposed", self.transposed))
            if value is not None
        ]
        return "; ".join([text, *parts])


def prove(annotator: Annotator, pictures: Tensor | None = None) -> Proof:
    """Proves that axis y of the maps runs down the picture and axis x to the right.

    A bright object is laid on grey at four places; how much each cell's scores change has to fit the places, and
    every turned or mirrored grid less. `pictures`, uint8 [B, 3, h, w], are annotated mirrored and transposed too.
    Raises `UsageError` where it fails, or where the grid has one row or column and can't show it.
    """
    height, width = annotator.grid
    if min(annotator.grid) < 2:
        raise UsageError(
            f"{annotator.name} makes maps of {height}×{width} cells at {_size(annotator)}: labels would not be "
            "localised. Choose a larger input size (--input-size)"
        )
    changes = _changes(annotator)
    fits = [float(_fit(changes, turn)) for turn in range(len(_TURNS))]
    best = max(range(len(fits)), key=fits.__getitem__)
    other = max(fits[1:])
    if best != 0 or fits[0] < _DECISIVE * other:
        seen = f"fit best {_TURNS[best]}" if best else "fit hardly better as they are than otherwise"
        raise UsageError(
            f"the orientation of {annotator.name}'s maps is not proven: cells that a bright object changes {seen} "
            f"({fits[best]:.3f} of the change against {fits[0] if best else other:.3f}). Nothing was annotated; look at "
            "features= and at the layout of its cells"
        )
    found = Proof(rounded(fits[0]), rounded(fits[0] / max(other, 1e-9)))
    if pictures is None or not len(pictures):
        return found
    maps = annotator.maps(pictures)
    mirrored = _distance(annotator.maps(pictures.flip(-1)).flip(-1), maps)
    is_square = annotator.preprocessing.input_size[0] == annotator.preprocessing.input_size[1] and height == width
    transposed = _distance(annotator.maps(pictures.mT.contiguous()).mT, maps) if is_square else None
    return dataclasses.replace(found, mirrored=mirrored, transposed=transposed)


def _changes(annotator: Annotator) -> Tensor:
    """How much each cell changes with the object at each place [places, H, W]; each sums to 1."""
    height, width = annotator.preprocessing.input_size
    generator = torch.Generator().manual_seed(0)
    ground = torch.full((1, 3, height, width), 118, dtype=torch.uint8)
    pictures = ground.repeat(len(_PLACES), 1, 1, 1)
    for picture, (y, x) in zip(pictures, _PLACES):
        tall, wide = max(2, round(_SIDE * height)), max(2, round(_SIDE * width))
        top, left = round(y * height - tall / 2), round(x * width - wide / 2)
        object_ = torch.randint(0, 256, (3, tall, wide), generator=generator, dtype=torch.uint8)
        picture[:, top : top + tall, left : left + wide] = object_
    before, after = annotator.maps(ground), annotator.maps(pictures)
    change = (after - before).double().pow(2).sum(1).sqrt()
    # What changes everywhere, by attention or squeeze-and-excitation, tells no place.
    change = (change - change.flatten(1).median(1).values[:, None, None]).clamp(min=0)
    total = change.sum((1, 2))
    if not bool((total > 0).all()):
        raise UsageError(
            f"{annotator.name} answers the same wherever a bright object lies: its maps are not localised, or its "
            "weights are those before any training"
        )
    return (change / total[:, None, None]).cpu()


def _fit(changes: Tensor, turn: int) -> Tensor:
    """The share of the change that lies around the places, in a grid that is turned."""
    _, height, width = changes.shape
    rows = (torch.arange(height) + 0.5) / height
    columns = (torch.arange(width) + 0.5) / width
    shares = []
    for change, (y, x) in zip(changes, _PLACES):
        for bit, flips in ((1, "x"), (2, "y")):
            if turn & bit:
                y, x = (y, 1 - x) if flips == "x" else (1 - y, x)
        if turn & 4:
            y, x = x, y
        # Half the object, and as much as two cells, around its middle.
        tall, wide = _SIDE / 2 + 1 / height, _SIDE / 2 + 1 / width
        near = ((rows - y).abs() < tall).double()[:, None] * ((columns - x).abs() < wide).double()
        shares.append((change * near).sum())
    return torch.stack(shares).mean()


def _distance(maps: Tensor, expected: Tensor) -> float:
    """The root mean square of the difference, as a share of the standard deviation of what was expected."""
    return rounded(float((maps - expected).pow(2).mean().sqrt() / expected.std().clamp(min=1e-12)))


def _size(annotator: Annotator) -> str:
    height, width = annotator.preprocessing.input_size
    return f"{height}×{width} pixels"
