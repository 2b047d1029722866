"""Label maps of the ReLabel HDF5 format: reading them, and pooling them into training targets.

    maps = relabel_hdf5.open("labels/")  # a folder with index.json, or one shard
    batch = maps.batch([3, 17, 4])
    targets = relabel_hdf5.label_pooling(batch, boxes)

Reading takes h5py and NumPy alone. What needs PyTorch is in `relabel_hdf5.train`.
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
