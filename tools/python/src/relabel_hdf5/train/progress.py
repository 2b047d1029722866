"""Whether a saved state belongs to a walk."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any, NamedTuple

from ..errors import UsageError
from .order import IDENTITY, WalkOfRank

_MEANINGS = {
    "build_id": " (the build of the maps)",
    "items_digest": " (a digest of which item has which map)",
    "fingerprint": " (of the labels)",
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
                f"{_other_labels(state, walk)}"
            )
    epoch, position = _count(state, "epoch"), _count(state, "position")
    if position > walk.length:
        raise UsageError(f"the state has the position {position} in an epoch of {walk.length} items a rank")
    if "worker" in state:
        raise UsageError(
            f"the state is that of worker {state['worker']} of {state.get('workers')}: torchdata's StatefulDataLoader "
            "loads it there, with as many workers"
        )
    return epoch, position


def _other_labels(state: Mapping[str, Any], walk: WalkOfRank) -> str:
    """What is to be done where a state was taken with other labels; nothing where they are the same."""
    then, now = state.get("fingerprint"), walk.fingerprint
    if then == now or then is None or now is None:
        return ""
    return (
        f". The labels are others: the state was taken with those of the fingerprint {then}, and these have {now}. "
        "Open the labels of the state (relabel_hdf5.open(PATH).fingerprint tells them), or begin the epoch again "
        "without loading the state"
    )


class WorkerPlace(NamedTuple):
    """How far one process has come in an epoch."""

    epoch: int
    start: int
    """The position of the rank from which batches go to workers in turn."""
    yielded: int
    """Items that this process has yielded since."""


def state_of_worker(walk: WalkOfRank, place: WorkerPlace, worker: int, workers: int) -> dict[str, Any]:
    """The state of one of several workers, which `place_of_worker` reads."""
    where = {"worker": worker, "workers": workers, "yielded": place.yielded}
    return {**walk.identity, "epoch": place.epoch, "position": place.start, **where}


def place_of_worker(state: Mapping[str, Any], walk: WalkOfRank, worker: int, workers: int) -> WorkerPlace:
    """The place that a state gives to a worker: its own, or one where all begin."""
    yielded = 0
    if isinstance(state, Mapping) and (state.get("worker"), state.get("workers")) == (worker, workers):
        yielded = _count(state, "yielded")
        state = {name: value for name, value in state.items() if name != "worker"}
    return WorkerPlace(*checked_state(state, walk), yielded)


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
