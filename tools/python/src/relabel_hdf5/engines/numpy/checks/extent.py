"""Whether extents lie within the picture (spec, section 8.5)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

_LIMIT = 1 + 1e-6
"""How far an extent may reach: sums of rounded fractions exceed 1 by a little."""
_UNWRITTEN = 0x7FC00000
"""The bits of NaN that stand for "never written"."""


def extent_fault(top: float, left: float, height: float, width: float) -> str | None:
    """Why this is not a box within a picture, or None when it is one."""
    for name, value in (("top", top), ("left", left), ("height", height), ("width", width)):
        if not 0 <= value <= 1:
            return f"{name} is {value}, not a fraction from 0 to 1"
    if height == 0 or width == 0:
        return "it is empty"
    if top == 1 or left == 1:
        return "it begins at the far edge"
    if top + height > _LIMIT:
        return f"top + height is {top + height}, beyond the lower edge"
    if left + width > _LIMIT:
        return f"left + width is {left + width}, beyond the right edge"
    return None


def stored_extent_fault(extents: npt.NDArray[Any]) -> tuple[int, str, str] | None:
    """The first wrong one of float32 extents [n, 4]: its place, the rule it breaks, and why; or None."""
    for place, extent in enumerate(extents.tolist()):
        fault = extent_fault(*extent)
        if fault and (extents[place].view(np.uint32) == _UNWRITTEN).any():
            return place, "V007", "the extent was never written"
        if fault:
            rule = "V019" if all(map(math.isfinite, extent)) else "V003"
            return place, rule, f"the extent is not a box: {fault}"
    return None
