"""An iterable dataset that walks the epoch order itself, for loaders that take no sampler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from ..epoch import whole, worker_batches
from ..errors import UsageError
from .folder import RelabelFolder
from .order import Order, Tail, WalkOfRank
from .progress import WorkerPlace, checked_state, place_of_worker, state_of_worker
from .sharing import REMEDY, accelerate_shares, sharer

_EPOCH, _START, _IS_AHEAD = range(3)


class RelabelStream(IterableDataset[tuple[Any, ...]]):
    """Yields the items of a `RelabelFolder` in the order of spec section 14.

        >>> from torch.utils.data import DataLoader
        >>> from torchvision import transforms as T
        >>> from relabel_hdf5.train import RelabelFolder, RelabelStream
        >>> crop = T.Compose([T.RandomResizedCrop(64), T.ToTensor()])
        >>> data = RelabelFolder("samples/images", "dataset", crop, classes="maps")
        >>> stream = RelabelStream(data, batch_size=6, seed=1)
        >>> [len(images) for images, targets in DataLoader(stream, batch_size=6)]
        [6, 6, 6]

    Batches go to DataLoader's workers in turn, so the sequence is the same with any number of workers. Give the
    `batch_size` of the DataLoader, which the stream can't check: with another batch size and several workers, the
    order of items depends on the number of workers, and no position describes it. Each chunk that a batch needs is
    read once. The other arguments are those of `EpochSampler`; Accelerate shares streams itself, and needs
    rank=0, ranks=1.

    Call `set_epoch` before every epoch; persistent workers see the new epoch, too. torchdata's StatefulDataLoader
    keeps a state for each worker, and can resume with the same number of workers.
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
        if (batch_size := whole(batch_size, "batch_size")) < 1:
            raise UsageError(f"batch_size = {batch_size}: a batch has at least one item")
        self.folder = folder
        self.batch_size = batch_size
        self._walk = WalkOfRank(folder, seed, rank, ranks, order, tail)
        if self._walk.ranks > 1 and not self._walk.is_told and accelerate_shares():
            raise UsageError(
                "Accelerate shares the items of a prepared stream among its processes itself: give rank=0, ranks=1. "
                "For a loader that Accelerate doesn't prepare, give rank= and ranks= of the process"
            )
        progress: Any = torch.zeros(3, dtype=torch.int64, device="cpu")
        self._progress = progress.share_memory_()  # for workers that live on into the next epoch
        self._loaded: WorkerPlace | None = None  # where a worker goes on, by a state of its own
        self._walked = WorkerPlace(0, 0, 0)  # how far this process is

    @property
    def epoch(self) -> int:
        """The epoch that is or will be walked."""
        return int(self._progress[_EPOCH])

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch: one that `load_state_dict` loaded goes on where it stopped, another begins."""
        epoch = whole(epoch, "epoch")
        if epoch != self.epoch:
            self._begin_at(epoch, 0)

    def __len__(self) -> int:
        """The items of this epoch that are still to come when it is walked."""
        return self._walk.length - int(self._progress[_START])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if self._walk.ranks > 1 and (other := sharer()) is not None:
            name = f"{type(other).__module__}.{type(other).__name__}"
            raise UsageError(f"{name} shares items among processes, and so does this RelabelStream. {REMEDY}")
        epoch, start, _ = self._progress.tolist()
        loaded, self._loaded = self._loaded, None
        self._walked = loaded or WorkerPlace(epoch, start, 0)
        worker = get_worker_info()
        self._progress[_IS_AHEAD] = int(worker is not None)
        if worker is None:
            self._progress[_START] = 0  # walked again, the epoch begins anew
        return self._items(*self._walked, *((worker.id, worker.num_workers) if worker else (0, 1)))

    def _items(
        self, epoch: int, start: int, yielded: int, worker: int, workers: int
    ) -> Iterator[tuple[Any, ...]]:
        """The items of a worker but for those that were yielded, of which no picture is read."""
        items, passed = self._walk.items(epoch), yielded
        for part in worker_batches(len(items), self.batch_size, worker, workers, start):
            batch = items[part]
            if passed >= len(batch):
                passed -= len(batch)
                continue
            for item in self.folder.__getitems__(batch[passed:]):
                yielded += 1
                self._walked = WorkerPlace(epoch, start, yielded)
                yield item
            passed = 0

    def state_dict(self, position: int | None = None) -> dict[str, Any]:
        """What is needed to go on in the middle of this epoch, after `position` items of this rank.

        Without a position the items count that this process has yielded; in a worker, the state is its own.
        Raises `UsageError` where workers yielded them, who read ahead: only the training loop knows then.
        """
        worker = get_worker_info()
        if worker and position is None:
            return state_of_worker(self._walk, self._loaded or self._walked, worker.id, worker.num_workers)
        if position is None:
            if self._progress[_IS_AHEAD]:
                raise UsageError(
                    "workers of a DataLoader read ahead: give the position, the number of items that were trained on, "
                    "or take torchdata's StatefulDataLoader, which asks them"
                )
            here = self._walked if self._walked.epoch == self.epoch else WorkerPlace(self.epoch, 0, 0)
            position = here.start + here.yielded
        return {**self._walk.identity, "epoch": self.epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where a state was taken, until `set_epoch` chooses another epoch.

        Raises `UsageError` where the state belongs to another walk, other labels, or a worker that this is not.
        """
        if worker := get_worker_info():  # the others have states of their own
            self._loaded = place_of_worker(state, self._walk, worker.id, worker.num_workers)
            return
        self._begin_at(*checked_state(state, self._walk))

    def _begin_at(self, epoch: int, start: int) -> None:
        self._progress.copy_(torch.tensor([epoch, start, 0], device="cpu"))
        self._walked = WorkerPlace(epoch, start, 0)
