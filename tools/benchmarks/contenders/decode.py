"""Class ids and decoded scores of images at random, one at a time: decode.py h5py|package|batch SHARD IMAGES."""

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

    return len(ids), lambda: [read(row) for row in rows(len(ids))]


def with_package(rows):
    import relabel_hdf5

    maps = relabel_hdf5.open(shard)
    if way == "batch":
        return len(maps), lambda: maps.batch(rows(len(maps)))
    return len(maps), lambda: [maps[int(row)] for row in rows(len(maps))]


def rows(length):
    return np.random.default_rng(0).integers(0, length, count)


serve((with_h5py if way == "h5py" else with_package)(rows)[1])
