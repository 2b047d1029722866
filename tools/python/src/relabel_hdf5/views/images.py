"""The views of every image: which rows are of one picture."""

from __future__ import annotations

import numpy as np

from ..keys import Positions
from .table import ViewTable


class ImageIndex:
    """Positions by image, in the order of the source listing; 16 bytes a row, or 8 an image where rows lie so."""

    def __init__(self, table: ViewTable) -> None:
        images = _all_images(table)
        self._order: Positions | None = None
        if (np.diff(images) < 0).any():
            self._order = np.argsort(images, kind="stable")
            images = images[self._order]
        self.images, starts = np.unique(images, return_index=True)
        """The image index of each image that has a view, ascending."""
        self._starts = np.append(starts, len(images))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def counts(self) -> Positions:
        """How many views each image has."""
        return np.diff(self._starts)

    def positions(self, place: int) -> Positions:
        """The positions of the views of one image, ascending; `place` is its place in `images`."""
        start, end = self._starts[place : place + 2].tolist()
        return np.arange(start, end) if self._order is None else self._order[start:end].copy()


def _all_images(table: ViewTable) -> Positions:
    images = np.empty(len(table), np.int64)
    for first, block in table.blocks("image_index"):
        images[first : first + len(block["image_index"])] = block["image_index"]
    return images
