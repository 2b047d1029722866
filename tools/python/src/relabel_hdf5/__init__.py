"""Label maps of the ReLabel HDF5 format: reading them, and pooling them into training targets.

    >>> import relabel_hdf5
    >>> maps = relabel_hdf5.open("dataset")  # a folder with index.json, or one shard
    >>> boxes = [(0, 0, 1, 1), (0.1, 0.2, 0.5, 0.6), (0.3, 0.3, 0.4, 0.4)]  # top, left, height, width
    >>> relabel_hdf5.label_pooling(maps.batch([3, 17, 4]), boxes).shape
    (3, 1000)

Reading needs h5py and NumPy only. `relabel_hdf5.train` has the parts that need PyTorch.
"""

from typing import TYPE_CHECKING, Any

from .dataset import LabelMaps, open
from .engines.library import engine
from .epoch import epoch_order
from .errors import (
    BoxError,
    CorruptError,
    InvalidDataError,
    NotFoundError,
    PositionError,
    RelabelError,
    UnsafeError,
    UnsupportedError,
    UsageError,
)
from .header import ClassEntry, Header
from .labels import LabelMap, MapBatch
from .pooling import label_pooling
from .versions import VERSION

if TYPE_CHECKING:
    from .writing import Writer

__version__ = VERSION
__all__ = [
    "BoxError",
    "ClassEntry",
    "CorruptError",
    "Header",
    "InvalidDataError",
    "LabelMap",
    "LabelMaps",
    "MapBatch",
    "NotFoundError",
    "PositionError",
    "RelabelError",
    "UnsafeError",
    "UnsupportedError",
    "UsageError",
    "Writer",
    "engine",
    "epoch_order",
    "label_pooling",
    "open",
]


def __getattr__(name: str) -> Any:
    """`Writer` is imported when it is asked for: who only reads does not wait for it."""
    if name == "Writer":
        from .writing import Writer

        return Writer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
