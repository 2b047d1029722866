"""Bytes of arrays in an HDF5 file laid out as a shard: a row an image, chunks of whole images, deflate and checksums."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import h5py
import numpy as np

IMAGES_PER_CHUNK = 4


def bytes_of_row(rows: Sequence[dict[str, np.ndarray]]) -> float:
    """What a row adds to a file, everything included: key, number, chunk indexes and checksums.

    The fixed cost of a file, which 16,384 rows share in a shard, is left out: it is what two files have in common, one of
    all rows and one of half of them.
    """
    half = len(rows) // 2 // IMAGES_PER_CHUNK * IMAGES_PER_CHUNK
    count = 2 * half if half else len(rows)
    if not half:
        return size(rows) / count
    return (size(rows[:count]) - size(rows[:half])) / (count - half)


def size(rows: Sequence[dict[str, np.ndarray]]) -> int:
    """Bytes of a file with these rows."""
    chunk = min(IMAGES_PER_CHUNK, len(rows))
    keys = np.array([f"n{number:08}/n{number:08}_{number:05}".encode() for number in range(len(rows))])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.h5")
        with h5py.File(path, "w") as file:
            for name in rows[0]:
                data = np.stack([row[name] for row in rows])
                file.create_dataset(
                    name, data=data, chunks=(chunk, *data.shape[1:]), compression=6, shuffle=data.dtype.itemsize > 1,
                    fletcher32=True,
                )  # fmt: skip
            for name, data in (("image_key", keys), ("image_index", np.arange(len(rows)))):
                file.create_dataset(name, data=data, chunks=(len(rows),), compression=6, fletcher32=True)
        return os.path.getsize(path)
