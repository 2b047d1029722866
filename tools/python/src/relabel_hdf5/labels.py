"""Label maps as they are handed out: one image, or a batch of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .header import Extent, Header

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes


class KeySource(Protocol):
    """What knows the names of images: `LabelMaps`."""

    def key(self, position: int) -> str:
        """The key of the image at a position."""

    def image_index(self, position: int) -> int:
        """The place in the source listing of the image at a position."""


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The labels of one image: the k best classes of each cell of a grid over the picture.

        >>> import relabel_hdf5
        >>> goldfish = relabel_hdf5.open("dataset")["n01443537/n01443537_00069"]
        >>> y, x = 7, 7
        >>> for class_index, score in zip(goldfish.class_index[y, x, :2], goldfish.score[y, x, :2]):
        ...     print(class_index, round(float(score), 1))
        1 20.7
        29 9.6
    """

    class_index: npt.NDArray[np.unsignedinteger[Any]]
    """Class ids [H, W, k], uint16 or uint32."""
    score: npt.NDArray[np.float32]
    """Decoded scores [H, W, k], float32; what a score is says `header.score_kind`."""
    extent: Extent
    """Top, left, height and width of the map, as fractions of the picture (spec, section 8.5)."""
    position: int
    """The image's place in what was opened: row of a shard, or image number of a dataset (section 11.2)."""
    header: Header
    """What the shard says about all of its maps."""
    source: KeySource = field(repr=False)
    """Where the map was read from."""
    class_factor: npt.NDArray[np.uint8] | None = None
    """What factors say of classes [k, C], stored numbers, where `header.has_factors`: ids then number factors."""
    factor_scale: npt.NDArray[np.float32] | None = None
    """What one of these numbers is worth [k]; see `dense`."""

    def dense(self) -> npt.NDArray[np.float64]:
        """The logits of all classes [C, H, W], less the mean of each cell, of a map of factors (section 4.11)."""
        from .factors import dense

        return dense(self)

    def of_classes(self, best: int = 5) -> LabelMap:
        """The map with classes in its cells: itself, or the `best` classes of each cell of a map of factors.

        These come less the mean of the classes that the cell leaves out, which so count as 0 (section 8.2).
        """
        from .factors import of_classes

        return of_classes(self, best)

    @property
    def key(self) -> str:
        """The name that joins the map to its picture (section 9.2); read from the file when asked for."""
        return self.source.key(self.position)

    @property
    def image_index(self) -> int:
        """The image's place in the source listing (section 9.1); read from the file when asked for."""
        return self.source.image_index(self.position)

    def plot(
        self, picture: Any = None, *, ax: Axes | None = None, profile: str | None = None, classes: int = 8
    ) -> Axes:
        """Draws the best class of each cell over the picture, the surer the more opaque, and returns matplotlib's axes.

        `picture` is the path of a file, an image of Pillow or an array; without it the grid is drawn alone. A view is
        drawn where its crop box lies, among the boxes of the picture's other views. `profile` says how the grid lies on
        the picture, as in `label_pooling`; maps of unknown orientation are drawn as they are stored, and the title says
        so. At most `classes` classes, 8 or fewer, have a colour of their own. Raises `ImportError` where matplotlib
        is missing, which the extra `plot` brings.
        """
        from .showing.plot import plot_map

        return plot_map(self, picture, ax, profile, classes)

    def _repr_html_(self) -> str:
        from .showing.map_html import map_html

        return map_html(self)

    def _repr_png_(self) -> bytes | None:
        from .showing.plot import png_of

        return png_of(self)


class StoredLabels(NamedTuple):
    """Class ids and scores of several images as the file holds them, in the order asked for."""

    class_index: npt.NDArray[np.unsignedinteger[Any]]
    """Class ids [B, H, W, k]; where maps have all classes in class order, one map for all, which can't be written to."""
    score: npt.NDArray[Any]
    """Scores [B, H, W, k]: float16 where they are stored so, else decoded, float32."""


@dataclass(frozen=True, eq=False)
class MapBatch:
    """The labels of several images, in the order asked for: NumPy arrays, or tensors after `torch()`.

        >>> import relabel_hdf5
        >>> batch = relabel_hdf5.open("dataset").batch([3, 17, 4])
        >>> batch.score.shape  # images, rows, columns, classes kept in a cell
        (3, 15, 15, 5)
        >>> batch.torch("cpu").class_index.dtype
        torch.int32
    """

    class_index: Any
    """Class ids [B, H, W, k]: uint16 or uint32 arrays, int32 tensors."""
    score: Any
    """Decoded scores [B, H, W, k], float32."""
    extent: Any
    """Extents [B, 4]: top, left, height, width; float64."""
    positions: Any
    """Positions [B] of the images in what was opened, int64."""
    header: Header
    """What the shards say about all of their maps."""
    class_factor: Any = None
    """What factors say of classes [B, k, C], stored numbers, uint8, where `header.has_factors`; else None."""
    factor_scale: Any = None
    """What one of these numbers is worth [B, k], float32."""

    def __len__(self) -> int:
        return len(self.positions)

    def torch(self, device: Any = None, non_blocking: bool = False) -> MapBatch:
        """The batch with PyTorch tensors, on `device` where one is named; class ids become int32.

        Raises `UsageError` where `num_classes` is above 2^31, whose ids int32 can't hold.
        """
        import torch

        if self.header.num_classes > 2**31:
            raise UsageError(f"ids of {self.header.num_classes} classes do not fit into int32 tensors")

        def tensor(values: Any, kind: torch.dtype) -> torch.Tensor:
            if not isinstance(values, torch.Tensor):  # from_numpy asks no default of torch's
                values = torch.from_numpy(np.asarray(values, str(kind).removeprefix("torch.")))
            moved: torch.Tensor = values.to(device=device, dtype=kind, non_blocking=non_blocking)
            return moved

        return replace(
            self,
            class_index=tensor(self.class_index, torch.int32),
            score=tensor(self.score, torch.float32),
            extent=tensor(self.extent, torch.float64),
            positions=tensor(self.positions, torch.int64),
            class_factor=None if self.class_factor is None else tensor(self.class_factor, torch.uint8),
            factor_scale=None if self.factor_scale is None else tensor(self.factor_scale, torch.float32),
        )

    def pin_memory(self, device: Any = None) -> MapBatch:
        """The batch with its tensors in memory that a device reads while the program goes on.

        DataLoader calls this with ``pin_memory=True``.
        """
        batch = self.torch()
        options = () if device is None else (device,)
        names = ["class_index", "score", "extent", "positions"]
        names += [] if self.class_factor is None else ["class_factor", "factor_scale"]
        return replace(batch, **{name: getattr(batch, name).pin_memory(*options) for name in names})

    def to(self, device: Any, non_blocking: bool = False) -> MapBatch:
        """The batch with PyTorch tensors on `device`."""
        return self.torch(device, non_blocking)
