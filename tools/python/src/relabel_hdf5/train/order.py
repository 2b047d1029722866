"""The order in which one rank walks the items of a dataset (spec section 14)."""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections.abc import Sized
from typing import Any, Literal

import numpy as np
import torch

from ..epoch import epoch_order, rank_places, share, whole
from ..errors import UsageError

Order = Literal["uniform", "chunk"]
Tail = Literal["drop", "pad", "uneven"]

IDENTITY = ("seed", "ranks", "order", "tail", "count", "build_id", "items_digest", "fingerprint")
"""The members of a state that say which walk it belongs to."""


class WalkOfRank:
    """The items that one rank sees in an epoch, in order.

    `items` is a `RelabelFolder`, what `relabel_hdf5.open` returned, another dataset that has a length, or a
    number. Of a `RelabelFolder` it is the order of its maps' positions, those without a picture left out, so
    that every program that reads the maps walks the pictures in the same order. Items without a map count as
    positions after the last, and as chunks of their own.
    """

    def __init__(
        self, items: Any, seed: int, rank: int | None, ranks: int | None, order: Order, tail: Tail
    ) -> None:
        if order not in ("uniform", "chunk"):
            raise UsageError(f"order = {order!r}: there are 'uniform' and 'chunk'")
        self.seed, self.order, self.tail = whole(seed, "seed"), order, tail
        self.is_told = rank is not None
        self.rank, self.ranks = place_among_ranks(rank, ranks)
        self.count, self._item_at, self._chunks = _layout(items)
        self.build_id, self.items_digest = _identity(items, self._item_at)
        self.fingerprint: str | None = getattr(getattr(items, "maps", items), "fingerprint", None)
        if order == "chunk":
            self._demand_chunks(items)
        self.length = len(rank_places(self.count, self.rank, self.ranks, tail))

    def items(self, epoch: int) -> np.ndarray:
        """The indexes of the rank's items in this epoch, int64."""
        places: Any = self._chunks if self.order == "chunk" else len(self._item_at)
        walk = self._item_at[epoch_order(self.seed, epoch, places)]
        return share(walk[walk >= 0], self.rank, self.ranks, self.tail)

    def of_all(self) -> WalkOfRank:
        """The same walk of one rank alone."""
        walk = copy.copy(self)
        walk.rank, walk.ranks, walk.length = 0, 1, self.count
        return walk

    @property
    def identity(self) -> dict[str, Any]:
        """All that the walk depends on but the epoch and the rank; the last three only with maps."""
        values = {name: getattr(self, name) for name in IDENTITY}
        return {name: value for name, value in values.items() if value is not None}

    def _demand_chunks(self, items: Any) -> None:
        if self._chunks is None:
            kind = type(items).__name__
            raise UsageError(f"order = 'chunk' needs the chunks of label maps, which a {kind} hasn't")
        if getattr(items, "maps", items).header.row_order == "source":
            warnings.warn(
                "the rows of these maps are in source order: a chunk then holds neighbours, usually of one "
                "class, and so will batches. order='uniform' mixes them; so does packing with shuffled rows",
                stacklevel=4,
            )


def _layout(items: Any) -> tuple[int, np.ndarray, np.ndarray | None]:
    """The number of items, the item at each position (-1 for none), and where chunks begin, if any."""
    if hasattr(items, "__index__"):
        count = whole(items, "items")
        return count, np.arange(count), None
    if hasattr(items, "positions") and hasattr(items, "maps"):
        positions, maps = items.positions, items.maps
        without = np.flatnonzero(positions < 0)
        item_at = np.full(len(maps) + len(without), -1, np.int64)
        item_at[positions[positions >= 0]] = np.flatnonzero(positions >= 0)
        item_at[len(maps):] = without
        return len(positions), item_at, np.append(maps.chunks, len(maps) + 1 + np.arange(len(without)))
    if hasattr(items, "chunks"):
        return len(items), np.arange(len(items)), np.asarray(items.chunks)
    if isinstance(items, Sized):
        return len(items), np.arange(len(items)), None
    raise UsageError(f"a {type(items).__name__} has no length to make an order of")


def _identity(items: Any, item_at: np.ndarray) -> tuple[str | None, str | None]:
    """The build of the maps and a digest of the item at each position; None where there are no maps."""
    header = getattr(getattr(items, "maps", items), "header", None)
    if header is None:
        return None, None
    return header.build_id, hashlib.blake2b(item_at.astype("<i8").tobytes(), digest_size=8).hexdigest()


def place_among_ranks(rank: int | None, ranks: int | None) -> tuple[int, int]:
    """What the user said, or torch.distributed says, or one rank alone."""
    if rank is None and ranks is None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1
    if rank is None or ranks is None:
        raise UsageError(f"rank = {rank} of ranks = {ranks}: give both or neither")
    return whole(rank, "rank"), whole(ranks, "ranks")
