"""A sampler for DataLoader that walks the epoch order of the specification."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from torch.utils.data import Sampler
from torch.utils.data.distributed import DistributedSampler

from ..epoch import whole
from ..errors import UsageError
from .order import Order, Tail, WalkOfRank
from .progress import checked_state
from .sharing import REMEDY, sharer


class EpochSampler(Sampler[int]):
    """Hands DataLoader the items of one rank in the order of spec section 14, the same in every language.

        >>> from relabel_hdf5.train import EpochSampler
        >>> sampler = EpochSampler(6, seed=1, rank=0, ranks=1)  # 6 items; or give a RelabelFolder
        >>> for epoch in range(2):
        ...     sampler.set_epoch(epoch)
        ...     print(list(sampler))
        [5, 4, 1, 0, 2, 3]
        [3, 0, 2, 5, 1, 4]

    - `items`: a `RelabelFolder`, another dataset with a length, or the number of items.
    - `rank`, `ranks`: by default those of torch.distributed if it is initialised, else one rank. If Accelerate or
      Lightning shares items a second time, the sampler hands out all items, with a warning; it refuses ranks that
      were given.
    - `order`: ``"uniform"``, or ``"chunk"``, which decodes every chunk of the maps once; DataLoader then
      reads whole chunks, so a batch size should be a multiple of the images of a chunk. Warns for maps in
      source order.
    - `tail`: what happens to items that don't divide among the ranks: ``"drop"``, ``"pad"`` or ``"uneven"``.

    Call `set_epoch` before every epoch. The order depends only on these arguments and the epoch. The crops that
    transforms draw depend on more: give DataLoader a `generator` if crops in workers have to be the same next
    time.
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
        self._is_asked_ahead = False
        self.epoch = 0
        self._start = 0
        self._handed_out = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch: one that `load_state_dict` loaded goes on where it stopped, another begins."""
        if (epoch := whole(epoch, "epoch")) != self.epoch:
            self.epoch, self._start, self._handed_out = epoch, 0, 0

    def __len__(self) -> int:
        """The items of this epoch that are still to come when it is walked."""
        self._share_once()
        return self._walk.length - self._start

    def __iter__(self) -> Iterator[int]:
        self._share_once()
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
            if self._is_asked_ahead:
                raise UsageError(
                    "a DistributedSampler asks this one for the whole epoch at its beginning: give the position, the "
                    "number of items that were trained on"
                )
            position = self._handed_out
        return {**self._walk.identity, "epoch": self.epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where a state was taken; raises `UsageError` where it belongs to another walk or other labels."""
        self.epoch, self._start = checked_state(state, self._walk)
        self._handed_out = self._start

    def _share_once(self) -> None:
        """Hands out all items where the caller shares them among the ranks again, or refuses."""
        if self._walk.ranks == 1 or (other := sharer()) is None:
            return
        name = f"{type(other).__module__}.{type(other).__name__}"
        twice = f"{name} shares items among processes, and so does this EpochSampler"
        if self._walk.is_told:
            raise UsageError(
                f"{twice}, of rank {self._walk.rank} of {self._walk.ranks}: most items would never be seen. {REMEDY}"
            )
        warnings.warn(f"{twice}: it hands out all items from now on. {REMEDY}", stacklevel=3)
        self._walk = self._walk.of_all()
        self._is_asked_ahead = isinstance(other, DistributedSampler)
