"""Ways to store label maps, each in the form that its documentation recommends for reading maps at random.

All hold the same: class ids as uint16 and scores in steps of 1/256 as int16, so that containers are compared and not
precision; but for the released files, which are float32 both, and this project's `small`. All give scores as float32.
"""

import importlib.util

from .arrays import Memmap, NpzFiles, NpzShards, Safetensors
from .arrow import ArrowIpc, Parquet
from .base import Payload
from .hdf5 import H5py, H5pyOne, H5pySixteen
from .lmdbs import Lmdb, LmdbCompressed
from .ours import Default, Small, Uncompressed
from .released import Released
from .streams import WebDataset
from .zarrs import Zarr

__all__ = ["COMPARED", "OURS", "Payload", "missing", "named"]
# The first is what the others are compared with. All of them hold the payload exactly.
COMPARED = [
    Memmap, Released, NpzFiles, NpzShards, H5py, H5pyOne, H5pySixteen, Lmdb, LmdbCompressed, ArrowIpc, Parquet,
    Safetensors, WebDataset, Zarr, Default, Uncompressed,
]
OURS = [Default, Small]


def named(name):
    return next(container for container in [*COMPARED, *OURS] if container.__name__ == name)


def missing(container):
    """The packages that a container needs and this Python does not have."""
    packages = dict.fromkeys(name.partition(".")[0] for name in container.needs)
    return [name for name in packages if importlib.util.find_spec(name) is None]
