"""Some views, and what is known of them: one, or several side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..engines.numpy.ways import Way
from ..errors import RelabelError
from ..keys import Positions
from ..labels import StoredLabels
from .checks import NOT_MIXED, Array, is_unwritten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .views import Views

_UNKNOWN_FLIP = 255


class Replay(NamedTuple):
    """The place of a view in a stored run of training."""

    epoch: int
    batch: int
    slot: int


class Mix(NamedTuple):
    """How a view was mixed with another one, its partner."""

    share: float
    """The lambda of the source: the share of the view itself, as far as the source means that."""
    partner_image: int | None
    """The image index of the partner, where it is known."""
    partner_slot: int | None
    """The slot of the partner in the same batch, where it is known."""
    box: tuple[int, int, int, int] | None = None
    """Top, left, bottom, right of what was pasted from the partner, in pixels of the view; of cutmix alone."""


@dataclass(frozen=True, eq=False)
class ViewRows:
    """Several views in the order asked for; columns are read when they are asked for.

        >>> import relabel_hdf5
        >>> views = relabel_hdf5.open("views").views
        >>> of_one = views.of("n01443537/n01443537_00069")
        >>> of_one.view, of_one.flip
        (array([0, 1], dtype=int32), array([0, 1], dtype=uint8))
        >>> of_one.box[0].tolist()  # top, left, height, width, as fractions of the picture
        [0.0, 0.25, 0.5, 0.5]

    Reading raises a `RelabelError` that names file, row and image of a value that means nothing. A column that the
    shards don't have is what its rows are where nothing is known, or None for `box` and `seed`.
    """

    positions: Positions
    """Where the rows are in what was opened, int64 [n]."""
    source: Views
    """Where they were read from."""

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[View]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> View:
        """One of the views; its facts are read with those of the others."""
        if not -len(self) <= place < len(self):
            raise IndexError(f"view {place} of {len(self)}")
        return View(self, place % len(self))

    @cached_property
    def image_index(self) -> Positions:
        """The place of each picture in the source listing, int64 [n]."""
        return self.source.table.column("image_index", self._way)

    @cached_property
    def view(self) -> npt.NDArray[np.int32]:
        """The number of each view within its image [n]."""
        return self.source.table.column("view", self._way)

    @cached_property
    def box(self) -> npt.NDArray[np.float64] | None:
        """Top, left, height, width as fractions of the original picture [n, 4]; a box may leave the picture."""
        return self.source.table.column("view_box", self._way) if "view_box" in self.source.table else None

    @cached_property
    def flip(self) -> npt.NDArray[np.uint8]:
        """1 where the crop was mirrored left-right, 0 where not, 255 where nobody knows [n]."""
        return self._or("view_flip", np.uint8(_UNKNOWN_FLIP))

    @cached_property
    def seed(self) -> npt.NDArray[np.int64] | None:
        """The seed of each view's augmentation [n]."""
        return self.source.table.column("view_seed", self._way) if "view_seed" in self.source.table else None

    @cached_property
    def replay(self) -> npt.NDArray[np.int32]:
        """Epoch, batch and slot [n, 3]; -1 where a view belongs to no batch."""
        return self._or("replay", np.full(3, -1, np.int32))

    @cached_property
    def mixup_lambda(self) -> npt.NDArray[np.float64]:
        """The lambda of mixup [n], NaN where nothing was mixed so."""
        return self._or("mixup_lambda", NOT_MIXED)

    @cached_property
    def mixup_partner(self) -> npt.NDArray[np.int64]:
        """Image index and slot of the partner in mixup [n, 2]; -1 where they are not known."""
        return self._or("mixup_partner", np.full(2, -1, np.int64))

    @cached_property
    def cutmix_lambda(self) -> npt.NDArray[np.float64]:
        """The lambda of cutmix [n], NaN where nothing was mixed so."""
        return self._or("cutmix_lambda", NOT_MIXED)

    @cached_property
    def cutmix_box(self) -> npt.NDArray[np.int32]:
        """Top, left, bottom, right of what was pasted, in pixels of the view [n, 4]; -1 where nothing was."""
        return self._or("cutmix_box", np.full(4, -1, np.int32))

    @cached_property
    def cutmix_partner(self) -> npt.NDArray[np.int64]:
        """Image index and slot of the partner in cutmix [n, 2]; -1 where they are not known."""
        return self._or("cutmix_partner", np.full(2, -1, np.int64))

    @cached_property
    def operations(self) -> tuple[dict[str, Any] | None, ...]:
        """What else was done to each picture, under the schema of `views.document`; None where nothing was.

        Raises V030 for a text that is not a JSON object.
        """
        if "operations" not in self.source.table:
            return (None,) * len(self)
        texts = self.source.table.column("operations", self._way).tolist()
        return tuple(self._operations(text, place) for place, text in enumerate(texts))

    @cached_property
    def stored(self) -> StoredLabels:
        """Class ids and scores as the file holds them [n, H, W, k], without a copy in another type."""
        return self.source.maps.stored(self.positions)

    def keys(self) -> list[str]:
        """The keys of the pictures."""
        return [self.source.maps.key(position) for position in self.positions.tolist()]

    def targets(self, temperature: float | None = None) -> npt.NDArray[np.float32]:
        """The targets of the views: `Views.targets` of their positions."""
        return self.source.targets(self.positions, temperature)

    def plot(self, picture: Any, *, ax: Axes | None = None) -> Axes:
        """Draws the views of one picture as boxes over it, in the colour of their best class; returns matplotlib's axes.

        `picture` is what `LabelMap.plot` takes. Raises `UsageError` where nobody knows the boxes, and `ImportError`
        where matplotlib is missing, which the extra `plot` brings.
        """
        from ..showing.view_boxes import plot_views

        return plot_views(self, picture, ax)

    def error(self, rule: str, message: str, place: int, dataset: str) -> RelabelError:
        """The error for one of the views whose value breaks a rule: it names file, row and image."""
        return self.source.table.error(rule, message, int(self.positions[place]), dataset)

    @cached_property
    def _way(self) -> Way:
        return self.source.table.way(self.positions)

    def _or(self, name: str, missing: Any) -> Array:
        return self.source.table.column_or(name, self._way, missing)

    def _operations(self, text: bytes, place: int) -> dict[str, Any] | None:
        if not text:
            return None
        try:
            found = json.loads(text.decode())
        except ValueError as error:
            raise self.error("V030", f"the operations are not JSON: {error}", place, "operations") from None
        if not isinstance(found, dict):
            raise self.error("V030", "the operations are not a JSON object", place, "operations")
        return found


