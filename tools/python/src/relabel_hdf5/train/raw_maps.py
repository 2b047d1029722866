"""Label maps on their way to a device that pools them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import default_collate
from torch.utils.data._utils.collate import default_collate_fn_map

from ..errors import UsageError
from ..header import Header
from ..labels import MapBatch


class RawMap(NamedTuple):
    """One image's label map and crop box."""

    class_index: np.ndarray
    """Class ids [H, W, k]."""
    score: np.ndarray
    """Decoded scores [H, W, k], float32."""
    extent: np.ndarray
    """Top, left, height, width of the map [4], float64."""
    position: int
    """The image's position in the maps."""
    header: Header
    """What the maps' shards say, without the metadata document."""
    box: np.ndarray
    """Top, left, height, width of the crop [4], float64."""


def collate_maps(items: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The collate function for `RelabelFolder(targets="maps")`: (images, maps, boxes), labels if asked for.

    `maps` is a `MapBatch` of tensors, 9,000 bytes an image for 15×15×5 entries. Pool it where the model is:
    ``label_pooling(maps.to(device), boxes.to(device))``. Raises `UsageError` for items without a `RawMap`,
    and where their maps are not of one build: a batch has one header.
    """
    for place, item in enumerate(items):
        _check_item(place, item, items[0])
    pictures, rows, *labels = zip(*items, strict=True)
    batch = MapBatch(
        class_index=np.stack([row.class_index for row in rows]),
        score=np.stack([row.score for row in rows]),
        extent=np.stack([row.extent for row in rows]),
        positions=np.array([row.position for row in rows], np.int64),
        header=rows[0].header,
    )
    boxes = torch.from_numpy(np.stack([row.box for row in rows]))
    rest = (torch.tensor(part, dtype=torch.int64, device="cpu") for part in labels)
    return (default_collate(list(pictures)), batch.torch(), boxes, *rest)


def _refuse_default_collate(items: Sequence[RawMap], **_: Any) -> None:
    """What PyTorch's default_collate meets in a `RawMap` in place of a text on <class 'Header'>."""
    raise UsageError(
        "items of RelabelFolder(targets='maps') hold a label map, which no tensor can stand for: give DataLoader "
        "collate_fn=relabel_hdf5.train.collate_maps"
    )


default_collate_fn_map[RawMap] = _refuse_default_collate


def _check_item(place: int, item: Any, first: Any) -> None:
    if not isinstance(item, tuple) or len(item) < 2 or not isinstance(item[1], RawMap):
        raise UsageError(
            f"item {place} of the batch has no label map: collate_maps takes items of "
            "RelabelFolder(targets='maps'); pooled targets need no collate function"
        )
    row, other = item[1], first[1]
    if row.header != other.header:
        raise UsageError(
            f"item {place} of the batch is of other maps than item 0: "
            f"{_difference(row.header, other.header)} there. A batch has one header: take "
            "the items of a batch from one dataset"
        )
    if row.class_index.shape != other.class_index.shape or row.score.shape != other.score.shape:
        raise UsageError(
            f"item {place} of the batch has class_index {list(row.class_index.shape)} and score "
            f"{list(row.score.shape)}, item 0 {list(other.class_index.shape)} and {list(other.score.shape)}"
        )
    if len(item) != len(first):
        raise UsageError(f"item {place} of the batch has {len(item)} members, item 0 has {len(first)}")


def _difference(header: Header, other: Header) -> str:
    """The first member in which two headers differ."""
    names = (field.name for field in fields(Header) if field.compare)
    name = next(name for name in names if getattr(header, name) != getattr(other, name))
    return f"{name} is {getattr(header, name)!r}, and {getattr(other, name)!r}"
