"""The columns that say what each row of a dataset with views is a view of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engines.numpy.columns import Columns
from ..engines.numpy.ways import Way
from ..errors import RelabelError, UsageError, violation
from ..header import Header
from ..keys import Positions
from ..layout import INDEX_NAME, VIEW_COLUMNS
from ..versions import demand
from .checks import Array, fault

NAMES = tuple(column.name for column in VIEW_COLUMNS)
"""The columns of views, in the order of the format."""


class ViewTable:
    """View columns of a shard or dataset by position, whatever engine reads the maps.

    Rows are read when they are asked for, chunk by chunk, and checked: a `RelabelError` names file, HDF5 dataset and
    row of a value that means nothing. Memory does not grow with the dataset. Callable from any thread and after a fork.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens a shard, a folder with an `index.json`, or that `index.json`; raises `UsageError` without views."""
        demand("numpy")
        demand("h5py")
        self.path = os.path.abspath(os.fspath(path))
        """Where the rows are: a shard, or the folder of a dataset."""
        if os.path.basename(self.path) == INDEX_NAME:
            self.path = os.path.dirname(self.path)
        self._columns = Columns(self.path, lambda name, rows: fault(name, rows, self.header.view_size) is None)
        try:
            if not self.header.has_views:
                raise UsageError("these label maps are of whole pictures: they have no views", file=self.path)
        except BaseException:
            self._columns.close()
            raise

    def __len__(self) -> int:
        return int(self._columns.first[-1])

    def __contains__(self, name: object) -> bool:
        return name in self._columns.names

    @property
    def header(self) -> Header:
        """What the shards say about all of their rows: `view_size` and `box_type`, too."""
        return self._columns.header

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells these rows from others at their path, as the engines tell it."""
        return self._columns.identity

    @property
    def document(self) -> dict[str, Any]:
        """What the metadata document says of the views: `dialect`, `chain`, `interpolation` and more; may be empty."""
        found = self.header.metadata.get("views")
        return found if isinstance(found, dict) else {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns of views that the shards have, in the order of the format."""
        present = self._columns.names
        return tuple(name for name in NAMES if name in present)

    def way(self, positions: npt.ArrayLike) -> Way:
        """Where the rows at some positions are: for `column`, where several columns of them are wanted."""
        return self._columns.way(np.asarray(positions, np.int64))

    def column(self, name: str, positions: npt.ArrayLike | Way) -> Array:
        """The rows of a column at some positions, in the order given, checked.

        `name` is one of `names`, or another HDF5 dataset beside the labels, such as `image_index` or `image_key`, whose
        rows are given as they are stored. Raises `UsageError` where the shards have no such column.
        """
        way = positions if isinstance(positions, Way) else self.way(positions)
        found, is_sound = self._columns.read(name, way)
        if not is_sound:  # a row that nobody asks for does no harm
            self._check(name, found, way.positions)
        return found

    def column_or(self, name: str, positions: npt.ArrayLike | Way, missing: Any) -> Array:
        """The rows of a column as `column` gives them, or a value for each row where the shards have no such column."""
        if name in self:
            return self.column(name, positions)
        count = len(positions.positions) if isinstance(positions, Way) else np.asarray(positions).shape[0]
        return np.tile(np.asarray(missing), (count, *[1] * np.ndim(missing)))

    def blocks(self, *names: str) -> Iterator[tuple[int, dict[str, Array]]]:
        """All rows of some columns, block by block: the position of the first row, and the rows by name, checked."""
        for first, found in self._columns.blocks(names):
            for name, rows in zip(names, found, strict=True):
                self._check(name, rows, np.arange(first, first + len(rows)))
            yield first, dict(zip(names, found, strict=True))

    def shards_of(self, positions: Positions) -> Positions:
        """The number of the shard that each position is in."""
        return self._columns.shards_of(positions)

    def error(self, rule: str, message: str, position: int, dataset: str) -> RelabelError:
        """The error for a row whose value breaks a rule: it names file, row and image."""
        return violation(rule, message, dataset=dataset, **self._columns.place(position))

    def close(self) -> None:
        """Closes all files; reading raises `UsageError` from now on."""
        self._columns.close()

    def _check(self, name: str, rows: Array, positions: npt.NDArray[np.int64]) -> None:
        if found := fault(name, rows, self.header.view_size):
            raise self.error(found.rule, found.message, int(positions[found.place]), name)
