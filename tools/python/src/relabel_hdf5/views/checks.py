"""Whether the values of view columns mean anything; what is wrong with the first that don't."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Size = tuple[int, int] | None

_NEVER_WRITTEN = 0x7FF8000000000000
"""The bits of NaN that stand for "never written", and in a lambda for "not mixed"."""
NOT_MIXED = np.array(_NEVER_WRITTEN, np.uint64).view(np.float64)
"""That NaN."""


class Fault(NamedTuple):
    """A row whose value means nothing: its place among those given, the broken rule, and why."""

    place: int
    rule: str
    message: str


def fault(name: str, values: Array, view_size: Size) -> Fault | None:
    """The first fault among rows of a view column, or None; a column without a check has none."""
    check = _CHECKS.get(name)
    return check(values, view_size) if check else None


def is_unwritten(numbers: Array) -> npt.NDArray[np.bool_]:
    """Where float64 numbers have the fill value's bits."""
    return np.asarray(np.ascontiguousarray(numbers).view(np.uint64) == _NEVER_WRITTEN)


def _first(is_wrong: Any, values: Array, message: str, rule: str) -> Fault | None:
    if not is_wrong.any():
        return None
    place = int(is_wrong.argmax())
    return Fault(place, rule, message.format(values[place].tolist()))


def _number(values: Array, _: Size) -> Fault | None:
    unwritten = _first(values == -1, values, "the view was never written", "V007")
    return unwritten or _first(values < 0, values, "the number of the view is {}, not one counted from 0", "V024")


def _box(values: Array, _: Size) -> Fault | None:
    unwritten = _first(is_unwritten(values).any(-1), values, "the box was never written", "V007")
    if unwritten:
        return unwritten
    infinite = _first(~np.isfinite(values).all(-1), values, "(top, left, height, width) = {} are not all finite", "V003")
    is_empty = ~(values[:, 2:] > 0).all(-1)
    return infinite or _first(is_empty, values, "(top, left, height, width) = {} needs a height and a width above 0", "V025")


def _flip(values: Array, _: Size) -> Fault | None:
    return _first(~np.isin(values, (0, 1, 255)), values, "the flip is {}, not 0, 1 or 255 for one that nobody knows", "V026")


def _seed(values: Array, _: Size) -> Fault | None:
    return _first(values == -1, values, "the seed was never written", "V007")


def _replay(values: Array, _: Size) -> Fault | None:
    is_right = (values >= 0).all(-1) | (values == -1).all(-1)
    return _first(~is_right, values, "(epoch, batch, slot) = {} are neither three numbers from 0 on nor -1 each", "V028")


def _share(values: Array, _: Size) -> Fault | None:
    is_right = is_unwritten(values) | ((values >= 0) & (values <= 1))
    return _first(~is_right, values, "lambda is {}, neither from 0 to 1 nor the NaN that says 'not mixed'", "V027")


def _partner(values: Array, _: Size) -> Fault | None:
    return _first((values < -1).any(-1), values, "the partner is {}: image and slot are from 0 on, or -1", "V027")


def _edges(values: Array, size: Size) -> Fault | None:
    height, width = size or (math.inf, math.inf)
    top, left, bottom, right = values.T
    is_box = (0 <= top) & (top <= bottom) & (bottom <= height) & (0 <= left) & (left <= right) & (right <= width)
    is_right = is_box | (values == -1).all(-1)
    what = f"(top, left, bottom, right) = {{}} is no box within a view of {height}×{width} pixels"
    return _first(~is_right, values, what, "V027")


_CHECKS: dict[str, Callable[[Array, Size], Fault | None]] = {
    "view": _number, "view_box": _box, "view_flip": _flip, "view_seed": _seed, "replay": _replay,
    "mixup_lambda": _share, "mixup_partner": _partner, "cutmix_lambda": _share, "cutmix_box": _edges,
    "cutmix_partner": _partner,
}  # fmt: skip
