"""Whether a saved state belongs to a walk."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from .order import WalkOfRank


def checked_state(state: dict[str, Any], walk: WalkOfRank) -> tuple[int, int]:
    """Epoch and position of a state; raises `UsageError` where it was taken of another walk."""
    for name, value in walk.identity.items():
        if state.get(name) != value:
            then = state.get(name)
            raise UsageError(
                f"the state belongs to another walk: {name} was {then!r} and is {value!r}. An epoch goes on "
                "only over the same items, in the same order, with as many ranks"
            )
    epoch, position = state["epoch"], state["position"]
    if not 0 <= position <= walk.length:
        raise UsageError(f"the state has the position {position} in an epoch of {walk.length} items a rank")
    return epoch, position
