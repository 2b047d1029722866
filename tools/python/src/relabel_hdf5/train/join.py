"""Which map belongs to which picture of a folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ..errors import NotFoundError, UsageError
from .pictures import Pictures

Missing = Literal["error", "skip", "one_hot"]


def join(pictures: Pictures, maps: Any, missing: Missing) -> tuple[np.ndarray, tuple[str, ...]]:
    """The position of each picture's map, int64, -1 for none; and the keys of pictures that were left out.

    Pictures without a map raise `NotFoundError`, or are forgotten with `missing` = ``"skip"``, or stay with
    ``"one_hot"``; where no picture has a map it is raised whatever `missing` is, for then the keys don't fit.
    Two pictures of one map raise `UsageError`.
    """
    positions = np.concatenate([
        maps.positions([pictures.key(index) for index in block]) for block in _blocks(len(pictures), 1 << 16)
    ])
    _refuse_shared_maps(pictures, positions)
    found = positions >= 0
    without = np.flatnonzero(~found).tolist()
    if not found.any() or (without and missing == "error"):
        raise NotFoundError(_message(pictures, without, maps), file=str(pictures.root))
    if missing == "one_hot" or not without:
        return positions, ()
    skipped = tuple(pictures.key(index) for index in without)
    pictures.keep(found)
    return positions[found], skipped


def _blocks(count: int, size: int) -> Iterator[range]:
    """The numbers below `count` in blocks, so that a million keys need not be held at once."""
    return (range(first, min(first + size, count)) for first in range(0, count, size))


def _refuse_shared_maps(pictures: Pictures, positions: np.ndarray) -> None:
    found = np.flatnonzero(positions >= 0)
    order = found[np.argsort(positions[found], kind="stable")]
    twice = np.flatnonzero(positions[order][1:] == positions[order][:-1])
    if len(twice):
        first, second = (int(order[twice[0] + step]) for step in (0, 1))
        paths = f"{pictures.path(first)} and {pictures.path(second)}"
        raise UsageError(
            f"two pictures have the same map: {paths}", file=str(pictures.root), key=pictures.key(first)
        )


def _other_form(key: str, maps: Any) -> str | None:
    """The form of Unicode in which the maps have a key, where they have it in another than asked for."""
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        other = unicodedata.normalize(form, key)
        if other != key and maps.positions([other])[0] >= 0:
            return form
    return None


def _message(pictures: Pictures, without: list[int], maps: Any) -> str:
    first = ", ".join(pictures.key(index) for index in without[:10])
    count = f"{len(without)} of {len(pictures)} pictures have no label map, the first of them: {first}."
    example = f"{pictures.path(without[0])} has the key {pictures.key(without[0])}"
    keys = f"the maps have keys such as {maps.key(0)}" if len(maps) else "the dataset has no maps"
    hint = f"{example}, {keys}: key= makes the keys of maps from the paths of pictures"
    if form := _other_form(pictures.key(without[0]), maps):
        hint = (
            f"{example}, and the maps have this key in another form of Unicode ({form}), which compares unequal: "
            f"say key=lambda path: unicodedata.normalize('{form}', os.path.splitext(path)[0])"
        )
    if len(without) == len(pictures):
        return f"{count} {hint}"
    return (
        f"{count} {hint}. Or say missing='skip' to leave them out, or missing='one_hot' to give them their "
        "folder's label"
    )
