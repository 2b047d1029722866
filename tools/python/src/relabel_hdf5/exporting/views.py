"""Views to export: rows by picture, or in the order of training, with all that the shards say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..dataset import LabelMaps
from ..errors import InvalidDataError, UsageError
from ..header import Header
from ..keys import KeyTable
from ..layout import CLASS_INDEX, IMAGE_INDEX, IMAGE_KEY, SCORE
from ..views import ViewTable

Positions = npt.NDArray[np.int64]
Starts = npt.NDArray[np.int64]
"""Where groups begin in an order, and its length last."""


class Order(NamedTuple):
    """Rows in an order, in groups that belong together: the views of a picture, or those of a batch."""

    positions: Positions
    starts: Starts
    names: npt.NDArray[np.int64]
    """What each group is, [g, 1] or [g, 2]: the place of a picture in the listing, or epoch and batch; ascending."""

    def group(self, *name: int) -> Positions | None:
        """The positions of a group, or None where there is none of this name."""
        first, end = 0, len(self.names)
        for column, value in zip(self.names.T, name):
            first, end = (first + np.searchsorted(column[first:end], [value, value + 1])).tolist()
        return self.positions[self.starts[first] : self.starts[first + 1]] if first < end else None


MIXES = ("mixup_lambda", "cutmix_lambda")
"""What says whether a view shows another picture, too."""

_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Rows:
    """Some views, in the order asked for."""

    keys: list[str]
    class_index: npt.NDArray[Any]
    """Class ids [n, H, W, k]."""
    score: npt.NDArray[np.float32]
    """Decoded scores [n, H, W, k]."""
    columns: dict[str, npt.NDArray[Any]]
    """`image_index`, and what the shards say of views, by the name of the HDF5 dataset."""

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, first: int, end: int) -> Rows:
        """The rows from `first` up to `end`."""
        columns = {name: values[first:end] for name, values in self.columns.items()}
        return Rows(self.keys[first:end], self.class_index[first:end], self.score[first:end], columns)

    def single_cells(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Class ids and scores [n, k] of maps that are a single cell."""
        return self.class_index[:, 0, 0], self.score[:, 0, 0]


