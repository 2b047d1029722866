"""From crop boxes to the weights of cells: profiles, extents and RoIAlign's sampling (spec, 13.1 to 13.3).

The rules and the mapping of boxes work on NumPy arrays and on PyTorch tensors alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError

if TYPE_CHECKING:
    from .header import Header

PROFILES = ("relabel", "relabel-2021")
OUTSIDE = ("error", "clamp")

TOLERANCE = 1e-6
"""How far a box may reach beyond an edge: sums of rounded fractions exceed 1 by a little."""

Floats = npt.NDArray[np.float64]
Rule = tuple[Any, str]
"""Where a rule is kept, one truth value for each box, and what is said of a box that breaks it."""


def is_transposed(header: Header, profile: str | None) -> bool:
    """True where axis y of the stored grid takes left and width of a box (spec, section 13.1).

    `profile` None follows the orientation. Raises `UsageError` for maps of unknown orientation without a
    named profile, and for a profile that is not defined for their grid.
    """
    if profile is None and header.orientation == "unknown":
        raise UsageError(
            "nobody knows how these maps lie on the picture (orientation unknown): name the profile, "
            "'relabel' if their rows run down it, or 'relabel-2021' to pool as the released code does"
        )
    if profile not in (None, *PROFILES):
        raise UsageError(f"there is no profile {profile!r}, only {' and '.join(map(repr, PROFILES))}")
    if profile != "relabel-2021":
        return header.orientation == "xy"
    if header.height != header.width:
        raise UsageError(
            f"profile 'relabel-2021' is not defined for a grid of {header.height}x{header.width}: "
            "the released code takes both lengths from the width"
        )
    return True


def is_clamped(outside: str) -> bool:
    """True where boxes are cut to the extent of their map; raises `UsageError` for an unknown word."""
    if outside not in OUTSIDE:
        raise UsageError(f"outside is {outside!r}, not {' or '.join(map(repr, OUTSIDE))}")
    return outside == "clamp"


def box_rules(boxes: Any) -> list[Rule]:
    """The rules of section 13.1 for boxes [..., 4]; a box that breaks any is none."""
    top, left, height, width = (boxes[..., side] for side in range(4))
    fractions = (boxes >= 0) & (boxes <= 1)  # false for NaN
    return [
        (
            fractions.all(-1),
            "not all four are fractions from 0 to 1; divide pixels by the picture's height and width",
        ),
        ((height > 0) & (width > 0), "it is empty"),
        ((top < 1) & (left < 1), "it begins at the far edge of the picture"),
        (top + height <= 1 + TOLERANCE, "it reaches beyond the lower edge of the picture"),
        (left + width <= 1 + TOLERANCE, "it reaches beyond the right edge of the picture"),
    ]


def into_extent(boxes: Any, extent: Any, clamp: bool, xp: Any) -> tuple[Any, Any, list[Rule]]:
    """Maps boxes [..., 4] into extents that broadcast with them (spec, section 13.2).

    `xp` is the module of the arrays, `numpy` or `torch`. Returns the boxes in fractions of the extent
    [..., 4], the share of each box that the extent covers [...], and the rules that the boxes must keep.
    """
    start, length, origin, size = boxes[..., :2], boxes[..., 2:], extent[..., :2], extent[..., 2:]
    first, share = (start - origin) / size, length / size
    meets = (first < 1) & (first + share > 0)
    fits = (first >= -TOLERANCE) & (first + share <= 1 + TOLERANCE)
    begin = xp.maximum(start, origin)
    cut = xp.minimum(start + length, origin + size) - begin
    rules = [((meets & (fits | (cut > 0))).all(-1), "it lies outside what the map covers")]
    covered = xp.ones_like(boxes[..., 0])
    if clamp:  # a side that fits stays as it is, to the last bit
        cut = xp.where(fits, length, cut)
        first = xp.where(fits, first, (begin - origin) / size)
        share, covered = cut / size, (cut / length).prod(-1)
    else:
        rules.append((fits.all(-1), "it leaves what the map covers: crop inside it, or ask for 'clamp'"))
    return xp.concatenate([first, share], -1), covered, rules


def axes_of_grid(boxes: Any, transposed: bool) -> list[Any]:
    """Start and length along axis y of the grid, then along axis x, of boxes [..., 4]."""
    return [boxes[..., side] for side in ((1, 3, 0, 2) if transposed else (0, 2, 1, 3))]


def axis_weights(start: Floats, length: Floats, cells: int) -> Floats:
    """The weights [N, cells] of the cells of an axis for N boxes (spec, section 13.3).

    `start` and `length` [N] are fractions of the axis. The weights of a box sum to 1.
    """
    # Every rounding up to the number of samples is part of the definition.
    count, half = np.float32(cells), np.float32(0.5)
    low = start.astype(np.float32) * count - half
    high = (start + length).astype(np.float32) * count - half
    span = np.maximum(high - low, np.float32(1))
    samples = np.ceil(span).astype(np.float64)[:, None]

    sample = np.arange(samples.max(initial=0))
    share = (sample < samples) / samples
    place = low.astype(np.float64)[:, None] + (sample + 0.5) * span.astype(np.float64)[:, None] / samples
    place = place.clip(0, cells - 1)  # samples of an allowed box are at most one cell outside
    near = place.astype(np.int64)
    far = np.minimum(near + 1, cells - 1)
    slots = np.stack([near, far]) + np.arange(0, len(place) * cells, cells)[:, None]
    part = (place - near) * share
    weights = np.bincount(slots.ravel(), np.stack([share - part, part]).ravel(), len(place) * cells)
    return weights.reshape(-1, cells).astype(np.float64, copy=False)
