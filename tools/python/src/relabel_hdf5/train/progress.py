"""Whether a saved state belongs to a walk."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any

from ..errors import UsageError
from .order import IDENTITY, WalkOfRank

_MEANINGS = {
    "build_id": " (the build of the maps)",
    "items_digest": " (a digest of which item has which map)",
}


def checked_state(state: Mapping[str, Any], walk: WalkOfRank) -> tuple[int, int]:
    """Epoch and position of a state; raises `UsageError` where it was taken of another walk."""
    if not isinstance(state, Mapping):
        raise UsageError(f"the state is {state!r}: load what state_dict returned")
    for name in IDENTITY:
        then, now = state.get(name), walk.identity.get(name)
        if then != now:
            raise UsageError(
                f"the state belongs to another walk: {name}{_MEANINGS.get(name, '')} was {then!r} and is "
                f"{now!r}. An epoch goes on only over the same items, in the same order, with as many ranks"
            )
    epoch, position = _count(state, "epoch"), _count(state, "position")
    if position > walk.length:
        raise UsageError(f"the state has the position {position} in an epoch of {walk.length} items a rank")
    return epoch, position


def _count(state: Mapping[str, Any], name: str) -> int:
    if name not in state:
        raise UsageError(f"the state has no {name!r}: load what state_dict returned")
    try:
        value = index(state[name])
    except TypeError:
        value = -1
    if value < 0:
        raise UsageError(f"the state has the {name} {state[name]!r}: it is an integer, 0 or more")
    return value
