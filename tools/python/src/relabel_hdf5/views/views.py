"""`Views`: the labels of crops by image, by batch of a stored run, or by position."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import CorruptError, NotFoundError
from ..image_folder import key_of_path
from ..keys import Positions
from .images import ImageIndex
from .replay_index import ReplayIndex
from .rows import View, ViewRows
from .table import ViewTable
from .targets import SparseTargets, sparse_targets, targets

if TYPE_CHECKING:
    from ..dataset import LabelMaps


class Views:
    """Labels of crops: a row of the maps is a view of a picture.

        >>> import relabel_hdf5
        >>> views = relabel_hdf5.open("views").views
        >>> for view in views.of("n01443537/n01443537_00069"):
        ...     print(view.number, view.box, view.flip, view.target().shape)
        0 (0.0, 0.25, 0.5, 0.5) False (1000,)
        1 (0.125, 0.25, 0.5, 0.5) True (1000,)
        >>> views.epochs, views.batches(0)
        ((0, 1), (0, 1))
        >>> views.batch(epoch=1, number=0).positions  # in the order of the slots
        array([4, 5])

    `maps.views` makes them, or `relabel_hdf5.views.open(path)`. You may use them from any thread and in forked
    processes; unpickling opens the files again by path.
    """

    def __init__(self, maps: LabelMaps) -> None:
        """Opens the columns of the views; raises `UsageError` where rows are images."""
        self.maps = maps
        """The label maps whose rows are the views."""
        self.table = ViewTable(maps.path)
        """The columns that say what each row is a view of."""
        if self.table.identity != maps.identity:
            self.table.close()
            raise CorruptError("what lies here now is not what was opened", file=maps.path)

    def __len__(self) -> int:
        return len(self.maps)

    def __repr__(self) -> str:
        return f"<Views, {len(self)} in {self.maps.path!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Views, (self.maps,)

    @property
    def document(self) -> dict[str, Any]:
        """How the views were made: `dialect`, `chain`, `interpolation` and more; may be empty."""
        return self.table.document

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width in pixels of what the annotator saw, where it is known."""
        return self.table.header.view_size

    def at(self, positions: npt.ArrayLike) -> ViewRows:
        """The views at some positions, in the order given; negative positions count from the end."""
        return ViewRows(self.maps.checked_positions(positions), self)

    def __getitem__(self, position: int) -> View:
        """The view at a position."""
        return self.at([position])[0]

    def of(self, image: str) -> ViewRows:
        """All views of an image, ascending by number.

        `image` is the image's key, or the path that it is made from: `n01/a.jpg` has the key `n01/a`. Raises
        `NotFoundError`, and V024 or M007 where two views of the image have one number.
        """
        rows = ViewRows(self._positions_of(image), self)
        positions, numbers = rows.positions, rows.view
        if (numbers[1:] > numbers[:-1]).all():  # as the rows of most pictures lie
            return rows
        order = np.argsort(numbers, kind="stable")
        repeated = np.flatnonzero(np.diff(numbers[order]) == 0)
        if len(repeated):
            place = order[repeated[0] + 1]
            message = f"the image has view {numbers[place]} more than once"
            pair = positions[[order[repeated[0]], place]]
            rule = "V024" if len(set(self.table.shards_of(pair).tolist())) == 1 else "M007"
            raise self.table.error(rule, message, int(positions[place]), "view")
        return ViewRows(positions[order], self)

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs of the stored run, ascending; none where views belong to no batch."""
        return self.run.epochs

    def batches(self, epoch: int) -> tuple[int, ...]:
        """The numbers of the batches of an epoch, ascending; raises `NotFoundError`."""
        return self.run.batches(epoch)

    def batch(self, epoch: int, number: int) -> ViewRows:
        """The views of a batch of the stored run, by slot; raises `NotFoundError`."""
        return ViewRows(self.run.batch(epoch, number), self)

    def targets(self, positions: npt.ArrayLike, temperature: float | None = None) -> npt.NDArray[np.float32]:
        """Targets of the views at some positions: a probability for each class [n, C], float32.

        The scores of the whole grid become probabilities as `label_pooling` makes them of the whole picture.
        `temperature` is that of the softmax over logits, in place of the header's; probabilities that are stored
        have theirs already, and raise `UsageError` for another.
        """
        return targets(self, self.maps.checked_positions(positions), temperature)

    def sparse_targets(self, positions: npt.ArrayLike, temperature: float | None = None) -> SparseTargets:
        """The same of the classes that are stored, and what each other class has; for grids of one cell.

        Raises `UsageError` for other grids.
        """
        return sparse_targets(self, self.maps.checked_positions(positions), temperature)

    @cached_property
    def run(self) -> ReplayIndex:
        """Which rows each batch of the stored run had; made at the first use, 8 bytes a row."""
        return ReplayIndex(self.table)

    @cached_property
    def images(self) -> ImageIndex:
        """Which rows each image has; made at the first use."""
        return ImageIndex(self.table)

    def _positions_of(self, image: str) -> Positions:
        try:
            return self.maps.positions_of(image)
        except NotFoundError:
            key = key_of_path(image)
            if key == image or key not in self.maps:
                raise
            return self.maps.positions_of(key)
