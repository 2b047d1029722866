"""Label maps as an xarray dataset: `xarray.open_dataset(path, engine="relabel")`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from xarray import Dataset, Variable
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from .dataset import LabelMaps, open
from .errors import RelabelError, UsageError
from .header import Header

BLOCK = 1024
"""Images that are decoded at a time."""

Array = npt.NDArray[Any]
Read = Callable[[LabelMaps, Array], Any]


class RelabelBackend(BackendEntrypoint):
    """Opens a shard, a folder of shards or its `index.json`: all images along one dimension.

    The dataset has `class_index` and `score` [image, y, x, rank] and `map_extent` [image, side]; the
    coordinates `image_key`, `image_index` and `side`, and `class_id` and `class_name` [class] where there is
    a class table. What the shards say of their maps is in its attributes. Labels are read when they are
    asked for; scores are decoded.
    """

    description = "Label maps of the ReLabel HDF5 format"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(  # type: ignore[override]
        self, filename_or_obj: str | os.PathLike[str], *, drop_variables: str | Iterable[str] | None = None
    ) -> Dataset:
        """The maps at a path; raises as `relabel_hdf5.open`, and when they are read as `LabelMaps.batch`.

        Raises `UsageError` for maps of factors, whose cells have no classes.
        """
        maps = open(filename_or_obj)
        if maps.header.has_factors:
            maps.close()
            raise UsageError(
                "these maps have factors (format 1.1), and no classes in their cells: open them with relabel_hdf5.open, "
                "or export all logits with relabel-export --to npz --dense",
                file=str(filename_or_obj),
            )
        variables = label_variables(maps) | class_variables(maps.header)
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        dataset = Dataset(
            {name: variable for name, variable in variables.items() if name not in dropped},
            attrs=attributes(maps.header),
        )
        names = ("image_key", "image_index", "side", "class_id", "class_name")
        dataset = dataset.set_coords([name for name in names if name in dataset])
        dataset.set_close(maps.close)
        return dataset

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """True for a path where `relabel_hdf5.open` finds label maps."""
        if not isinstance(filename_or_obj, (str, os.PathLike)):
            return False
        try:
            open(filename_or_obj).close()
        except (OSError, RelabelError):
            return False
        return True


class Rows(BackendArray):
    """An array that is read by image, some rows at a time, and cut along its other axes afterwards."""

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike, read: Callable[[Array], Any]) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._read = read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._outer)

    def _outer(self, key: tuple[Any, ...]) -> Any:
        """What whole numbers, slices and lists of places select, each along its own axis."""
        images, *others = key
        positions = np.arange(self.shape[0])[images]
        wanted = positions.reshape(-1)
        starts = range(0, len(wanted), BLOCK)
        parts = [cut(self._read(wanted[first : first + BLOCK]), others) for first in starts]
        rows = np.concatenate(parts) if parts else cut(np.empty((0, *self.shape[1:]), self.dtype), others)
        return rows if positions.ndim else rows[0]


def cut(rows: Array, others: list[Any]) -> Array:
    """The part of rows that is selected along the axes after the first."""
    for axis in range(len(others), 0, -1):  # the last first: a whole number takes its axis away
        rows = rows[(slice(None),) * axis + (others[axis - 1],)]
    return rows


def label_variables(maps: LabelMaps) -> dict[str, Variable]:
    """The variables along `image`."""
    header, count = maps.header, len(maps)
    chunks = {"image": min(BLOCK, max(1, count))}
    ids = np.uint16 if header.num_classes <= 65535 else np.uint32  # spec, section 4.3

    def variable(axes: str, shape: tuple[int, ...], dtype: npt.DTypeLike, read: Read, name: str) -> Variable:
        rows = Rows((count, *shape), dtype, partial(read, maps))
        lazy = indexing.LazilyIndexedArray(rows)
        return Variable(axes.split(), lazy, {"long_name": name}, {"preferred_chunks": chunks})

    return {
        "class_index": variable("image y x rank", header.shape, ids, read_ids, "class id"),
        "score": variable("image y x rank", header.shape, np.float32, read_scores, header.score_kind),
        "map_extent": variable("image side", (4,), np.float64, read_extents, "covered part of the picture"),
        "image_key": variable("image", (), object, read_keys, "name of the picture"),
        "image_index": variable("image", (), np.int64, read_indexes, "place in the source listing"),
        "side": Variable(("side",), ["top", "left", "height", "width"]),
    }


def read_ids(maps: LabelMaps, positions: Array) -> Any:
    return maps.batch(positions).class_index


def read_scores(maps: LabelMaps, positions: Array) -> Any:
    return maps.batch(positions).score


def read_extents(maps: LabelMaps, positions: Array) -> Any:
    return maps.batch(positions).extent


def read_keys(maps: LabelMaps, positions: Array) -> Any:
    return np.array([maps.key(position) for position in positions.tolist()], object)


def read_indexes(maps: LabelMaps, positions: Array) -> Any:
    return maps.image_indexes()[positions]


def class_variables(header: Header) -> dict[str, Variable]:
    """Identifiers and names by class id, where the packer was given a class table."""
    if header.classes is None:
        return {}
    columns = zip(("class_id", "class_name"), zip(*header.classes))
    return {name: Variable(("class",), np.array(values, object)) for name, values in columns}


def attributes(header: Header) -> dict[str, Any]:
    """What the shards say of all their maps, but for what is unknown."""
    names = (
        "format_version", "num_classes", "score_kind", "fill", "temperature", "cell_order", "row_order",
        "orientation", "encoding", "step", "offset", "writer", "build_id",
    )
    values = {name: getattr(header, name) for name in names}
    values["classes_are"] = None if header.classes_are == "exclusive" else header.classes_are
    values["annotator"] = (header.annotator or {}).get("name")
    return {name: value for name, value in values.items() if value is not None}
