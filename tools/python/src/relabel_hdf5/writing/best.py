"""The best classes of dense scores, and the packer's refusals, before anything is sent: by the Swift library."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..engines.library import library
from ..errors import InvalidDataError, RelabelError
from .records import DenseMaps, SparseMaps
from .scores import PlacedError


def best(maps: DenseMaps, top_k: int, jobs: int) -> SparseMaps | None:
    """The best classes of each cell; None without the library: then the packer looks for them."""
    swift = library()
    if swift is None:
        return None
    count, classes, height, width = maps.scores.shape
    ids = np.empty((count, height, width, top_k), np.uint32)
    score = np.empty(ids.shape, np.float32)
    status = swift.relabel_top_k(
        maps.scores.ctypes.data, maps.score_type.encode(), count, classes, height, width, top_k, jobs,
        ids.ctypes.data, score.ctypes.data,
    )  # fmt: skip
    if status:
        raise _placed(swift)
    return SparseMaps(ids, score)


def check(maps: SparseMaps, num_classes: int, score_kind: str, classes_are: str) -> None:
    """Raises what the packer would refuse; nothing without the library: then it says so a little later."""
    swift = library()
    if swift is None:
        return
    status = swift.relabel_check_maps(
        maps.class_index.ctypes.data, maps.score.ctypes.data, len(maps), num_classes, score_kind.encode(),
        classes_are.encode(), *maps.class_index.shape[1:],
    )  # fmt: skip
    if status:
        raise _placed(swift)


def _placed(swift: Any) -> RelabelError:
    found = swift.relabel_last_failure().contents
    if found.position < 0:
        return RelabelError(found.message.decode())
    error = PlacedError(found.message.decode(), (found.position, max(found.cell_y, 0), max(found.cell_x, 0)))
    return error if found.cell_y >= 0 else InvalidDataError(found.message.decode())


def usual_jobs() -> int:
    """As many threads as this process may use."""
    return len(os.sched_getaffinity(0))
