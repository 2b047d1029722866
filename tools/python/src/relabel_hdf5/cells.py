"""What is asked of many cells at once, of stored maps and of maps in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_MANY = 16
"""From so many entries in a cell on, sorting them is faster than comparing all pairs."""


def is_finite(scores: npt.NDArray[Any]) -> bool:
    """False where any score is NaN or infinite."""
    return bool(np.isfinite(scores).all())


def is_distinct(ids: npt.NDArray[Any]) -> bool:
    """False where any cell has a class id twice."""
    k = ids.shape[-1]
    if k > _MANY:
        ranked = np.sort(ids, axis=-1)
        return not np.count_nonzero(ranked[..., 1:] == ranked[..., :-1])
    by_rank = np.ascontiguousarray(ids.reshape(-1, k).T)
    return not any(np.count_nonzero(by_rank[apart:] == by_rank[:-apart]) for apart in range(1, k))
