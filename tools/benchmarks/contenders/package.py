"""The Python package; with NumPy alone, or with the Swift library where RELABEL_LIBRARY allows it."""

import numpy as np
from protocol import batches, half, run

import relabel_hdf5


def pool(job, part):
    maps = relabel_hdf5.open(job["dataset"])
    rows = batches(half(maps.positions(job["pool_keys"]), part))
    boxes = batches(np.array(half(job["boxes"][: len(job["pool"])], part)))
    loaded = [(maps.batch(group), crop) for group, crop in zip(rows, boxes)]
    return lambda: [relabel_hdf5.label_pooling(batch, crop, profile="relabel-2021") for batch, crop in loaded]


def storage(order):
    def work(job, part):
        maps = relabel_hdf5.open(job["dataset"])
        rows = batches(half(np.array(job[order]), part))
        boxes = batches(np.array(half(job["boxes"], part)))

        def walk():
            for group, crop in zip(rows, boxes):
                maps.targets(group, crop, profile="relabel-2021")

        return walk

    return work


run({"pool": pool, "chunk": storage("chunk"), "random": storage("random")})
