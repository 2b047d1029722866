"""Which part of the original picture a transformed picture shows, in exact arithmetic.

Boxes are fractions of pixel counts. They are composed as `Fraction`s and rounded to float64 once, at the
end, so that a crop of i to i + h of P rows has the box i/P, h/P to the last bit whatever came after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import BoxError

Row = tuple[Fraction, Fraction, Fraction]
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Placement:
    """Where each point of a transform's output lies in its input.

    Both are measured in fractions of height and width: the output's point (v, u) lies at
    (row[0]·v + row[1]·u + row[2], column[0]·v + column[1]·u + column[2]) of the input.
    """

    row: Row
    column: Row

    @classmethod
    def window(cls, size: tuple[int, int], top: int, left: int, height: int, width: int) -> Placement:
        """A rectangle of pixels of a picture of the size (height, width); it may reach over the border."""
        rows, columns = size
        return cls(
            (Fraction(height, rows), _ZERO, Fraction(top, rows)),
            (_ZERO, Fraction(width, columns), Fraction(left, columns)),
        )

    @classmethod
    def mirror(cls, *, rows: bool = False, columns: bool = False) -> Placement:
        """The whole input, upside down (`rows`) or left to right (`columns`)."""
        return cls(
            (-_ONE, _ZERO, _ONE) if rows else (_ONE, _ZERO, _ZERO),
            (_ZERO, -_ONE, _ONE) if columns else (_ZERO, _ONE, _ZERO),
        )

    @classmethod
    def affine(cls, size: tuple[int, int], row: tuple[float, ...], column: tuple[float, ...]) -> Placement:
        """Pixel (y, x) of an output as large as its input lies at row · (y, x, 1), column · (y, x, 1)."""
        rows, columns = size
        a, b, c = (Fraction(value) for value in row)
        d, e, f = (Fraction(value) for value in column)
        return cls((a, b * columns / rows, c / rows), (d * rows / columns, e, f / columns))

    def of(self, inner: Placement) -> Placement:
        """Where the output of a second transform, which `inner` places in this one's, lies in our input."""
        if self is WHOLE:
            return inner

        def compose(outer: Row) -> Row:
            v, u, rest = outer
            pairs = zip(inner.row, inner.column, strict=True)
            first, second, third = (_times(v, down) + _times(u, across) for down, across in pairs)
            return first, second, third + rest

        return Placement(compose(self.row), compose(self.column))


WHOLE = Placement.mirror()
Span = tuple[Fraction, Fraction]
_ALL: Span = (_ZERO, _ONE)


@dataclass(frozen=True)
class View:
    """A picture on its way through a transform, and what it shows of the original.

    `rows` and `columns` are the part of the original that can still be seen: what a crop has cut away does
    not come back when a later padding makes room for it.
    """

    picture: Any
    placement: Placement = WHOLE
    rows: Span = _ALL
    columns: Span = _ALL

    def with_picture(self, picture: Any) -> View:
        """The same part of the original in other pixels."""
        return View(picture, self.placement, self.rows, self.columns)

    def placed(self, picture: Any, placement: Placement) -> View:
        """What `picture`, made from this view's picture, shows of the original."""
        if placement is WHOLE:
            return self.with_picture(picture)
        total = self.placement.of(placement)
        return View(picture, total, _cut(self.rows, total.row), _cut(self.columns, total.column))

    def box(self) -> np.ndarray:
        """The box (top, left, height, width) in fractions of the original, float64 [4]; spec section 13.6."""
        top, bottom = self.rows
        left, right = self.columns
        if bottom <= top or right <= left:
            raise BoxError("the transform shows nothing of the picture but padding: there is no target")
        return np.array([float(top), float(left), float(bottom - top), float(right - left)])


def _times(a: Fraction, b: Fraction) -> Fraction:
    """a·b; most of these are zero, and `Fraction` does not look."""
    return a * b if a.numerator and b.numerator else _ZERO


def _cut(span: Span, coefficients: Row) -> Span:
    """The part of `span` inside the bounds of an output whose corners have the coordinates 0 and 1."""
    v, u, start = coefficients
    low = high = start
    for step in (v, u):
        if step.numerator > 0:
            high += step
        elif step.numerator:
            low += step
    if span is _ALL:  # whole numbers are compared in a fraction of the time
        return low if low.numerator > 0 else _ZERO, high if high.numerator < high.denominator else _ONE
    return max(span[0], low), min(span[1], high)
