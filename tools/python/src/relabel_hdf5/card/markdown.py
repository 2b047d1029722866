"""Texts of a dataset in Markdown: whatever they hold, they stay texts."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import printable

NAME_LENGTH = 200
"""Characters of a name that are shown."""
NOTE_LENGTH = 20_000
"""Characters of a licence, a citation or the like that are shown."""

_MARKS = re.compile(
    r"[\\`*{}\[\]<>#|~&$@^]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # within a word it stands for itself
    r"|:(?!\s|\Z)"  # of an address or an emoji
    r"|(?<=www)\."
    r"|\A[-+=]",  # a list, or a line below a title
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\A(\d{1,9})([.)])")


def inline(text: str, length: int = NAME_LENGTH) -> str:
    """The text for a line, a paragraph or a cell of a table.

    What Markdown or HTML would take for a mark is a numbered character: these are never structure (CommonMark 0.31, section 2.5).
    """
    marked = _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", cut(printable(text), length).strip())
    return _NUMBERED.sub(lambda item: f"{item[1]}&#{ord(item[2])};", marked)


def note(value: Any) -> str:
    """A member of the metadata document as a block: one line as a paragraph, else verbatim."""
    if isinstance(value, str) and "\n" not in value.strip():
        return f"> {inline(value.strip(), NOTE_LENGTH)}"
    if isinstance(value, str):
        return verbatim(value.strip(), "")
    return verbatim(json.dumps(value, indent=2, ensure_ascii=False), "json")


def verbatim(text: str, language: str) -> str:
    """The text as a block of code, whose fence is longer than any run of backticks in it."""
    lines = [printable(line) for line in cut(text, NOTE_LENGTH).split("\n")]
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def table(rows: list[tuple[str, str]]) -> str:
    """Facts and their values, which are Markdown already, as a table."""
    return "\n".join(["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def members(document: dict[str, Any]) -> str:
    """The members of an object as a table; what is no text is JSON."""
    return table(
        [
            (inline(name), inline(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 1000))
            for name, value in document.items()
        ]
    )


def cut(text: str, length: int) -> str:
    """The text, which says how much of it is left out where it is longer than `length`."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length:,} characters more)"
