"""Opening a dataset and 256 random targets of it: first_batch.py DATASET. Prints seconds and peak megabytes."""

import resource
import sys
import time

import numpy as np

import relabel_hdf5

BATCH = 256
start = time.perf_counter()
with relabel_hdf5.open(sys.argv[1]) as maps:
    rows = np.random.default_rng(0).integers(0, len(maps), BATCH)
    targets = maps.targets(rows, np.broadcast_to(np.array([0.1, 0.2, 0.6, 0.5]), (BATCH, 4)))
seconds = time.perf_counter() - start
assert np.allclose(targets.sum(-1), 1, atol=1e-3)
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
