"""The rules of an image key, which are also those of a shard's path (spec, sections 9.2 and 11.2)."""

from __future__ import annotations

import re

from ....layout import MAXIMUM_KEY_BYTES

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_WRONG_PART = re.compile(r"(?:^|/)(\.{0,2})(?:/|$)")


def path_fault(path: str) -> str | None:
    """Why this is not a relative path that stays where it is, or None when it is one."""
    if not path:
        return "it is empty"
    if len(path.encode("utf-8", "surrogatepass")) > MAXIMUM_KEY_BYTES:
        return f"it has more than {MAXIMUM_KEY_BYTES} bytes"
    if _CONTROL.search(path):
        return "it holds control characters"
    if path.startswith("/"):
        return "it is absolute"
    if match := _WRONG_PART.search(path):
        return f"it has the part '{match[1]}'" if match[1] else "it has an empty part"
    return None
