"""Targets of views: the scores of the whole grid as probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..header import Header
from ..keys import Positions
from ..labels import MapBatch
from ..layout import MAP_EXTENT
from ..pooling import label_pooling

if TYPE_CHECKING:
    from .views import Views

_WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class SparseTargets:
    """The classes that are stored of each view, and what every other class has."""

    class_index: npt.NDArray[np.unsignedinteger[Any]]
    """Class ids [n, k], in the stored order."""
    probability: npt.NDArray[np.float32]
    """Their probabilities [n, k]."""
    rest: npt.NDArray[np.float32]
    """The probability of each class that is not among them [n]."""


def targets(
    views: Views, positions: Positions, temperature: float | None
) -> npt.NDArray[np.float32]:
    """A probability for each class [n, C]."""
    maps, header = views.maps, views.maps.header
    profile = "relabel" if header.orientation == "unknown" else None  # the whole grid is the same either way
    if temperature is None or temperature == header.temperature:
        boxes = _whole_boxes(views, positions)
        found: npt.NDArray[np.float32] = maps.targets(positions, boxes, profile)
        return found
    batch = _at(maps.batch(positions), _checked(temperature, header))
    pooled: npt.NDArray[np.float32] = label_pooling(batch, batch.extent, profile)
    return pooled


def sparse_targets(views: Views, positions: Positions, temperature: float | None) -> SparseTargets:
    """The probabilities of the classes that are stored; raises `UsageError` for a grid of more than one cell."""
    header = views.maps.header
    if (header.height, header.width) != (1, 1):
        raise UsageError(
            f"sparse targets are those of one cell, and these have a grid of {header.height}×{header.width}: take dense "
            "ones"
        )
    dense = targets(views, positions, temperature)
    ids = views.maps.batch(positions).class_index.reshape(len(positions), -1)
    probability = np.take_along_axis(dense, ids.astype(np.int64), 1)
    return SparseTargets(ids, probability, _rest(dense, ids))


def _rest(dense: npt.NDArray[np.float32], ids: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """What a class that is not stored has, which is the same for all of them; 0 where there is none."""
    classes, k = dense.shape[1], ids.shape[1]
    if k == classes:
        return np.zeros(len(ids), np.float32)
    # Among the first k + 1 classes at least one is not stored.
    is_stored = (ids[:, None, :] == np.arange(k + 1)[None, :, None]).any(-1)
    absent = is_stored.argmin(1)
    return np.take_along_axis(dense, absent[:, None], 1)[:, 0]


def _whole_boxes(views: Views, positions: Positions) -> npt.NDArray[np.float64]:
    """The box of each view's whole grid, which is that of its map."""
    extent = views.maps.header.map_extent
    if MAP_EXTENT in views.table:
        boxes: npt.NDArray[np.float64] = views.maps.batch(positions).extent
        return boxes
    return np.tile(np.array(extent, np.float64), (len(positions), 1))


def _at(batch: MapBatch, header: Header) -> MapBatch:
    return replace(batch, header=header)


def _checked(temperature: float, header: Header) -> Header:
    """The header with another temperature; raises `UsageError` where it can't be applied any more."""
    if not header.has_softmax:
        what = "the probabilities are those of classes that don't exclude each other"
        if header.score_kind != "logit":
            what = f"probabilities are stored, made at temperature {header.temperature}"
        raise UsageError(f"temperature = {temperature}: {what}; leave it out")
    if not (temperature > 0 and np.isfinite(temperature)):
        raise UsageError(f"temperature = {temperature}: it is a positive number")
    return replace(header, temperature=float(temperature))
