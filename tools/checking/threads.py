"""Threads that open, read, pool and close label maps at random: threads.py DATASET THREADS SECONDS.

Maps are shared while they live: whoever closes them makes the others' reads a UsageError, never a crash and never
another answer. See tools/check-threads.
"""

import random
import sys
import threading
import time

import numpy as np

import relabel_hdf5

POSITIONS = np.arange(8) * 2
BOXES = np.array([[0.1, 0.05 * image, 0.5, 0.5] for image in range(8)])


def ask(maps):
    batch = maps.batch(POSITIONS)
    return batch.class_index, batch.score, maps.targets(POSITIONS, BOXES)


class Shared:
    """Maps that any thread may replace and close."""

    def __init__(self, path):
        self.path = path
        self.maps = relabel_hdf5.open(path)

    def replace(self):
        old, self.maps = self.maps, relabel_hdf5.open(self.path)
        old.close()


def work(shared, expected, end, seed, counts, faults):
    choose = random.Random(seed)
    while time.monotonic() < end and not faults:
        try:
            if choose.random() < 0.1:
                shared.replace()
                counts["closed"] += 1
            found = ask(shared.maps)
        except relabel_hdf5.UsageError:
            counts["refused"] += 1
            continue
        except BaseException as error:
            faults.append(repr(error))
            return
        counts["read"] += 1
        if any((a != b).any() for a, b in zip(found, expected, strict=True)):
            faults.append("another answer")


def main(path, threads, seconds):
    shared = Shared(path)
    expected = ask(shared.maps)
    counts, faults = {"read": 0, "refused": 0, "closed": 0}, []
    end = time.monotonic() + float(seconds)
    running = [
        threading.Thread(target=work, args=(shared, expected, end, seed, counts, faults))
        for seed in range(int(threads))
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print(f"{relabel_hdf5.engine()}: {counts}")
    if faults:
        raise SystemExit(faults[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
