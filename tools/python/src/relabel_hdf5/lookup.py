"""From what a user names images by to their positions."""

from __future__ import annotations

import operator
import posixpath
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from .errors import NotFoundError, PositionError, RelabelError, UsageError
from .key_runs import KeyRuns
from .keys import BLOCK, KeyTable, Positions

Indices = Sequence[int | str] | npt.NDArray[Any]
"""Positions, negative ones counted from the end, or keys."""


class Lookup:
    """The images of a shard or dataset, by position or key; keys are read when the first is asked for."""

    def __init__(
        self,
        path: str,
        count: int,
        read_keys: Callable[[], tuple[KeyTable | KeyRuns, int | None]],
        check_keys: Callable[[int], None],
    ) -> None:
        """`read_keys` gives the first shard that can't be read, too, and `check_keys` raises what is wrong there."""
        self._path = path
        self._count = count
        self._read_keys = read_keys
        self._check_keys = check_keys
        self._table: tuple[KeyTable | KeyRuns, int | None] | None = None

    def one(self, index: SupportsIndex | str) -> int:
        """The position of one image."""
        if isinstance(index, str):
            return int(self._all_found([index])[0])
        position = operator.index(index)
        if not -self._count <= position < self._count:
            raise self._no_position(position)
        return position + self._count if position < 0 else position

    def several(self, indices: Indices) -> Positions:
        """The positions of several images, in the order given."""
        if isinstance(indices, str):
            raise UsageError(f"several positions or keys are taken here, not the one key '{indices}'")
        if isinstance(indices, np.ma.MaskedArray):
            raise UsageError("positions: a masked array, whose masked values would be taken like the others")
        if isinstance(indices, np.ndarray) and indices.dtype.kind != "U":
            return self._checked(indices)
        listed: list[Any] = list(indices)
        is_key = np.array([isinstance(index, str) for index in listed], bool)
        positions = np.empty(len(listed), np.int64)
        if is_key.any():
            positions[is_key] = self._all_found([index for index in listed if isinstance(index, str)])
        numbers = [operator.index(index) for index in listed if not isinstance(index, str)]
        try:
            positions[~is_key] = self._checked(np.array(numbers, np.int64))
        except OverflowError:
            raise self._no_position(max(numbers, key=abs)) from None
        return positions

    def keys(self, keys: Sequence[str]) -> Positions:
        """The positions of the images with some keys, -1 where there is none.

        Raises `UsageError` for a key that several views have.
        """
        positions = self._firsts(keys)
        table, _ = self._read()
        if isinstance(table, KeyRuns):
            for key, position in zip(keys, positions.tolist(), strict=True):
                if position >= 0 and (count := len(table.all_of(_bytes(key)))) > 1:
                    what = f"the image has {count} views: views.of('{key}') has the positions of all of them"
                    raise UsageError(what, file=self._path, key=key)
        return positions

    def has(self, key: str) -> bool:
        """Whether there is an image with a key."""
        return bool(self._firsts([key])[0] >= 0)

    def all_of(self, key: str) -> Positions:
        """The positions of all rows with a key, ascending; raises `NotFoundError` where there are none."""
        table, _ = self._read()
        if isinstance(table, KeyRuns) and len(found := table.all_of(_bytes(key))):
            return found
        if not self.has(key):
            raise self._not_found(key)
        table, _ = self._read()
        return table.all_of(_bytes(key)) if isinstance(table, KeyRuns) else self._firsts([key])

    def _firsts(self, keys: Sequence[str]) -> Positions:
        """The position of the first row with each key, -1 where there is none."""
        if isinstance(keys, str):
            raise UsageError(f"several keys are taken here, not the one key '{keys}'")
        table, unread = self._read()
        positions = _positions(keys, table)
        while unread is not None and positions.min(initial=0) < 0:
            self._check_keys(unread)
            # It can be read by now.
            table, unread = self._table = self._read_keys()
            positions = _positions(keys, table)
        return positions

    def _read(self) -> tuple[KeyTable | KeyRuns, int | None]:
        self._table = self._table or self._read_keys()
        return self._table

    def _all_found(self, keys: list[str]) -> Positions:
        positions = self.keys(keys)
        if positions.min(initial=0) < 0:
            raise self._not_found(keys[int(positions.argmin())])
        return positions

    def _checked(self, positions: npt.NDArray[Any]) -> Positions:
        if positions.ndim != 1 or (positions.dtype.kind not in "iu" and len(positions)):
            kind = f"an array of {positions.dtype} with {positions.ndim} axes"
            raise UsageError(f"positions are whole numbers along one axis, not {kind}")
        if len(positions) and positions.min() >= 0 and positions.max() < self._count:
            return positions.astype(np.int64)
        is_outside = (positions < -self._count) | (positions >= self._count)
        if is_outside.any():
            raise self._no_position(int(positions[is_outside][0]))
        positions = positions.astype(np.int64)
        return np.where(positions < 0, positions + self._count, positions)

    def _no_position(self, position: int) -> RelabelError:
        message = f"there is no image at position {position}; there are {self._count} images"
        return PositionError(message, file=self._path)

    def _not_found(self, key: str) -> RelabelError:
        near = [other for other in _near(key) if self.has(other)]
        hint = f"did you mean '{near[0]}'?" if near else "keys are relative paths without extension"
        return NotFoundError(f"there is no such image; {hint}", file=self._path, key=key)


def _bytes(key: str) -> bytes:
    # A text that is not valid Unicode is no key, and its bytes are no key's.
    return key.encode("utf-8", "surrogatepass")


def _positions(keys: Sequence[str], table: KeyTable | KeyRuns) -> Positions:
    texts = map(_bytes, keys)
    blocks = iter(lambda: list(islice(texts, BLOCK)), [])
    return np.concatenate([np.empty(0, np.int64), *map(table.positions, blocks)])


def _near(key: str) -> list[str]:
    """Keys that may have been meant: without the extension, or without the first folder."""
    plain = key.replace("\\", "/").lstrip("./")
    stem = posixpath.splitext(plain)[0]
    return [plain, stem, *(path.split("/", 1)[1] for path in (plain, stem) if "/" in path)]
