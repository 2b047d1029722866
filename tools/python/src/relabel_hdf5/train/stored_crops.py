"""A map-style dataset: the crops whose labels are stored, cut again from their pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

import relabel_hdf5

from ..errors import NotFoundError, RelabelError, UsageError
from ..image_folder import EXTENSIONS
from ..keys import KeyTable, Positions
from ..views import ViewRows, Views
from .classes import DroppedMass, check_dropped_mass, match_classes
from .crop_pixels import Cut, Operations, crop_pixels
from .foreign import check_collate
from .mixed_views import mixed, partners_of
from .pictures import KeyOfPath, Pictures

_LOOKED_AT = 64
"""Views whose pictures are looked for at once: folders that don't fit are noticed before an epoch begins."""


class StoredCrops(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """The views of a dataset, each with its stored target; item i is the view at position i.

        >>> from torch.utils.data import DataLoader
        >>> from relabel_hdf5.train import ReplayBatches, StoredCrops
        >>> crops = StoredCrops("samples/images", "views", classes="maps")
        >>> image, target = crops[0]
        >>> image.shape, target.shape
        (torch.Size([3, 224, 224]), torch.Size([1000]))
        >>> batches = ReplayBatches(crops)  # the stored run, batch by batch
        >>> for epoch in batches.epochs:
        ...     batches.set_epoch(epoch)
        ...     for images, targets in DataLoader(crops, batch_sampler=batches):
        ...         pass  # train

    The picture of a view is opened, cut to the stored box, resized, and mirrored where the annotator's was, with the
    same pixels as the source's own reader. Then it passes through `transform`, and a mixed view is mixed with its
    stored partner, whose picture is loaded, too. The target is the stored one: it is that of the mixed picture.

    - `root`: the image folder (root/CLASS/NAME.jpg), or the folder of another layout with `key`.
    - `maps`: what `relabel_hdf5.open` or `relabel_hdf5.views.open` returned, or a path for it.
    - `transform`: from a Pillow picture to a tensor [C, H, W]; by default float32 from 0 to 1. It has to keep the
      size, and be the same each time: what is random in it was not in the stored run.
    - `temperature`: that of the softmax, in place of the header's; for stored logits alone.
    - `interpolation`, `size`: ``"bilinear"`` or ``"bicubic"``, height and width; by default what is stored.
    - `operations`: a function (picture, operations, view) that does what else the source recorded, at its place in
      the chain. Without it, such views raise `UnsupportedError`.
    - `cut`: a function (picture, view) that makes the picture of a view from the whole one, in place of all this.
    - `classes`, `dropped_mass`, `key`, `extensions`: as in `RelabelFolder`.

    Raises `NotFoundError` for a view without a picture. Works in forked and spawned workers; a DataLoader asks for
    whole batches, and each picture and each chunk of the maps is then read once.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        maps: Any,
        transform: Callable[[Image.Image], torch.Tensor] | None = None,
        *,
        temperature: float | None = None,
        interpolation: str | None = None,
        size: int | tuple[int, int] | None = None,
        operations: Operations | None = None,
        cut: Cut | None = None,
        classes: str | Sequence[str] | None = None,
        dropped_mass: DroppedMass | None = None,
        key: KeyOfPath | None = None,
        extensions: Sequence[str] = EXTENSIONS,
    ) -> None:
        self.views = views_of(maps)
        """The views, with everything that is known of them."""
        self.maps = self.views.maps
        self._transform = transform or to_tensor
        self._temperature = temperature
        if temperature is not None and len(self.maps):
            self.views.targets([0], temperature)  # refuses what can't be applied
        self._cut = cut or crop_pixels(self.views, size, interpolation, operations)
        check_dropped_mass(self.maps.header.classes_are, dropped_mass)
        self._pictures = Pictures(root, extensions, key)
        self.columns, _ = match_classes(
            self._pictures.folders, self.maps.classes, self.maps.header.num_classes, classes, dropped_mass
        )
        keys = np.array([self._pictures.key(index).encode() for index in range(len(self._pictures))])
        self._by_key = KeyTable(len(keys), [keys])
        count = len(self.views)
        self._pictures_of(np.unique(np.linspace(0, max(count - 1, 0), min(count, _LOOKED_AT), dtype=np.int64)))

    @property
    def num_classes(self) -> int:
        """The number of columns of a target."""
        return self.columns.num_classes

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The class ids of the columns, or None where nobody knows them."""
        ids: tuple[str, ...] | None = self.columns.ids
        return ids

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not -len(self) <= position < len(self):
            raise IndexError(f"view {position} of {len(self)}")
        return self.__getitems__([position % len(self)])[0]

    def __getitems__(self, positions: Sequence[int] | np.ndarray) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The items of a batch: each picture is opened once, each chunk of the maps read once."""
        rows = self.views.at(positions)
        partners = partners_of(rows)
        images = self._images(np.union1d(rows.positions, partners.needed))
        pictures = [mixed(rows, place, images, partners) for place in range(len(rows))]
        check_collate(pictures[0])
        targets = self.columns(torch.from_numpy(self.views.targets(rows.positions, self._temperature)))
        return list(zip(pictures, targets, strict=True))

    def path(self, position: int) -> str:
        """The path of the picture that the view at a position is of; raises `NotFoundError`."""
        index = int(self._pictures_of(np.array([position]))[0])
        return str(self._pictures.root / self._pictures.path(index))

    def _images(self, positions: Positions) -> dict[int, torch.Tensor]:
        """The pictures of views by position, as the transform makes them, not mixed."""
        rows, images = self.views.at(positions), {}
        numbers = self._pictures_of(positions)
        for number in np.unique(numbers).tolist():
            picture = self._pictures.read(number)
            for place in np.flatnonzero(numbers == number).tolist():
                images[int(positions[place])] = self._image(picture, rows, place)
        return images

    def _image(self, picture: Image.Image, rows: ViewRows, place: int) -> torch.Tensor:
        view = rows[place]
        try:
            return self._transform(self._cut(picture, view))
        except RelabelError:
            raise
        except Exception as error:
            message = f"the picture of view {view.number} failed with {type(error).__name__}: {error}"
            raise RelabelError(message, file=self.path(view.position), key=view.key) from error

    def _pictures_of(self, positions: Positions) -> Positions:
        """The number of each view's picture; raises `NotFoundError` with some names where there are none."""
        keys = self.views.table.column("image_key", positions).tolist()
        numbers = self._by_key.positions(keys)
        without = sorted({key.decode(errors="replace") for key, number in zip(keys, numbers, strict=True) if number < 0})
        if without:
            raise NotFoundError(
                f"views without a picture: {', '.join(without[:10])}. Pictures have keys such as {self._pictures.key(0)}: key= "
                "makes keys from the paths of pictures",
                file=str(self._pictures.root),
            )
        return numbers


def views_of(maps: Any) -> Views:
    """The views of what a user gave: views, label maps, a dataset that has them, or a path."""
    if isinstance(maps, Views):
        return maps
    if isinstance(maps, (str, os.PathLike)):
        maps = relabel_hdf5.open(maps)
    found = getattr(maps, "views", None)
    if not isinstance(found, Views):
        raise UsageError(f"views are wanted, or a path of them, not a {type(maps).__name__}")
    return found


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """A picture as a tensor [3, H, W], float32 from 0 to 1."""
    return torch.from_numpy(np.array(picture, np.uint8)).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