class Views:
    """The views of some shards or datasets of one build. Orders take 30 bytes a view."""

    def __init__(self, parts: list[LabelMaps]) -> None:
        """Opens the columns of what is open; raises `UsageError` for maps of whole pictures."""
        with ExitStack() as files:
            self._parts = parts
            self._tables = [ViewTable(maps.path) for maps in parts]
            for table in self._tables:
                files.callback(table.close)
            self._first = np.array([0, *map(len, parts)], np.int64).cumsum()
            self.names: tuple[str, ...] = tuple(
                name for name in self._tables[0].names if all(name in table.names for table in self._tables)
            )
            """What the shards say of views: names of HDF5 datasets, in the order of the format."""
            self.close = files.pop_all().close

    def __len__(self) -> int:
        return int(self._first[-1])

    @property
    def header(self) -> Header:
        """What the shards say of all views."""
        return self._parts[0].header

    @property
    def document(self) -> dict[str, Any]:
        """What the metadata document says of all views."""
        return self._tables[0].document

    @cached_property
    def image_order(self) -> Order:
        """The positions by picture and view, and where each picture's views begin; raises `InvalidDataError` where two
        views of a picture have one number."""
        return self._order((IMAGE_INDEX, "view"), "the views at positions {} and {} are one view of one picture")

    @cached_property
    def replay_order(self) -> Order:
        """The positions by epoch, batch and slot, in batches; views that no batch has are left out."""
        return self._order(("replay",), "the views at positions {} and {} are in one slot of one batch")

    @cached_property
    def slot_order(self) -> Order:
        """The positions by epoch, slot and batch, in slots of an epoch: what each of several programs saw."""
        repeated = "the views at positions {} and {} are in one slot of one batch"
        return self._order(("replay",), repeated, [0, 2, 1])

    def rows(self, positions: Positions) -> Rows:
        """Some views."""
        columns = self.columns(positions, (IMAGE_KEY, IMAGE_INDEX, *self.extra, *self.names))
        keys = [key.decode() for key in columns.pop(IMAGE_KEY).tolist()]
        numbers = np.searchsorted(self._first[1:], positions, "right")
        found = [
            (
                np.flatnonzero(numbers == number),
                self._parts[number].batch(positions[numbers == number] - self._first[number]),
            )
            for number in np.unique(numbers).tolist()
        ]
        if len(found) == 1:
            return Rows(keys, found[0][1].class_index, found[0][1].score, columns)
        back = np.argsort(np.concatenate([places for places, _ in found]))
        ids, scores = (
            np.concatenate([getattr(maps, name) for _, maps in found])[back] for name in (CLASS_INDEX, SCORE)
        )
        return Rows(keys, ids, scores, columns)

    def columns(self, positions: Positions, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
        """Those of some columns that the shards have, of some views."""
        numbers = np.searchsorted(self._first[1:], positions, "right")
        found: dict[str, npt.NDArray[Any]] = {}
        for name in names:
            if not (name in (IMAGE_KEY, IMAGE_INDEX) or self.has(name)):
                continue
            for number in np.unique(numbers).tolist():
                places = np.flatnonzero(numbers == number)
                values = self._tables[number].column(name, positions[places] - self._first[number])
                if name not in found:
                    found[name] = np.empty((len(positions), *values.shape[1:]), values.dtype)
                found[name][places] = values
        return found

    def column_blocks(self, *names: str) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """All rows of some columns, block by block."""
        for table in self._tables:
            for _, found in table.blocks(*names):
                yield found

    def picture(self, name: str) -> Positions | None:
        """The positions of a picture's views, by its key up to the first dot; None where there is no such picture."""
        place = int(self._names.positions([name.encode()])[0])
        return None if place < 0 else self.image_order.group(*self.image_order.names[place].tolist())

    @cached_property
    def _names(self) -> KeyTable:
        positions, starts, _ = self.image_order
        firsts = positions[starts[:-1]]
        size = 1 << 14
        blocks = (
            np.array(
                [
                    key.partition(b".")[0]
                    for key in self.columns(firsts[at : at + size], (IMAGE_KEY,))[IMAGE_KEY].tolist()
                ]
            )
            for at in range(0, len(firsts), size)
        )
        return KeyTable(len(firsts), blocks)

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """What the shards say of the pictures, and forms of views ask for."""
        return tuple(name for name in ("image_size",) if all(name in table for table in self._tables))

    def has(self, name: str) -> bool:
        """Whether all shards have an optional HDF5 dataset."""
        return name in self.names or name in self.extra

    def _order(self, names: tuple[str, ...], repeated: str, turned: Sequence[int] | None = None) -> Order:
        """The rows by the numbers of some columns, or by those numbers in another order; negative ones are left out."""
        blocks = [
            np.concatenate([_numbers(found[name]) for name in names], 1) for found in self.column_blocks(*names)
        ]
        if not blocks:
            raise UsageError("there are no views to export", file=self._parts[0].path)
        values = np.concatenate(blocks)
        del blocks
        if turned is not None:
            values = values[:, turned]
        positions = np.flatnonzero(values[:, 0] >= 0)
        values = values[positions]
        if (_steps(values) < 0).any():
            order = np.lexsort(values.T[::-1])
            positions, values = positions[order], values[order]
        steps = _steps(values)
        if (steps == 0).any():
            place = int((steps == 0).argmax())
            raise InvalidDataError(repeated.format(*positions[place : place + 2].tolist()))
        begins = np.flatnonzero((values[1:, :-1] != values[:-1, :-1]).any(1)) + 1
        starts = np.concatenate([[0], begins, [len(values)]]).astype(np.int64)
        return Order(positions, starts, values[starts[:-1], :-1])


def in_groups(views: Views, order: Order) -> Iterator[Rows]:
    """The rows of each group; groups are read together as far as memory is bounded."""
    size = max(1, _BLOCK_BYTES // row_bytes(views.header))
    positions, starts, _ = order
    first = 0
    while first < len(starts) - 1:
        end = max(first + 1, int(np.searchsorted(starts, starts[first] + size, "right")) - 1)
        read = views.rows(positions[starts[first] : starts[end]])
        bounds = (starts[first : end + 1] - starts[first]).tolist()
        for begin, stop in zip(bounds[:-1], bounds[1:]):
            yield read.part(begin, stop)
        first = end


def in_blocks(views: Views, order: Order) -> Iterator[Rows]:
    """The rows of each group in blocks of bounded memory, for groups of any size."""
    size = max(1, _BLOCK_BYTES // row_bytes(views.header))
    positions, starts, _ = order
    for first, end in zip(starts[:-1].tolist(), starts[1:].tolist()):
        for begin in range(first, end, size):
            yield views.rows(positions[begin : min(begin + size, end)])


def row_bytes(header: Header) -> int:
    """The memory that a view takes on the way."""
    return header.height * header.width * header.top_k * 24 + 400


def need(views: Views, form: str, columns: Iterable[str]) -> None:
    """Raises `UsageError` where shards lack a column that a form can't do without."""
    missing = [name for name in columns if not views.has(name)]
    if missing:
        raise UsageError(f"{form} holds what these shards don't: they have no {' and no '.join(missing)}")


def _numbers(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return values.astype(np.int64).reshape(len(values), -1)


def _steps(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each row and the one behind it 1, 0 or -1: ascending, equal or descending."""
    steps = np.zeros(max(0, len(values) - 1), np.int64)
    for column in values.T[::-1]:
        change = np.sign(column[1:] - column[:-1])
        steps = np.where(change, change, steps)
    return steps
