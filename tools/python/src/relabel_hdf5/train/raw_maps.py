"""Label maps on their way to a device that pools them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import default_collate

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
    ``label_pooling(maps.to(device), boxes.to(device))``.
    """
    pictures, rows, *labels = zip(*items, strict=True)
    batch = MapBatch(
        class_index=np.stack([row.class_index for row in rows]),
        score=np.stack([row.score for row in rows]),
        extent=np.stack([row.extent for row in rows]),
        positions=np.array([row.position for row in rows], np.int64),
        header=rows[0].header,
    )
    boxes = torch.from_numpy(np.stack([row.box for row in rows]))
    collated = [default_collate(list(part)) for part in (pictures, *labels)]
    return (collated[0], batch.torch(), boxes, *collated[1:])
