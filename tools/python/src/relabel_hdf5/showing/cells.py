"""What a picture of a map is made of: the best class of each cell, and the classes that get a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..geometry import is_transposed
from ..labels import LabelMap
from ..probabilities import Floats, cell_probabilities
from .texts import class_label

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#7b5bd6")
"""Colours that people with any colour vision tell apart on light and dark grounds (Okabe and Ito, and a violet)."""
GREY = "#8a8a8a"
"""The colour of all other classes."""


@dataclass(frozen=True)
class Leading:
    """A class with a colour of its own."""

    class_index: int
    label: str
    colour: str
    cells: int
    """The cells in which it is the best class."""
    mean: float
    """Its probability, on average over all cells."""


@dataclass(frozen=True)
class Cells:
    """The best class of each cell as the grid lies on the picture: rows run down it."""

    best: npt.NDArray[Any]
    """Class ids [H, W]."""
    probability: Floats
    """What each cell gives to its best class [H, W]."""
    leading: tuple[Leading, ...]
    """The classes that are best in most cells, most first."""
    slot: npt.NDArray[np.int64]
    """The place of each cell's class among the leading ones [H, W], or their number for any other class."""
    others: int
    """The classes that are best somewhere and have no colour of their own."""

    @property
    def other_cells(self) -> int:
        """The cells of the other classes."""
        return int((self.slot == len(self.leading)).sum())


def cells_of(map: LabelMap, profile: str | None = None, classes: int = len(PALETTE)) -> Cells:
    """The cells of a map, with a colour for at most `classes` classes.

    Maps of unknown orientation are shown as they are stored unless a profile is named.
    """
    if not 1 <= classes <= len(PALETTE):
        raise UsageError(f"classes is {classes}; there are colours for 1 to {len(PALETTE)} of them")
    header = map.header
    kept, other = cell_probabilities(header, map.score)
    place = np.argmax(map.score, -1)[..., None]
    best = np.take_along_axis(map.class_index, place, -1)[..., 0].astype(np.int64)
    probability = np.take_along_axis(kept, place, -1)[..., 0]
    found, counts = np.unique(best, return_counts=True)
    sums = np.bincount(np.searchsorted(found, best).ravel(), probability.ravel(), len(found))
    order = np.lexsort((found, -sums, -counts))[:classes]
    leading = []
    for number, (class_index, count) in enumerate(zip(found[order].tolist(), counts[order].tolist())):
        is_class = map.class_index == class_index
        mean = float((kept[is_class].sum() + other[~is_class.any(-1)].sum()) / best.size)
        leading.append(Leading(class_index, class_label(header, class_index), PALETTE[number], count, mean))
    slots = np.full(len(found), len(leading), np.int64)
    slots[order] = np.arange(len(leading))
    slot = slots[np.searchsorted(found, best)]
    if is_transposed(header, profile or ("relabel" if header.orientation == "unknown" else None)):
        best, probability, slot = best.T, probability.T, slot.T
    return Cells(best, probability, tuple(leading), slot, len(found) - len(leading))
