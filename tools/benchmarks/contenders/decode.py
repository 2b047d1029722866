"""Class ids and decoded scores of images at random, one at a time: decode.py h5py|package|batch SHARD IMAGES.

No chunk comes twice: what is timed is decoding, not a cache.
"""

import sys

import numpy as np
from protocol import serve

way, shard, count = sys.argv[1], sys.argv[2], int(sys.argv[3])


def with_h5py(rows):
    import h5py

    file = h5py.File(shard)
    ids, score = file["class_index"], file["score"]
    # Read once, as anyone would.
    step, offset = score.attrs["scale_factor"], score.attrs["add_offset"]

    def read(row):
        return ids[row], score[row] * step + offset

    wanted = rows(len(ids), ids.chunks[0])
    return lambda: [read(row) for row in wanted]


def with_package(rows):
    import relabel_hdf5

    maps = relabel_hdf5.open(shard)
    wanted = rows(len(maps), int(maps.chunks[1]))
    if way == "batch":
        return lambda: maps.batch(wanted)
    return lambda: [maps[int(row)] for row in wanted]


def rows(length, chunk):
    rng = np.random.default_rng(0)
    return rng.permutation(length // chunk)[:count] * chunk + rng.integers(0, chunk, count)


serve((with_h5py if way == "h5py" else with_package)(rows))
