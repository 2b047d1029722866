"""A map-style dataset: the pictures of a folder, each with the target of its crop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import Dataset

import relabel_hdf5

from ..errors import BoxError, RelabelError, UsageError
from ..geometry import is_clamped, is_transposed
from ..image_folder import EXTENSIONS
from .box_transform import WithBox, with_box
from .classes import DroppedMass, check_dropped_mass, match_classes
from .foreign import check_collate
from .join import Missing, join
from .pictures import KeyOfPath, Pictures
from .raw_maps import RawMap


class RelabelFolder(Dataset[tuple[Any, ...]]):
    """The pictures of an image folder (root/WNID/NAME.jpg), each with the pooled target of its crop.

        >>> from torchvision import transforms as T
        >>> from relabel_hdf5.train import RelabelFolder
        >>> crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
        >>> data = RelabelFolder("samples/images", "dataset", crop, classes="maps")
        >>> image, target = data[0]
        >>> image.shape, target.shape
        (torch.Size([3, 64, 64]), torch.Size([1000]))

    An item is (image, target): the picture after `transform`, and a float32 tensor [num_classes].
    With `outside="clamp"` a float follows, the covered share of the crop. With `label=True` an int follows, the
    image's label. With `targets="maps"` the second member is a `RawMap`: use `collate_maps` and pool on the
    device. Give `profile` and `outside` to `label_pooling` then; the classes are the maps'.

    - `maps`: what `relabel_hdf5.open` returned, or a path for it.
    - `transform`: a transform of torchvision or timm, or the result of `with_box` where it needs options.
      An error that it raises becomes a `RelabelError` that names the picture.
    - `profile`, `outside`: as in `label_pooling`. Maps of unknown orientation need a profile.
    - `classes`: whose classes the model has. None: the folders' are the maps', all of them in the same order,
      or `UsageError` says where they differ. ``"maps"``: the maps', of which the folders are some.
      ``"folder"``: the folders', in sorted order. A list of class ids, in the order of the model's outputs.
      ``"unchecked"``: class i of the maps is output i, nothing is compared, and no label is handed out.
    - `dropped_mass`: if only some of the maps' classes are kept, what happens to the probability of the others:
      ``"renormalise"`` divides by what the kept ones have, ``"drop"`` lets targets sum to less than 1,
      ``"spread"`` shares it equally among the kept ones.
    - `missing`: what happens to pictures without a map: ``"error"`` raises an error with the first ten keys,
      ``"skip"`` leaves them out, ``"one_hot"`` gives them the one-hot target of their folder. If no picture
      has a map, `NotFoundError` is raised, whatever `missing` is.
    - `key`: from a picture's path below `root` to the key of its map; by default the path without extension.

    Items come in the order of torchvision's ImageFolder, without hidden files and folders. The folder works in
    forked and spawned workers. DataLoader asks it for a whole batch; each chunk of the maps is then read once.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        maps: Any,
        transform: Any,
        *,
        profile: str | None = None,
        outside: str = "error",
        classes: str | Sequence[str] | None = None,
        dropped_mass: DroppedMass | None = None,
        missing: Missing = "error",
        key: KeyOfPath | None = None,
        extensions: Sequence[str] = EXTENSIONS,
        targets: Literal["pooled", "maps"] = "pooled",
        label: bool = False,
    ) -> None:
        if targets not in ("pooled", "maps"):
            raise UsageError(f"targets = {targets!r}: there are 'pooled' and 'maps'")
        if missing not in ("error", "skip", "one_hot"):
            raise UsageError(f"missing = {missing!r}: there are 'error', 'skip' and 'one_hot'")
        if missing == "one_hot" and targets == "maps":
            raise UsageError("missing = 'one_hot' needs pooled targets: a one-hot target is not a label map")
        self.maps = relabel_hdf5.open(maps) if isinstance(maps, (str, os.PathLike)) else maps
        self._profile, self._outside, self._clamped = profile, outside, is_clamped(outside)
        self._transform = transform if isinstance(transform, WithBox) else with_box(transform)
        self._raw, self._label = targets == "maps", label
        if self._raw:
            _refuse_pooling_arguments(profile, outside)
        else:
            is_transposed(self.maps.header, profile)  # refuses maps that can't be pooled
        self._plain_header = replace(self.maps.header, metadata={})  # workers send it with every batch

        check_dropped_mass(self.maps.header.classes_are, dropped_mass)
        self._pictures = Pictures(root, extensions, key)
        self.columns, columns_of_folders = match_classes(
            self._pictures.folders, self.maps.classes, self.maps.header.num_classes, classes, dropped_mass
        )
        if self._raw and (self.columns.source is not None or dropped_mass is not None):
            raise UsageError(
                "targets = 'maps' hands out maps of all their own classes, in their order: other columns "
                "(classes=, dropped_mass=) need targets='pooled'"
            )
        if columns_of_folders is None and (label or missing == "one_hot"):
            raise UsageError(
                "it is not known which class a folder is: with classes = 'unchecked' nothing was compared. Take "
                "classes='maps', 'folder' or a list of class ids, of maps that have a class table"
            )
        self.positions, self.skipped = join(self._pictures, self.maps, missing)
        self.unused = len(self.maps) - int(np.count_nonzero(self.positions >= 0))
        self.labels = None if columns_of_folders is None else columns_of_folders[self._pictures.folder_of]

    columns: Any
    """Makes targets of the model's classes from pooled ones of the maps' classes; a `ClassColumns`."""
    positions: np.ndarray
    """The position of each item's map, int64; -1 for an item with a one-hot target."""
    labels: torch.Tensor | None
    """The target column of each item's folder, int64; None where nothing says which."""
    skipped: tuple[str, ...]
    """The keys of pictures that were left out for want of a map."""
    unused: int
    """The number of maps that have no picture."""

    @property
    def transform(self) -> Any:
        """The transform; one that is set from outside, as timm's create_loader does, is followed like the first.

        It is wrapped with the options of the one before it. Raises `UsageError` for one that can't be followed.
        """
        return self._transform.transform

    @transform.setter
    def transform(self, transform: Any) -> None:
        self._transform = transform if isinstance(transform, WithBox) else self._transform.around(transform)

    @property
    def num_classes(self) -> int:
        """The number of classes of a target."""
        return int(self.columns.num_classes)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The class ids of a target's columns, or None where the maps have no class table."""
        ids: tuple[str, ...] | None = self.columns.ids
        return ids

    def __len__(self) -> int:
        return len(self._pictures)

    def path(self, index: int) -> str:
        """The path of an item's picture."""
        return str(self._pictures.root / self._pictures.path(index))

    def key(self, index: int) -> str:
        """The key of an item's map."""
        return self._pictures.key(index)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        return self.__getitems__([index % len(self)])[0]

    def __getitems__(self, indexes: Sequence[int] | np.ndarray) -> list[tuple[Any, ...]]:
        """The items of a batch, with one read for each chunk of the maps."""
        items = np.asarray(indexes, np.int64)
        images, boxes = zip(*(self._transformed(index) for index in items.tolist()), strict=True)
        check_collate(images[0])
        parts = self._raw_maps(items, np.stack(boxes)) if self._raw else self._targets(items, np.stack(boxes))
        if self._label:
            assert self.labels is not None
            parts.append(self.labels[items].tolist())
        return list(zip(images, *parts, strict=True))

    def _transformed(self, index: int) -> tuple[Any, np.ndarray]:
        picture = self._pictures.read(index)
        try:
            transformed: tuple[Any, np.ndarray] = self._transform(picture)
        except Exception as error:
            raise _naming(error, self.path(index), self.key(index)) from error
        return transformed

    def _targets(self, items: np.ndarray, boxes: np.ndarray) -> list[Any]:
        positions = self.positions[items]
        found = np.flatnonzero(positions >= 0)
        if len(found) == len(items):
            pooled = self.maps.targets(positions, boxes, profile=self._profile, outside=self._outside)
            pooled, *covered = pooled if self._clamped else (pooled,)
            return [self._of_columns(pooled, items), *(share.tolist() for share in covered)]
        targets = torch.zeros(len(items), self.num_classes, dtype=torch.float32, device="cpu")
        covered = np.ones(len(items))
        if len(found):
            pooled = self.maps.targets(
                positions[found], boxes[found], profile=self._profile, outside=self._outside
            )
            if self._clamped:
                pooled, covered[found] = pooled
            targets[found] = self._of_columns(pooled, items[found])
        without = np.flatnonzero(positions < 0)
        if len(without):
            assert self.labels is not None
            targets[without] = self.columns.one_hot(self.labels[items[without]])
        return [targets, covered.tolist()] if self._clamped else [targets]

    def _of_columns(self, pooled: np.ndarray, items: np.ndarray) -> torch.Tensor:
        """Targets of the maps' classes as those of the columns; names are for an error about a lack of mass."""
        names = [self.key(item) for item in items] if self.columns.dropped_mass == "renormalise" else None
        targets: torch.Tensor = self.columns(torch.from_numpy(pooled), names)
        return targets

    def _raw_maps(self, items: np.ndarray, boxes: np.ndarray) -> list[Any]:
        batch = self.maps.batch(self.positions[items])
        rows = zip(batch.class_index, batch.score, batch.extent, batch.positions.tolist(), boxes, strict=True)
        return [[
            RawMap(ids, score, extent, position, self._plain_header, box)
            for ids, score, extent, position, box in rows
        ]]


def _refuse_pooling_arguments(profile: str | None, outside: str) -> None:
    for name, value, default in (("profile", profile, None), ("outside", outside, "error")):
        if value != default:
            raise UsageError(
                f"{name} = {value!r} says how maps are pooled, and targets = 'maps' pools none: give it to "
                f"label_pooling(maps, boxes, {name}={value!r})"
            )


def _naming(error: Exception, file: str, key: str) -> RelabelError:
    """What a transform raised, with the place of its picture."""
    for kind in (BoxError, UsageError):
        if isinstance(error, kind):
            return kind(error.args[0], file=file, key=key)
    return RelabelError(f"the transform failed with {type(error).__name__}: {error}", file=file, key=key)
