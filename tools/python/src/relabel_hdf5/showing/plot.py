"""A picture with its label map over it, by matplotlib."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..labels import LabelMap
from .cells import GREY, Cells, cells_of
from .drawing import draw_picture, edges, need_matplotlib, own_axes, pixels_of, set_legend, set_title
from .pixels import opacity
from .texts import how_it_lies, key_of, percent, shown
from .view_boxes import Seen, draw_boxes, seen_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OVER_PICTURE = 0.65
"""The opacity of a cell that is sure of its class, over a picture that has to be seen below it."""
_LEGEND_NAME = 30
"""Characters of a name in the legend."""


def plot_map(map: LabelMap, picture: Any = None, ax: Axes | None = None, profile: str | None = None, classes: int = 8) -> Axes:
    """Draws a map over its picture, or alone: see `LabelMap.plot`."""
    need_matplotlib()
    cells = cells_of(map, profile, classes)
    pixels = None if picture is None else pixels_of(picture)
    seen = seen_of(map) if map.header.has_views else None
    if seen is not None and pixels is not None and seen.box is None:
        raise UsageError(
            "nobody knows which part of its picture this view shows: plot it without the picture", key=key_of(map)
        )
    ax = own_axes(ax)
    if pixels is not None:
        draw_picture(ax, pixels)
    _draw_cells(ax, map, cells, None if pixels is None else pixels.shape[:2], seen)
    if seen is not None and pixels is not None:
        draw_boxes(ax, seen.rows, pixels.shape[:2], emphasised=seen.place)
    set_title(ax, shown(key_of(map)) + ("" if seen is None else f", view {seen.number}"), how_it_lies(map.header, profile),
              "" if seen is None else seen.note)  # fmt: skip
    set_legend(ax, _entries(cells), "best class, share of cells")
    return ax


def png_of(map: LabelMap) -> bytes | None:
    """The map alone as a PNG, or None where matplotlib is not loaded: importing it takes longer than a notebook should wait."""
    if "matplotlib" not in sys.modules:
        return None
    need_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")  # no figure of pyplot, which notebooks would show once more
    plot_map(map, ax=figure.add_subplot(anchor="W"))
    written = io.BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _draw_cells(ax: Axes, map: LabelMap, cells: Cells, size: tuple[int, int] | None, seen: Seen | None) -> None:
    colours = np.array([_rgb(one.colour) for one in cells.leading] + [_rgb(GREY)])
    image = np.empty((*cells.best.shape, 4))
    image[..., :3] = colours[cells.slot]
    image[..., 3] = np.vectorize(opacity)(cells.probability) * (1 if size is None else _OVER_PICTURE)
    box = map.extent
    if seen is not None and size is not None:
        box = seen.within_picture(map.extent)
        if seen.flip:
            image = image[:, ::-1]
    left, right, bottom, top = edges(box, size)
    # Cells are squares where no picture says how wide they are.
    height, width = cells.best.shape
    aspect = 1.0 if size is not None else abs((right - left) / width / ((bottom - top) / height))
    limits = (ax.get_xlim(), ax.get_ylim())
    ax.imshow(image, extent=(left, right, bottom, top), interpolation="nearest", aspect=aspect)
    if size is None:
        ax.set(xticks=[], yticks=[], xlim=(left, right), ylim=(bottom, top))
        return
    # A crop may leave its picture.
    ax.set(xlim=(min(limits[0][0], left), max(limits[0][1], right)), ylim=(max(limits[1][0], bottom), min(limits[1][1], top)))


def _rgb(colour: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255


def _entries(cells: Cells) -> list[tuple[str, str]]:
    found = [
        (one.colour, f"{shown(one.label, _LEGEND_NAME)}  {percent(one.cells / cells.best.size)}") for one in cells.leading
    ]
    if cells.others:
        found.append((GREY, f"{cells.others:,} other classes  {percent(cells.other_cells / cells.best.size)}"))
    return found


