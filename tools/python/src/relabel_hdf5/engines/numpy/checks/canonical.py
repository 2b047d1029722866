"""Canonical JSON (spec, section 10.1)."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_DEEPEST = 64
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+', re.ASCII | re.DOTALL)


class NotCanonical(ValueError):
    """The text is no canonical JSON; says why."""


def parse(document: bytes) -> Any:
    """The value of a canonical JSON text; raises `NotCanonical`.

    Numbers that are not whole may be spelled in any way that reads back as the same value.
    """
    try:
        text = document.decode()
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_float=_fraction,
            parse_int=_whole,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise NotCanonical("it is not valid UTF-8") from None
    except NotCanonical:
        raise
    except (ValueError, RecursionError):
        raise NotCanonical("this is not a JSON document") from None
    _check_depth(value, _DEEPEST)
    written = dumps(value)
    if written != text and not _differ_in_fractions_only(written, text):
        raise NotCanonical("white space, the order of names, or an escape")
    try:
        written.encode()
    except UnicodeEncodeError:
        raise NotCanonical("it has a lone surrogate") from None
    return value


def dumps(value: Any) -> str:
    """The canonical text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_number(value: Any) -> bool:
    """True for a JSON number; Python takes true and false for numbers too."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """True for a JSON number without fraction."""
    return isinstance(value, int) and not isinstance(value, bool)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotCanonical("an object has a name twice")
    return members


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotCanonical(f"the number {text} is beyond float64")
    if value.is_integer() and abs(value) < 2**53:
        raise NotCanonical("a whole number has a fraction or an exponent")
    return value


def _whole(text: str) -> int:
    if text == "-0":
        raise NotCanonical("a whole number has a fraction or an exponent")
    value = int(text)
    try:
        float(value)
    except OverflowError:
        raise NotCanonical("a number is beyond float64") from None
    return value


def _constant(text: str) -> Any:
    raise NotCanonical(f"{text} is not a number of JSON")


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, (dict, list)):
        if left == 0:
            raise NotCanonical(f"it is nested deeper than {_DEEPEST}")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, left - 1)


def _differ_in_fractions_only(ours: str, theirs: str) -> bool:
    pairs = [_TOKEN.findall(text) for text in (ours, theirs)]
    return len(pairs[0]) == len(pairs[1]) and all(map(_same, *pairs))


def _same(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    numeric = ours[0] in "-0123456789" and theirs[0] in "-0123456789"
    return numeric and float(ours) == float(theirs)
