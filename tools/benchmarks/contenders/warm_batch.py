"""Batches of 256 random maps of uncompressed data that was read before: warm_batch.py WHOSE PATH.

WHOSE is `package`, whose PATH is a dataset, or `memmap`, whose PATH is a folder of ids.npy and scores.npy. It answers
with processor seconds.
"""

import sys
import time

import numpy as np
from protocol import batches

TIMES = 5


def main():
    whose, path = sys.argv[1:]
    if whose == "memmap":
        ids, scores = (np.load(f"{path}/{name}.npy", mmap_mode="r") for name in ("ids", "scores"))
        count, read = len(ids), lambda rows: (ids[rows], scores[rows])
    else:
        import relabel_hdf5

        maps = relabel_hdf5.open(path)
        count, read = len(maps), maps.batch
    rows = batches(np.random.default_rng(0).permutation(count))

    def work():
        start = time.process_time()
        for some in rows * TIMES:
            read(some)
        return (time.process_time() - start) / TIMES

    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(work(), flush=True)


main()
