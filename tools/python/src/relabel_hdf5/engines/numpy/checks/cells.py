"""What no reader may hand out: rules V001 to V003 and V007, over many cells at once (spec, section 7.1)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ....cells import is_distinct, is_finite

Array = npt.NDArray[Any]


class CellFault(NamedTuple):
    """The first cell that breaks a rule: its map in the batch, and its place in the grid."""

    rule: str
    dataset: str
    message: str
    map: int
    cell: tuple[int, int]


def cell_fault(ids: Array, stored: Array, num_classes: int) -> CellFault | None:
    """The first fault in maps [B, H, W, k] of class ids and stored scores, or None."""
    if ids.size == 0:
        return None
    is_sound = int(np.maximum.reduce(ids, None)) < num_classes and _is_finite(stored) and is_distinct(ids)
    return None if is_sound else _first_fault(ids, stored, num_classes)


def _all_ones(kind: np.dtype[Any]) -> int:
    return int((1 << 8 * kind.itemsize) - 1)


def _is_finite(stored: Array) -> bool:
    if stored.dtype.kind == "u":
        return int(np.maximum.reduce(stored, None)) < _all_ones(stored.dtype)
    return is_finite(stored)


def _first_fault(ids: Array, stored: Array, num_classes: int) -> CellFault:
    ranked = np.sort(ids, axis=-1)
    is_unwritten_id = (ids == _all_ones(ids.dtype)).any(-1)
    is_unwritten_score = _unwritten(stored).any(-1)
    is_out_of_range = (ids >= num_classes).any(-1)
    is_repeated = (ranked[..., 1:] == ranked[..., :-1]).any(-1)
    is_infinite = ~np.isfinite(stored).all(-1) if stored.dtype.kind == "f" else is_unwritten_score
    masks = (is_unwritten_id, is_unwritten_score, is_out_of_range, is_repeated, is_infinite)
    place = np.argwhere(np.logical_or.reduce(masks))[0]
    which = next(number for number, mask in enumerate(masks) if mask[tuple(place)])
    entries, scores = ids[tuple(place)].tolist(), stored[tuple(place)].tolist()
    rule, dataset, message = (
        ("V007", "class_index", "the map was never written"),
        ("V007", "score", "the map was never written"),
        ("V001", "class_index", f"class ids {entries} are not all below {num_classes}"),
        ("V002", "class_index", f"class ids {entries} are not distinct"),
        ("V003", "score", f"scores {scores} are not all finite"),
    )[which]
    image, y, x = place.tolist()
    return CellFault(rule, dataset, message, image, (y, x))


def _unwritten(stored: Array) -> Array:
    """Where the fill value stands: all ones, or NaN with the bits of section 3.7."""
    if stored.dtype.kind == "u":
        return np.asarray(stored == _all_ones(stored.dtype))
    bits = {2: (np.uint16, 0x7E00), 4: (np.uint32, 0x7FC00000)}
    kind, fill = bits[stored.itemsize]
    return np.asarray(stored.view(kind) == fill)
