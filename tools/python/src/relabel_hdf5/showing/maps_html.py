"""What a notebook shows of a dataset: what its labels are, without reading any of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import RelabelError, printable
from ..header import Header
from .texts import escaped, how_it_lies

if TYPE_CHECKING:
    from ..dataset import LabelMaps

_CELL = "text-align:left;vertical-align:top;padding:1px 8px;color:inherit"
_CLASSES = 5
"""Names of classes that are listed."""


def maps_html(maps: LabelMaps) -> str:
    """The dataset as a table of facts; one that can't be read any more says why."""
    try:
        rows = list(_facts(maps, maps.header))
    except (RelabelError, OSError) as error:  # closed, or gone since it was opened
        rows = [("not readable", str(error))]
    lines = "".join(
        f'<tr><th scope="row" style="{_CELL}">{name}</th><td style="{_CELL}">{escaped(text, 300)}</td></tr>'
        for name, text in rows
    )
    caption = escaped(f"LabelMaps in {maps.path}", 300)
    return (
        '<table style="border-collapse:collapse;color:inherit;font-family:sans-serif;font-size:13px">'
        f'<caption style="text-align:left;padding:1px 8px;color:inherit">{caption}</caption><tbody>{lines}</tbody></table>'
    )


def _facts(maps: LabelMaps, header: Header) -> Iterator[tuple[str, str]]:
    yield ("views of images" if header.has_views else "images"), f"{len(maps):,}"
    yield "classes", _classes(header)
    yield "grid", f"{header.height}×{header.width} cells, {header.top_k} classes kept in each"
    yield "scores", _scores(header)
    yield "orientation", "; ".join(filter(None, (header.orientation, how_it_lies(header, None).partition(": ")[2])))
    if tuple(header.map_extent) != (0, 0, 1, 1):
        yield "map extent", "top {:.3g}, left {:.3g}, height {:.3g}, width {:.3g} of the picture".format(*header.map_extent)
    yield "annotator", _annotator(header.annotator)
    yield "licence", note(header.metadata.get("licence")) or "not stated"
    yield "written by", f"{header.writer}, format {header.format_version}"


def _classes(header: Header) -> str:
    if header.classes is None:
        return f"{header.num_classes:,}, without names"
    names = [printable(entry.name or entry.id) for entry in header.classes[:_CLASSES]]
    more = len(header.classes) - len(names)
    return f"{header.num_classes:,}: {'; '.join(names)}{f'; and {more:,} more' if more else ''}"


def _scores(header: Header) -> str:
    parts = [header.score_kind, f"stored as {header.encoding}"]
    if header.has_softmax and header.temperature != 1:
        parts.append(f"temperature {header.temperature:g}")
    if header.classes_are != "exclusive":
        parts.append("classes do not exclude each other")
    return ", ".join(parts)


def _annotator(annotator: dict[str, Any] | None) -> str:
    return "not stated" if annotator is None else note(annotator.get("name")) or "without a name"


def note(value: Any) -> str:
    """A member of the metadata document on one line: a text, or a structure of the author's own."""
    return value if isinstance(value, str) else "" if value in (None, [], {}) else repr(value)
