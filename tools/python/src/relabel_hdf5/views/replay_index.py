"""Which rows a batch of training had: epochs, batches and slots of a stored run."""

from __future__ import annotations

import numpy as np

from ..errors import NotFoundError
from ..keys import Positions
from .checks import Array
from .table import ViewTable


class ReplayIndex:
    """Positions by epoch, batch and slot, from the column `replay`; at most 20 bytes a row while it is made, 8 after.

    Raises V028 where two rows have one place in the run, and M012 for a batch that lies in two shards.
    """

    def __init__(self, table: ViewTable) -> None:
        self._path = table.path
        positions, triples = _placed(table)
        order = np.lexsort(triples.T[::-1])
        self._order: Positions = positions[order]
        """Positions in the order of the run."""
        triples = triples[order]
        self._refuse_repeated(table, triples)
        is_first = np.ones(len(triples), bool)
        is_first[1:] = (triples[1:, :2] != triples[:-1, :2]).any(-1)
        starts = np.flatnonzero(is_first)
        self._numbers = triples[starts, :2].astype(np.int64)
        self._starts = np.append(starts, len(triples))
        epochs, firsts = np.unique(self._numbers[:, 0], return_index=True)
        bounds = [*firsts.tolist(), len(self._numbers)]
        self._epochs: dict[int, tuple[int, int]] = dict(zip(epochs.tolist(), zip(bounds[:-1], bounds[1:], strict=True), strict=True))
        """The first of the batches of each epoch, and the one behind its last."""
        self._refuse_parted(table)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs of the run, ascending."""
        return tuple(self._epochs)

    def batches(self, epoch: int) -> tuple[int, ...]:
        """The numbers of the batches of an epoch, ascending; raises `NotFoundError` for an epoch that is not stored."""
        first, last = self._of_epoch(epoch)
        return tuple(self._numbers[first:last, 1].tolist())

    def batch(self, epoch: int, number: int) -> Positions:
        """The positions of a batch, by slot; raises `NotFoundError` for a batch that is not stored."""
        first, last = self._of_epoch(epoch)
        place = first + number - int(self._numbers[first, 1])  # where no number is left out, as in most runs
        if not (first <= place < last and self._numbers[place, 1] == number):
            place = first + int(self._numbers[first:last, 1].searchsorted(number))
        if place == last or self._numbers[place, 1] != number:
            batches = f"{last - first} batches, {self._numbers[first, 1]} to {self._numbers[last - 1, 1]}"
            raise NotFoundError(f"epoch {epoch} has no batch {number}; it has {batches}", file=self._path)
        return self._order[self._starts[place] : self._starts[place + 1]].copy()

    def _of_epoch(self, epoch: int) -> tuple[int, int]:
        if epoch not in self._epochs:
            found = self.epochs
            what = f"epochs are {found[0]} to {found[-1]}" if found else "no view belongs to a batch"
            raise NotFoundError(f"there is no epoch {epoch}: {what}", file=self._path)
        return self._epochs[epoch]

    def _refuse_repeated(self, table: ViewTable, triples: Array) -> None:
        places = np.flatnonzero((triples[1:] == triples[:-1]).all(-1))
        if len(places):
            one, other = self._order[places[0]], self._order[places[0] + 1]
            epoch, batch, slot = triples[places[0]].tolist()
            message = f"epoch {epoch}, batch {batch}, slot {slot} is taken twice: the row at position {one} has it too"
            raise table.error("V028", message, int(other), "replay")

    def _refuse_parted(self, table: ViewTable) -> None:
        shards = table.shards_of(self._order)
        is_other = np.flatnonzero(shards[1:] != shards[:-1]) + 1
        parted = is_other[~np.isin(is_other, self._starts)]
        if len(parted):
            epoch, batch = self._numbers[np.searchsorted(self._starts, parted[0], "right") - 1].tolist()
            message = f"batch {batch} of epoch {epoch} lies in two shards: they are not of one dataset, or were cut wrongly"
            raise table.error("M012", message, int(self._order[parted[0]]), "replay")


def _placed(table: ViewTable) -> tuple[Positions, Array]:
    """The positions of rows that belong to a batch, and their triples [n, 3]."""
    positions, triples = [np.empty(0, np.int64)], [np.empty((0, 3), np.int32)]
    for first, block in table.blocks("replay") if "replay" in table else ():
        places = np.flatnonzero(block["replay"][:, 0] >= 0)
        positions.append(first + places)
        triples.append(block["replay"][places])
    return np.concatenate(positions), np.concatenate(triples)
