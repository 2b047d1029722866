"""What shards say of views, as arrays beside those of their labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...layout import IMAGE_INDEX, VIEW_COLUMNS
from ..source import Source

OPERATIONS = "operations"
"""The one column that isn't numbers: forms of arrays leave it out."""

_COLUMNS = {
    IMAGE_INDEX: (np.dtype(np.int64), ()),
    **{column.name: (np.dtype(column.types[0]), column.tail) for column in VIEW_COLUMNS if column.name != OPERATIONS},
}


def view_arrays(source: Source) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """The type and the shape of a row of each array that views have beside their labels; none for maps of pictures."""
    if not source.is_views:
        return {}
    return {name: kind for name, kind in _COLUMNS.items() if name == IMAGE_INDEX or name in source.views.names}
