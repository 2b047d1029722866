"""A sampler for DataLoader that walks the epoch order of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import Sampler

from .order import Order, Tail, WalkOfRank
from .progress import checked_state


class EpochSampler(Sampler[int]):
    """Hands DataLoader the items of one rank in the order of spec section 14, the same in every language.

    - `items`: a `RelabelFolder`, another dataset with a length, or the number of items.
    - `rank`, `ranks`: from torch.distributed where it is initialised, else one rank alone.
    - `order`: ``"uniform"``, or ``"chunk"``, which decodes every chunk of the maps once; DataLoader then
      reads whole chunks, so a batch size should be a multiple of the images of a chunk. Warns for maps in
      source order.
    - `tail`: what becomes of items that don't divide among the ranks: ``"drop"``, ``"pad"`` or ``"uneven"``.

    Call `set_epoch` before every epoch. The order depends on nothing else than these arguments and the epoch.
    What the transforms draw does: give DataLoader a `generator` for workers whose crops shall be the same
    next time.
    """

    def __init__(
        self,
        items: Any,
        *,
        seed: int = 0,
        rank: int | None = None,
        ranks: int | None = None,
        order: Order = "uniform",
        tail: Tail = "drop",
    ) -> None:
        self._walk = WalkOfRank(items, seed, rank, ranks, order, tail)
        self.epoch = 0
        self._start = 0
        self._handed_out = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch: one that `load_state_dict` loaded goes on where it stopped, another begins."""
        if epoch != self.epoch:
            self.epoch, self._start, self._handed_out = epoch, 0, 0

    def __len__(self) -> int:
        """The items of this epoch that are still to come when it is walked."""
        return self._walk.length - self._start

    def __iter__(self) -> Iterator[int]:
        start, self._start = self._start, 0
        self._handed_out = start
        for position, item in enumerate(self._walk.items(self.epoch)[start:].tolist(), start + 1):
            self._handed_out = position
            yield item

    def state_dict(self, position: int | None = None) -> dict[str, Any]:
        """What is needed to go on in the middle of this epoch (spec section 14.5).

        `position` is the number of items that this rank has trained on in this epoch. With DataLoader's workers
        only the training loop knows it, since they ask for batches ahead. Without it the items count that were
        handed out, which is what torchdata's StatefulDataLoader asks for: it keeps a state for each batch.
        """
        if position is None:
            position = self._handed_out
        return {**self._walk.identity, "epoch": self.epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where a state was taken; raises `UsageError` where it belongs to another walk."""
        self.epoch, self._start = checked_state(state, self._walk)
        self._handed_out = self._start
