"""What a writer says of all its views at once: the members that the header of a stream of views has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..epoch import whole
from ..errors import UsageError
from ..layout import BOX_TYPES, MAXIMUM_OPERATIONS_BYTES

BoxType = Literal["float16", "float32", "float64", "pixels"]
ViewOrder = Literal["source", "image", "replay"]


@dataclass(frozen=True)
class ViewStream:
    """How views were made of pictures, and how their rows come."""

    document: Mapping[str, Any]
    """The member `views` of the metadata document."""
    size: tuple[int, int] | None
    """Height and width in pixels of a view."""
    box_type: str
    """The type in which the source has its boxes."""
    row_order: str
    """How rows follow each other."""
    cell_order: str | None
    """How entries of a cell follow each other; None leaves it to the packer."""
    temperature: float | None
    """The temperature that probabilities were made at; None leaves it to the annotator document."""
    operations_bytes: int
    """The most bytes that the operations of a view have."""

    def members(self, fields: Sequence[str]) -> dict[str, Any]:
        """The members of the header; `fields` are those that records carry."""
        found: dict[str, Any] = {"views": dict(self.document), "row_order": self.row_order}
        if self.size is not None:
            found["view_size"] = list(self.size)
        if "view_box" in fields:
            found["box_type"] = self.box_type
        if "operations" in fields:
            found["operations_bytes"] = self.operations_bytes
        if self.cell_order is not None:
            found["cell_order"] = self.cell_order
        if self.temperature is not None:
            found["temperature"] = self.temperature
        if self.row_order == "replay" and "batch_size" in self.document:
            found["rows_together"] = self.document["batch_size"]
        return found


def view_stream(
    views: Mapping[str, Any] | None,
    view_size: int | Sequence[int] | None,
    box_type: str,
    row_order: str,
    cell_order: str | None,
    temperature: float | None,
    operations_bytes: int,
) -> ViewStream | None:
    """What the options of a writer say of its views; None where rows are images. Raises `UsageError`."""
    if views is None:
        if (view_size, temperature, row_order) != (None, None, "source") or cell_order == "source":
            raise UsageError("view_size, row_order, temperature and cell_order='source' are for views: give views={...}")
        return None
    if not isinstance(views, Mapping):
        raise UsageError(f"views is {views!r}, not the document that says how views were made, such as {{}}")
    for name, value, words in (("box_type", box_type, BOX_TYPES), ("row_order", row_order, ("source", "image", "replay"))):
        if value not in words:
            raise UsageError(f"{name} is {value!r}, not one of {', '.join(map(repr, words))}")
    if not 1 <= whole(operations_bytes, "operations_bytes") <= MAXIMUM_OPERATIONS_BYTES:
        raise UsageError(f"operations_bytes is {operations_bytes}; it is 1 to {MAXIMUM_OPERATIONS_BYTES}")
    return ViewStream(views, _size(view_size), box_type, row_order, cell_order, temperature, operations_bytes)


def _size(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) != 2:
        raise UsageError(f"view_size is {size!r}, not a height and a width")
    height, width = (whole(side, "view_size") for side in sides)
    return height, width
