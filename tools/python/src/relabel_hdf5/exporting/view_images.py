"""Pictures made of their views, for forms that hold one label for a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..labels import MapBatch
from .image_labels import RULES, Targets
from .source import BLOCK_BYTES, Block, Source, row_bytes
from .views import MIXES, Views

_ROWS = 1024


@dataclass(frozen=True)
class PictureBlock(Block):
    """Some pictures; `maps` and `columns` are those of their views, one picture's behind the other's."""

    starts: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    """Where the views of each picture begin, and their number last."""

    def targets(self, rule: str) -> Targets:
        """For each picture the mean of what the rule says of its views, or the highest of them for the rule `max`.

        Views that show another picture, too, don't count.
        """
        counted = ~is_mixed(self.columns, len(self.maps))
        found = np.zeros((len(self), self.maps.header.num_classes), np.float64)
        for place, (first, end) in enumerate(zip(self.starts[:-1].tolist(), self.starts[1:].tolist())):
            rows = first + np.flatnonzero(counted[first:end])
            if not len(rows):
                raise UsageError(
                    "each view of this picture shows another one, too, and says nothing of it alone",
                    key=self.keys[place],
                )
            for begin in range(0, len(rows), _ROWS):
                part = RULES[rule](_part(self.maps, rows[begin : begin + _ROWS]))
                if rule == "max":
                    found[place] = np.maximum(found[place], part.max(0))
                else:
                    found[place] += part.sum(0, dtype=np.float64) / len(rows)
        return found.astype(np.float32)


class Pictures(Source):
    """A source of views by picture: as many rows as there are pictures."""

    def __init__(self, source: Source) -> None:
        """Takes the files of a source over; raises `UsageError` where it isn't known which views show one picture alone."""
        _refuse_unknown_mixes(source.views)
        self.__dict__.update(source.__dict__)
        self._rows, self._starts, _ = source.views.image_order

    def __len__(self) -> int:
        return len(self._starts) - 1

    def key(self, place: int) -> str:
        """The key of the picture at a place of the listing."""
        return self.keys[int(self._rows[self._starts[place]])]

    def blocks(self, image_bytes: int) -> Iterator[Block]:
        """All pictures in the order of the listing, with all their views each."""
        size = max(1, BLOCK_BYTES // (row_bytes(self.header) + image_bytes))
        first = 0
        while first < len(self):
            end = max(first + 1, int(np.searchsorted(self._starts, self._starts[first] + size, "right")) - 1)
            positions = self._rows[self._starts[first] : self._starts[end]]
            starts = self._starts[first : end + 1] - self._starts[first]
            labels = None if self._labels is None else self._labels[positions[starts[:-1]]]
            keys = [self.key(place) for place in range(first, end)]
            yield PictureBlock(
                first, keys, self._batch(positions), labels, self.views.columns(positions, MIXES), starts
            )
            first = end


def mixed_views(views: Views) -> int:
    """How many views show another picture, too."""
    names = [name for name in MIXES if name in views.names]
    return (
        sum(int(is_mixed(found, len(found[names[0]])).sum()) for found in views.column_blocks(*names)) if names else 0
    )


def is_mixed(columns: dict[str, npt.NDArray[Any]], count: int) -> npt.NDArray[np.bool_]:
    """Which views show another picture, too."""
    found = np.zeros(count, np.bool_)
    for name in MIXES:
        if name in columns:
            found |= ~np.isnan(columns[name])
    return found


def _refuse_unknown_mixes(views: Views) -> None:
    ways = [way for way in ("mixup", "cutmix") if way in views.document.get("chain", [])]
    if ways and not any(name in views.names for name in MIXES):
        raise UsageError(
            f"views were mixed by {' and '.join(ways)}, and these shards don't say which: labels of single pictures "
            "don't follow from them"
        )
    if "view_seed" in views.names and "view_box" not in views.names:
        raise UsageError(
            "only seeds say what these views show, which may be two pictures in one: labels of single pictures don't "
            "follow from them"
        )


def _part(maps: MapBatch, rows: npt.NDArray[np.int64]) -> MapBatch:
    return MapBatch(maps.class_index[rows], maps.score[rows], maps.extent[rows], maps.positions[rows], maps.header)
