"""Whether somebody else shares items among processes, who would leave a part of a part to each."""

from __future__ import annotations

import sys
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, Sampler
from torch.utils.data.distributed import DistributedSampler

_DEPTH = 64
"""Calls between a loader's loop and the sampler that it asks; there are about ten."""

REMEDY = (
    "With rank=0, ranks=1 it hands out all items and the other one shares them; or let it alone share: in Lightning by "
    "Trainer(use_distributed_sampler=False), with Accelerate by not preparing this loader"
)


def sharer() -> object | None:
    """The caller that shares what it is handed among several processes, such as Accelerate's and Lightning's.

    They wrap whatever sampler there is when a loader is prepared, long after ours was made, and leave nothing
    with it: only who asks tells. None where nobody does.
    """
    frame = sys._getframe(1)
    for _ in range(_DEPTH):
        caller = frame.f_back
        if caller is None:
            return None
        frame = caller
        if frame.f_code.co_varnames[:1] == ("self",):
            asking = frame.f_locals.get("self")
            if isinstance(asking, (Sampler, IterableDataset, DataLoader)) and _shares(asking):
                return asking
    return None


def _shares(asking: Any) -> bool:
    if isinstance(asking, DistributedSampler):
        return int(getattr(asking, "num_replicas", 2)) > 1  # while it is being made, it has no number yet
    state = getattr(asking, "state", None) if type(asking).__name__ == "DataLoaderDispatcher" else None
    found = getattr(state or asking, "num_processes", 1)
    return isinstance(found, int) and found > 1


def accelerate_shares() -> bool:
    """Whether Accelerate runs this process among others; it then hands out the items of any iterable dataset."""
    module = sys.modules.get("accelerate.state")
    shared = getattr(getattr(module, "PartialState", None), "_shared_state", {})
    return int(shared.get("num_processes", 1) or 1) > 1
