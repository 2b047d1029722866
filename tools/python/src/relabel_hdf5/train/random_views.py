"""A sampler that draws some views of every image, as FKD trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import Sampler

from ..epoch import epoch_keys, epoch_order, rank_places, share, whole
from ..errors import UsageError
from .order import Tail, place_among_ranks
from .sharing import REMEDY, sharer
from .stored_crops import views_of


class RandomViews(Sampler[int]):
    """Hands DataLoader one view of every image in an epoch, or several, drawn anew each time.

        >>> from relabel_hdf5.train import RandomViews
        >>> drawn = RandomViews("views", seed=1)
        >>> for epoch in range(2):
        ...     drawn.set_epoch(epoch)
        ...     print(list(drawn))
        [5, 4, 2, 3]
        [3, 0, 2, 5]

    Give it as ``sampler`` beside a `StoredCrops`. Images come in the order of spec section 14 (`epoch_order` of the
    seed, the epoch and the number of images that have views). The views of image i are the first of `epoch_order` of
    `epoch_keys(seed, epoch, images)[i]`, the epoch, and the number of its views. So every program draws the same.

    - `views`: a `StoredCrops`, views, label maps, or a path.
    - `per_image`: views that are drawn of each image. They follow each other: a batch that holds them all opens the
      picture once.
    - `rank`, `ranks`, `tail`: as in `EpochSampler`; images are shared, not views.

    Raises `UsageError` where an image has fewer views than `per_image`.
    """

    def __init__(
        self,
        views: Any,
        *,
        seed: int = 0,
        per_image: int = 1,
        rank: int | None = None,
        ranks: int | None = None,
        tail: Tail = "drop",
    ) -> None:
        found = views_of(views)
        self._images = found.images
        self._seed, self._tail = whole(seed, "seed"), tail
        self._per_image = whole(per_image, "per_image")
        fewest = int(self._images.counts.min(initial=1 << 62))
        if not 1 <= self._per_image <= fewest:
            raise UsageError(f"per_image is {per_image}; every image has at least {fewest} views", file=found.maps.path)
        self._rank, self._ranks = place_among_ranks(rank, ranks)
        self._count = len(rank_places(len(self._images), self._rank, self._ranks, tail))
        epoch_keys(self._seed, 0, 0)  # refuses an impossible seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch."""
        self.epoch = whole(epoch, "epoch")

    def __len__(self) -> int:
        """The views of an epoch of this rank."""
        return self._count * self._per_image

    def __iter__(self) -> Iterator[int]:
        if self._ranks > 1 and (other := sharer()) is not None:
            raise UsageError(f"{type(other).__name__} shares items among processes, and so does this RandomViews. {REMEDY}")
        count = len(self._images)
        keys = epoch_keys(self._seed, self.epoch, count)
        for image in share(epoch_order(self._seed, self.epoch, count), self._rank, self._ranks, self._tail).tolist():
            positions = self._images.positions(image)
            drawn = epoch_order(int(keys[image]), self.epoch, len(positions))[: self._per_image]
            yield from positions[drawn].tolist()
