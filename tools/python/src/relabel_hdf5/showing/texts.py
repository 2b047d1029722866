"""Texts of a dataset as people may see them: a class named `<script>` is a name."""

from __future__ import annotations

import html

from ..errors import RelabelError, printable
from ..header import Header
from ..labels import LabelMap

NAME_LENGTH = 80
"""Characters of a name or key that are shown."""


def shown(text: str, length: int = NAME_LENGTH) -> str:
    """The text on one line, control characters written out, and cut where it is longer than `length`."""
    whole = printable(text)
    return whole if len(whole) <= length else whole[: length - 1] + "…"


def escaped(text: str, length: int = NAME_LENGTH) -> str:
    """The same for HTML, in elements and in attributes."""
    return html.escape(shown(text, length))


def class_label(header: Header, class_index: int) -> str:
    """A class's number, and its name where there is a class table."""
    if header.classes is None:
        return f"class {class_index}"
    entry = header.classes[class_index]
    return f"{class_index} {entry.name or entry.id}"


def key_of(map: LabelMap) -> str:
    """The key of the map's picture, or its position and why its key can't be read."""
    try:
        return map.key
    except (RelabelError, OSError) as error:  # the map is here, and its file is closed or gone
        return f"position {map.position} ({error})"


def percent(share: float) -> str:
    """A share as a whole percentage that is never 0 % or 100 % by rounding."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")


def how_it_lies(header: Header, profile: str | None) -> str:
    """What a title says of how the grid lies on the picture; empty where nobody has to be told."""
    if profile is not None:
        return f"profile {profile}"
    if header.orientation == "unknown":
        return "orientation unknown: stored rows are taken to run down the picture"
    return "stored transposed, shown upright" if header.orientation == "xy" else ""
