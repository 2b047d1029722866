"""The batches of a stored run, for DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from torch.utils.data import Sampler

from ..epoch import rank_places, whole
from ..errors import UsageError
from ..keys import Positions
from .order import Tail, place_among_ranks
from .sharing import REMEDY, sharer
from .stored_crops import views_of

Share = Literal["slices", "batches"]

_IDENTITY = ("fingerprint", "ranks", "share", "tail")


class ReplayBatches(Sampler[list[int]]):
    """Hands DataLoader the batches of a stored run in their order, as lists of positions.

        >>> from relabel_hdf5.train import ReplayBatches
        >>> batches = ReplayBatches("views")
        >>> batches.epochs
        (0, 1)
        >>> batches.set_epoch(1)
        >>> list(batches)
        [[4, 5], [6, 7]]

    Give it as ``batch_sampler``. The same tensors come at any number of workers.

    - `views`: a `StoredCrops`, views, label maps, or a path.
    - `rank`, `ranks`: by default those of torch.distributed if it is initialised, else one rank.
    - `share`: ``"slices"`` gives every rank its part of each batch, so that one step of all ranks is one batch of the
      stored run. ``"batches"`` gives whole batches in turn: a step of all ranks is as many batches. Slices load the
      pictures of partners that other ranks train on; whole batches load each picture once.
    - `tail`: what happens to what doesn't divide among the ranks, as in `EpochSampler`.

    Call `set_epoch` before every epoch; `start` batches of it are passed over.
    """

    def __init__(
        self,
        views: Any,
        *,
        rank: int | None = None,
        ranks: int | None = None,
        share: Share = "slices",
        tail: Tail = "drop",
    ) -> None:
        if share not in ("slices", "batches"):
            raise UsageError(f"share = {share!r}: there are 'slices' and 'batches'")
        self._views = views_of(views)
        self._share, self._tail = share, tail
        self._rank, self._ranks = place_among_ranks(rank, ranks)
        rank_places(0, self._rank, self._ranks, tail)  # refuses what is impossible
        if not self.epochs:
            raise UsageError("no view belongs to a batch: there is no run to replay", file=self._views.maps.path)
        self.epoch = self.epochs[0]
        self._start = self._handed_out = 0

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs of the stored run, ascending."""
        return self._views.epochs

    def set_epoch(self, epoch: int, start: int | None = None) -> None:
        """Chooses the epoch, and how many of this rank's batches are passed over.

        Without `start`, an epoch that `load_state_dict` loaded goes on where it stopped, and another begins. Raises
        `NotFoundError` for an epoch that is not stored.
        """
        self._views.batches(epoch := whole(epoch, "epoch"))
        if start is None:
            start = self._start if epoch == self.epoch else 0
        self.epoch = epoch
        self._start = self._handed_out = self._checked(start)

    def __len__(self) -> int:
        """The batches of this epoch that are still to come for this rank."""
        return self._count() - self._start

    def __iter__(self) -> Iterator[list[int]]:
        self._refuse_other_sharers()
        start, self._start = self._start, 0
        self._handed_out = start
        for number, positions in enumerate(self._batches(start), start + 1):
            self._handed_out = number
            yield positions.tolist()

    def state_dict(self, batches: int | None = None) -> dict[str, Any]:
        """What is needed to go on in the middle of this epoch; `batches` is the number that was trained on.

        With DataLoader's workers only the training loop knows that number. Without it the batches count that were
        handed out, which is what torchdata's StatefulDataLoader asks for.
        """
        found = self._handed_out if batches is None else self._checked(batches)
        return {**self._identity, "epoch": self.epoch, "batches": found}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state was taken; raises `UsageError` where it belongs to another run or other ranks."""
        if not isinstance(state, Mapping):
            raise UsageError(f"the state is {state!r}: load what state_dict returned")
        for name in _IDENTITY:
            if state.get(name) != self._identity[name]:
                raise UsageError(
                    f"the state belongs to another replay: {name} was {state.get(name)!r} and is {self._identity[name]!r}"
                )
        if None in (state.get("epoch"), state.get("batches")):
            raise UsageError("the state has no epoch or no batches: load what state_dict returned")
        self.set_epoch(state["epoch"], state["batches"])

    @property
    def _identity(self) -> dict[str, Any]:
        fingerprint = self._views.maps.fingerprint
        return {"fingerprint": fingerprint, "ranks": self._ranks, "share": self._share, "tail": self._tail}

    def _batches(self, start: int) -> Iterator[Positions]:
        numbers = self._views.batches(self.epoch)
        if self._share == "batches":
            for place in self._turns()[start:].tolist():
                yield self._views.run.batch(self.epoch, numbers[place])
            return
        for number in numbers[start:]:
            positions = self._views.run.batch(self.epoch, number)
            part = positions[rank_places(len(positions), self._rank, self._ranks, self._tail)]
            if not len(part):
                raise UsageError(
                    f"batch {number} of epoch {self.epoch} has {len(positions)} views, too few for {self._ranks} ranks: tail='pad' "
                    "repeats some, share='batches' gives whole batches",
                    file=self._views.maps.path,
                )
            yield part

    def _turns(self) -> np.ndarray:
        """The places of this rank's whole batches: in each step of all ranks, one each."""
        count = len(self._views.batches(self.epoch))
        turns = np.arange(self._rank, count, self._ranks)
        if self._tail == "drop":
            return turns[: count // self._ranks]
        if self._tail == "pad" and len(turns) < -(-count // self._ranks):
            turns = np.append(turns, (self._rank - count % self._ranks) % count)
        return turns

    def _count(self) -> int:
        return len(self._turns()) if self._share == "batches" else len(self._views.batches(self.epoch))

    def _checked(self, batches: int) -> int:
        found, count = whole(batches, "the number of batches"), self._count()
        if not 0 <= found <= count:
            raise UsageError(f"{found} batches of epoch {self.epoch} can't be passed over: this rank has {count}")
        return found

    def _refuse_other_sharers(self) -> None:
        if self._ranks == 1 or (other := sharer()) is None:
            return
        raise UsageError(f"{type(other).__name__} shares batches among processes, and so does this ReplayBatches. {REMEDY}")
