"""Views as boxes over their picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..labels import LabelMap
from .cells import GREY, PALETTE
from .drawing import draw_picture, edges, need_matplotlib, own_axes, pixels_of, set_legend, set_title, write
from .texts import class_label, percent, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..views import ViewRows

_NUMBERED = 16
"""From more views on, boxes are not numbered."""
_BLOCK = 1 << 22
"""Probabilities that are dense at once: 16 MB."""


@dataclass(frozen=True)
class Seen:
    """A map that is a view of a picture, among all views of the picture."""

    rows: ViewRows
    place: int

    @property
    def number(self) -> int:
        """Its number within its image."""
        return self.rows[self.place].number

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """The part of the picture that it shows, where that is known."""
        return self.rows[self.place].box

    @property
    def flip(self) -> bool:
        """Whether it is known to be mirrored."""
        return bool(self.rows[self.place].flip)

    @property
    def note(self) -> str:
        """What a title says of it."""
        view = self.rows[self.place]
        parts = ["mirrored"] if view.flip else ["nobody knows whether it is mirrored"] if view.flip is None else []
        if view.mixup or view.cutmix:
            parts.append("mixed with another picture")
        return "; ".join(parts)

    def within_picture(self, extent: Any) -> tuple[float, float, float, float]:
        """A part of the view as a part of the picture."""
        if self.box is None:
            raise UsageError("nobody knows which part of its picture this view shows", key=self.rows[self.place].key)
        top, left, height, width = self.box
        first, start, tall, wide = (float(side) for side in extent)
        if self.flip:
            start = 1 - start - wide
        return top + first * height, left + start * width, tall * height, wide * width


def seen_of(map: LabelMap) -> Seen:
    """The view that a map is, with the others of its picture."""
    views = map.source.views  # type: ignore[attr-defined]  # the source of a map with views is a LabelMaps
    rows = views.of(map.key)
    return Seen(rows, rows.positions.tolist().index(map.position))


def draw_boxes(ax: Axes, rows: ViewRows, size: tuple[int, int], emphasised: int | None = None, colours: Any = None) -> None:
    """Draws the boxes of views over a picture of `size` pixels, one of them emphasised; views without a box are left out."""
    from matplotlib.patches import Rectangle

    if rows.box is None:
        return
    for place, box in enumerate(rows.box):
        left, right, bottom, top = edges(box, size)
        is_thick = emphasised in (place, None)
        colour = "white" if colours is None else colours[place]
        for width, edge in ((3.2 if is_thick else 1.6, "black"), (1.8 if is_thick else 0.8, colour)):
            ax.add_patch(
                Rectangle((left, top), right - left, bottom - top, fill=False, linewidth=width, edgecolor=edge,
                          alpha=1 if is_thick else 0.6)
            )  # fmt: skip
        if len(rows) <= _NUMBERED or place == emphasised:
            write(ax, left, top, str(rows[place].number))


def plot_views(rows: ViewRows, picture: Any, ax: Axes | None = None) -> Axes:
    """Draws views as boxes over their picture: see `ViewRows.plot`."""
    need_matplotlib()
    keys = set(rows.keys())
    if len(keys) != 1:
        raise UsageError(f"these are views of {len(keys)} pictures, and one picture is drawn: take views.of(key)")
    if rows.box is None:
        raise UsageError("the shards don't say which part of its picture a view shows (there is no view_box)")
    header = rows.source.maps.header
    best, share = _best(rows)
    found, counts = np.unique(best, return_counts=True)
    leading = found[np.lexsort((found, -counts))][: len(PALETTE)].tolist()
    colour_of = dict(zip(leading, PALETTE))
    pixels = pixels_of(picture)
    ax = own_axes(ax)
    draw_picture(ax, pixels)
    draw_boxes(ax, rows, pixels.shape[:2], colours=[colour_of.get(one, GREY) for one in best.tolist()])
    boxes = np.array([edges(box, pixels.shape[:2]) for box in rows.box])
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    ax.set(xlim=(min(left, boxes[:, 0].min()), max(right, boxes[:, 1].max())),
           ylim=(max(bottom, boxes[:, 2].max()), min(top, boxes[:, 3].min())))  # fmt: skip
    entries = [
        (colour, f"{shown(class_label(header, one), 30)}  {(best == one).sum()}×, {percent(float(share[best == one].mean()))}")
        for one, colour in colour_of.items()
    ]
    if len(found) > len(leading):
        entries.append((GREY, f"{len(found) - len(leading):,} other classes"))
    set_title(ax, f"{shown(keys.pop())}, {len(rows):,} views")
    set_legend(ax, entries, "best class, views, probability")
    return ax


def _best(rows: ViewRows) -> tuple[Any, Any]:
    """The best class of each view and its probability, in blocks that bound memory."""
    size = max(1, _BLOCK // rows.source.maps.header.num_classes)
    best, share = [], []
    for first in range(0, len(rows), size):
        targets = rows.source.targets(rows.positions[first : first + size])
        best.append(targets.argmax(1))
        share.append(targets.max(1))
    return np.concatenate(best), np.concatenate(share)
