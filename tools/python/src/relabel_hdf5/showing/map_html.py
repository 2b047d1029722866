"""What a notebook shows of one label map: its grid in colour, and a legend.

All text takes the notebook's own colour on its own ground, so that it can be read in light and dark ones. Styles stand in
the elements, since some pages that show notebooks drop style sheets.
"""

from __future__ import annotations

from ..labels import LabelMap
from .cells import GREY, Cells, cells_of
from .pixels import data_address, opacity
from .texts import escaped, how_it_lies, key_of, percent

_SIDE = 300
"""The longer side of the grid, in pixels of the page."""
_ELEMENTS = 1024
"""Grids of more cells are an image, without a tip for each cell."""
_TIP = 32
"""Characters of a name in a cell's tip."""
_CELL = "text-align:left;padding:1px 8px;color:inherit"
_SWATCH = "display:inline-block;width:.9em;height:.9em;border:1px solid currentColor;background:"


def map_html(map: LabelMap) -> str:
    """The map as a figure of at most 300 kB, whatever its grid and names are."""
    cells = cells_of(map)
    return (
        '<figure style="margin:0;color:inherit;font-family:sans-serif;font-size:13px">'
        f'<figcaption style="padding:0 0 6px"><strong>{escaped(key_of(map), 200)}</strong><br>{_about(map)}</figcaption>'
        f'<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">{_grid(map, cells)}{_legend(cells)}</div>'
        "</figure>"
    )


def _about(map: LabelMap) -> str:
    header = map.header
    parts = [
        f"{header.height}×{header.width} cells, {header.top_k} of {header.num_classes:,} classes in each",
        how_it_lies(header, None),
    ]
    if tuple(map.extent) != (0, 0, 1, 1):
        top, left, height, width = map.extent
        parts.append(f"covers top {top:.3g}, left {left:.3g}, height {height:.3g}, width {width:.3g} of the picture")
    return "; ".join(part for part in parts if part)


def _grid(map: LabelMap, cells: Cells) -> str:
    height, width = cells.best.shape
    scale = _SIDE / max(height, width)
    size = f'width="{max(4, round(width * scale))}" height="{max(4, round(height * scale))}"'
    label = _described(map, cells)
    if cells.best.size > _ELEMENTS:
        return (
            f'<img {size} role="img" alt="{label}" src="{data_address(cells)}"'
            ' style="image-rendering:pixelated;outline:1px solid currentColor;max-width:none">'
        )
    squares = "".join(_square(map, cells, y, x) for y in range(height) for x in range(width))
    return (
        f'<svg {size} viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" aria-label="{label}"'
        f' style="outline:1px solid currentColor" shape-rendering="crispEdges">{squares}</svg>'
    )


def _square(map: LabelMap, cells: Cells, y: int, x: int) -> str:
    slot, share = int(cells.slot[y, x]), float(cells.probability[y, x])
    colour, label = GREY, f"class {cells.best[y, x]}"
    if slot < len(cells.leading):
        colour, label = cells.leading[slot].colour, cells.leading[slot].label
    return (
        f'<rect x="{x}" y="{y}" width="1" height="1" fill="{colour}" fill-opacity="{opacity(share):.2f}">'
        f"<title>row {y}, column {x}: {escaped(label, _TIP)}, {percent(share)}</title></rect>"
    )


def _described(map: LabelMap, cells: Cells) -> str:
    """What a screen reader says in the grid's place."""
    names = (f"{escaped(one.label)} in {percent(one.cells / cells.best.size)}" for one in cells.leading[:3])
    height, width = cells.best.shape
    return f"Label map of {escaped(key_of(map), 200)}, {height} by {width} cells. Best class: {', '.join(names)} of the cells."


def _legend(cells: Cells) -> str:
    rows = [
        f'<tr><td style="{_CELL}"><span aria-hidden="true" style="{_SWATCH}{one.colour}"></span></td>'
        f'<th scope="row" style="{_CELL};font-weight:normal">{escaped(one.label)}</th>'
        f'<td style="{_CELL}">{percent(one.cells / cells.best.size)}</td><td style="{_CELL}">{percent(one.mean)}</td></tr>'
        for one in cells.leading
    ]
    if cells.others:
        rows.append(
            f'<tr><td style="{_CELL}"><span aria-hidden="true" style="{_SWATCH}{GREY}"></span></td>'
            f'<th scope="row" style="{_CELL};font-weight:normal">{cells.others:,} other</th>'
            f'<td style="{_CELL}">{percent(cells.other_cells / cells.best.size)}</td><td style="{_CELL}"></td></tr>'
        )
    head = "".join(f'<th scope="col" style="{_CELL}">{text}</th>' for text in ("colour", "class", "best in", "probability"))
    caption = '<caption style="caption-side:bottom;text-align:left;padding:4px 8px;color:inherit">'
    return (
        f'<table style="border-collapse:collapse;color:inherit;font-size:13px;margin:0">{caption}best in: share of the cells. probability: '
        "mean over all cells. The fainter a cell, the less probable its class.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
