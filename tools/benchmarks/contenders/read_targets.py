"""A lookup by key and an epoch of targets in chunk order through the Python package: read_targets.py DATASET."""

import sys

import numpy as np

import relabel_hdf5

with relabel_hdf5.open(sys.argv[1]) as maps:
    assert maps.positions([maps.key(len(maps) // 2)])[0] == len(maps) // 2
    order = relabel_hdf5.epoch_order(0, 0, maps.chunks)
    box = np.array([0.1, 0.2, 0.6, 0.5])
    for first in range(0, len(order), 256):
        rows = order[first : first + 256]
        maps.targets(rows, np.broadcast_to(box, (len(rows), 4)))