@dataclass(frozen=True, eq=False)
class View:
    """One view: what an annotator saw of a picture in one crop."""

    rows: ViewRows
    """The views that it was read with."""
    place: int
    """Its place among them."""

    @property
    def position(self) -> int:
        """Its place in what was opened."""
        return int(self.rows.positions[self.place])

    @property
    def key(self) -> str:
        """The key of its picture."""
        return self.rows.source.maps.key(self.position)

    @property
    def image_index(self) -> int:
        """The place of its picture in the source listing."""
        return int(self.rows.image_index[self.place])

    @property
    def number(self) -> int:
        """Its number within its image, in the order of the source."""
        return int(self.rows.view[self.place])

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Top, left, height, width as fractions of the original picture, or None where nobody knows."""
        if self.rows.box is None:
            return None
        top, left, height, width = self.rows.box[self.place].tolist()
        return top, left, height, width

    @property
    def flip(self) -> bool | None:
        """Whether it was mirrored left-right after cropping, or None where nobody knows."""
        flip = int(self.rows.flip[self.place])
        return None if flip == _UNKNOWN_FLIP else bool(flip)

    @property
    def seed(self) -> int | None:
        """The seed of its augmentation, or None."""
        return None if self.rows.seed is None else int(self.rows.seed[self.place])

    @property
    def replay(self) -> Replay | None:
        """Epoch, batch and slot, or None where it belongs to no batch."""
        epoch, batch, slot = self.rows.replay[self.place].tolist()
        return None if epoch < 0 else Replay(epoch, batch, slot)

    @property
    def mixup(self) -> Mix | None:
        """How it was mixed by mixup, or None."""
        return self._mix(self.rows.mixup_lambda, self.rows.mixup_partner)

    @property
    def cutmix(self) -> Mix | None:
        """How it was mixed by cutmix, or None."""
        mix = self._mix(self.rows.cutmix_lambda, self.rows.cutmix_partner)
        top, left, bottom, right = self.rows.cutmix_box[self.place].tolist()
        return mix if mix is None or top < 0 else mix._replace(box=(top, left, bottom, right))

    @property
    def operations(self) -> dict[str, Any] | None:
        """What else was done to the picture, or None."""
        return self.rows.operations[self.place]

    def target(self, temperature: float | None = None) -> npt.NDArray[np.float32]:
        """A probability for each class, float32 [C]: see `Views.targets`."""
        found: npt.NDArray[np.float32] = self.rows.source.targets([self.position], temperature)[0]
        return found

    def _mix(self, shares: Array, partners: Array) -> Mix | None:
        if is_unwritten(shares[self.place : self.place + 1])[0]:
            return None
        image, slot = (None if value < 0 else int(value) for value in partners[self.place].tolist())
        return Mix(float(shares[self.place]), image, slot)
