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

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch: one that `load_state_dict` loaded goes on where it stopped, another begins."""
        if epoch != self.epoch:
            self.epoch, self._start = epoch, 0

    def __len__(self) -> int:
        """The items of this epoch that are still to come when it is walked."""
        return self._walk.length - self._start

    def __iter__(self) -> Iterator[int]:
        items = self._walk.items(self.epoch)[self._start :].tolist()
        self._start = 0
        yield from items

    def state_dict(self, position: int) -> dict[str, Any]:
        """What is needed to go on in the middle of this epoch (spec section 14.5).

        `position` is the number of items that this rank has trained on in this epoch. Only the training loop
        knows it: DataLoader's workers ask for batches ahead.
        """
        return {**self._walk.identity, "epoch": self.epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where a state was taken; raises `UsageError` where it belongs to another walk."""
        self.epoch, self._start = checked_state(state, self._walk)
