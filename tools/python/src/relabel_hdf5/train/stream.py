"""An iterable dataset that walks the epoch order itself, for loaders that take no sampler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..epoch import worker_batches
from ..errors import UsageError
from .folder import RelabelFolder
from .order import Order, Tail, WalkOfRank
from .progress import checked_state


class RelabelStream(IterableDataset[tuple[Any, ...]]):
    """Yields the items of a `RelabelFolder` in the order of spec section 14.

    Batches go to DataLoader's workers in turn, so the sequence is the same with any number of them. Give the
    `batch_size` of the DataLoader, which nothing can check here: with another one and several workers, items
    come in an order that depends on the number of workers, and no position describes it. A batch's chunks of
    maps are read once each. The other arguments are those of `EpochSampler`.

    Call `set_epoch` before every epoch: workers that persist see it too.
    """

    def __init__(
        self,
        folder: RelabelFolder,
        *,
        batch_size: int,
        seed: int = 0,
        rank: int | None = None,
        ranks: int | None = None,
        order: Order = "uniform",
        tail: Tail = "drop",
    ) -> None:
        if batch_size < 1:
            raise UsageError(f"batch_size = {batch_size}: a batch has at least one item")
        self.folder = folder
        self.batch_size = batch_size
        self._walk = WalkOfRank(folder, seed, rank, ranks, order, tail)
        progress: Any = torch.zeros(2, dtype=torch.int64)  # epoch and first place
        self._progress = progress.share_memory_()  # for workers that live on into the next epoch

    @property
    def epoch(self) -> int:
        """The epoch that is or will be walked."""
        return int(self._progress[0])

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch: one that `load_state_dict` loaded goes on where it stopped, another begins."""
        if epoch != self.epoch:
            self._progress.copy_(torch.tensor([epoch, 0]))

    def __len__(self) -> int:
        """The items of this epoch that are still to come when it is walked."""
        return self._walk.length - int(self._progress[1])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        worker = get_worker_info()
        place = (worker.id, worker.num_workers) if worker else (0, 1)
        epoch, start = self._progress.tolist()
        items = self._walk.items(epoch)
        for batch in worker_batches(len(items), self.batch_size, *place, start):
            yield from self.folder.__getitems__(items[batch])

    def state_dict(self, position: int) -> dict[str, Any]:
        """What is needed to go on in the middle of this epoch, after `position` items of this rank."""
        return {**self._walk.identity, "epoch": self.epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where a state was taken, until `set_epoch` chooses another epoch.

        Raises `UsageError` where the state belongs to another walk.
        """
        self._progress.copy_(torch.tensor(checked_state(state, self._walk)))
