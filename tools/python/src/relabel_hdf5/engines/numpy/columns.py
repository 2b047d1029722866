"""Optional HDF5 datasets of all rows, for who exports them (spec, section 4.5)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .index import read_index
from .shard import Shard
from .shards import Shards


def optional_columns(path: str) -> tuple[str, ...]:
    """The optional HDF5 datasets that any shard at a path has, by name."""
    return tuple(sorted({name for shard in _shards(path) for name in shard.optional_columns()}))


def source_labels(path: str) -> npt.NDArray[np.int32]:
    """The class that the source gives to each image, -1 for none, in the order of positions.

    Raises V020 for a label that is no class.
    """
    return np.concatenate([shard.source_labels() for shard in _shards(path)])


def _shards(path: str) -> Iterator[Shard]:
    opened = Shards(path, read_index(path) if os.path.isdir(path) else None)
    try:
        yield from opened.one_by_one()
    finally:
        opened.close()
