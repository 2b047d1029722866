"""What an engine is: one reader of label maps by position, complete in itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..header import Extent, Header
from ..keys import Array, Positions
from ..labels import MapBatch, StoredLabels


class Engine(Protocol):
    """Reads the maps, keys and image indexes of a shard or dataset; callable from any thread and after a fork.

    Positions are checked by the caller. Every method raises a `RelabelError` that names the broken rule, file,
    image and cell where labels can't be trusted, and `UsageError` after `close`.
    """

    first: Positions
    """Where each shard begins, and at the end the number of images."""
    paths: list[str]
    """The shards' files, in the order of positions."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells these maps from others at their path, also on another machine and by another engine."""

    def header_at(self, positions: Positions) -> Header:
        """What the shards say of all maps; where none is open yet, the first that some positions need is."""

    @property
    def images_per_chunk(self) -> int:
        """Images of a chunk of labels, by which an epoch's order is made (spec, section 14.2)."""

    def one(self, position: int) -> tuple[Array, npt.NDArray[np.float32], Extent]:
        """Class ids, decoded scores and extent of one image; the arrays are the caller's own."""

    def maps(self, positions: Positions) -> MapBatch:
        """The maps at some positions, in the order given; every chunk is read once."""

    def stored(self, positions: Positions) -> StoredLabels:
        """Class ids and scores as the files hold them, in the order given; every chunk is read once."""

    def targets(
        self, positions: Positions, boxes: npt.NDArray[np.float64], profile: str | None, clamp: bool, threads: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Targets [B, n, C] and covered shares [B, n] of boxes [B, n, 4] of the images at some positions."""

    def key(self, position: int) -> str:
        """The key of one image; raises V010 for one that is no path within a folder."""

    def keys(self) -> Iterator[str]:
        """All keys, in the order of positions."""

    def stored_keys(self, shard: int) -> Iterator[Array]:
        """The bytes of the keys of a shard, in the order of positions, block by block."""

    def image_index(self, position: int) -> int:
        """The place of one image in the source listing; raises V009 for a negative one."""

    def image_indexes(self) -> Positions:
        """The places of all images in the source listing, in the order of positions."""

    def close(self) -> None:
        """Closes all files."""
