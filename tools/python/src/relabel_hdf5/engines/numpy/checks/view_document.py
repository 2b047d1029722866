"""The member `views` of the metadata document: how views were made of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .canonical import is_whole

STEPS = ("crop", "resize", "flip", "operations", "mixup", "cutmix")
"""The words of `chain`."""
_MODES = ("eval", "train", "unknown")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_MEMBERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "dialect": (_is_text, "a word"),
    "chain": (
        lambda value: isinstance(value, list) and all(_is_text(word) and word in STEPS for word in value),
        f"a list of words of {', '.join(STEPS)}",
    ),
    "interpolation": (_is_text, "a word"),
    "antialias": (lambda value: isinstance(value, bool), "true or false"),
    "teacher_mode": (lambda value: _is_text(value) and value in _MODES, f"one of {', '.join(_MODES)}"),
    "operations_schema": (lambda value: _is_text(value) and value != "", "a text"),
    "batch_size": (lambda value: is_whole(value) and value > 0, "a number above 0"),
    "source": (lambda value: isinstance(value, dict), "an object"),
}


def check_views(views: Any, fault: type[Exception]) -> None:
    """Raises a fault that names the first member that is not as it must be."""
    if not isinstance(views, dict):
        raise fault("member 'views' is not an object")
    for name, (is_right, what) in _MEMBERS.items():
        if name in views and not is_right(views[name]):
            raise fault(f"the views' '{name}' is not {what}")
