"""What pictures of maps and of views share: matplotlib, the picture, and texts that are never formulas."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..versions import demand

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}
"""A name with dollar signs is a name."""


def need_matplotlib() -> None:
    """Raises `ImportError` with the extra that brings matplotlib, where it is missing."""
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("plot() draws with matplotlib: pip install 'relabel-hdf5[plot]'") from error
    demand(matplotlib.__name__)


def own_axes(ax: Axes | None) -> Axes:
    """The axes to draw on: those of the caller, or those of a new figure."""
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(9, 4.5), layout="constrained")
        ax.set_anchor("W")  # so that the legend beside a narrow picture has all the room that is left
    return ax


def pixels_of(picture: Any) -> Any:
    """A picture as an array: an image of Pillow, an array or tensor [H, W] or [H, W, 3 or 4], or the path of a file.

    A file is opened without EXIF rotation, as boxes mean it (spec, section 13.1).
    """
    if isinstance(picture, (str, os.PathLike)):
        from PIL import Image  # comes with matplotlib

        with Image.open(picture) as opened:
            picture = opened.convert("RGB")
    pixels = np.asarray(picture)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise UsageError(
            f"the picture is {type(picture).__name__} with the shape {list(pixels.shape)}; plot() takes a path, an image of "
            "Pillow, or an array [H, W], [H, W, 3] or [H, W, 4]"
        )
    return pixels


def draw_picture(ax: Axes, pixels: Any) -> None:
    """Draws the picture; then the axes count its pixels."""
    ax.imshow(pixels, cmap="gray" if pixels.ndim == 2 else None)
    ax.set(xticks=[], yticks=[])


def edges(box: Any, size: tuple[int, int] | None) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a box in the axes, whose pixels have their centres at whole numbers."""
    top, left, height, width = (float(side) for side in box)
    if size is None:
        return left, left + width, top + height, top
    rows, columns = size
    return left * columns - 0.5, (left + width) * columns - 0.5, (top + height) * rows - 0.5, top * rows - 0.5


def set_title(ax: Axes, *lines: str) -> None:
    """Titles the axes with those lines that say something."""
    ax.set_title("\n".join(line for line in lines if line), fontsize="medium", loc="left", wrap=True, **_PLAIN)


def set_legend(ax: Axes, entries: list[tuple[str, str]], title: str) -> None:
    """Puts colours and what they mean beside the axes."""
    from matplotlib.patches import Patch

    # "class 3" or "3 name": matplotlib leaves out a label that begins with an underscore, and none does.
    handles = [Patch(facecolor=colour, edgecolor="0.3", label=label) for colour, label in entries]
    legend = ax.legend(
        handles=handles, title=title, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False, fontsize="small",
        alignment="left",
    )
    for text in (*legend.get_texts(), legend.get_title()):
        text.set(**_PLAIN)


def write(ax: Axes, x: float, y: float, text: str) -> None:
    """Writes a short text that can be read on any picture."""
    ground = {"facecolor": "black", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
    ax.text(x, y, text, color="white", fontsize="small", va="top", bbox=ground, clip_on=True, **_PLAIN)
