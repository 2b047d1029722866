"""Labels of crops: which view of which picture each row is, its target, and the batches of a stored run.

    >>> import relabel_hdf5.views
    >>> views = relabel_hdf5.views.open("views")
    >>> len(views), views.size, views.document["dialect"]
    (8, (224, 224), 'example')

Training on them is in `relabel_hdf5.train`: `StoredCrops` cuts the same pixels and gives the stored targets.
"""

from __future__ import annotations

import os

from .. import dataset
from .rows import Mix, Replay, View, ViewRows
from .table import ViewTable
from .targets import SparseTargets
from .views import Views

__all__ = ["Mix", "Replay", "SparseTargets", "View", "ViewRows", "ViewTable", "Views", "open"]


def open(path: str | os.PathLike[str]) -> Views:
    """Opens a shard or dataset whose rows are views; raises as `relabel_hdf5.open` does, and `UsageError` for images."""
    maps = dataset.open(path)
    try:
        return maps.views
    except BaseException:
        maps.close()
        raise
