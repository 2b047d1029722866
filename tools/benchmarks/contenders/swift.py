"""The Swift library, called through its C interface with memory that is used again."""

import os

import numpy as np
from protocol import batches, half, run

import relabel_hdf5
from relabel_hdf5.engines import library

SWIFT = library.library()


def pool(job, part):
    with relabel_hdf5.open(job["dataset"]) as maps:
        header = maps.header
        loaded = [maps.batch(group) for group in batches(half(maps.positions(job["pool_keys"]), part))]
    boxes = batches(np.array(half(job["boxes"][: len(job["pool"])], part)))
    pooling = SWIFT.relabel_pooling_create(
        header.num_classes, header.score_kind.encode(), header.classes_are.encode(), header.fill.encode(), header.temperature, b"unknown",
        header.height, header.width, header.top_k, b"relabel-2021", 0,
    )
    target = np.empty((256, header.num_classes), np.float32)

    def walk():
        for batch, crops in zip(loaded, boxes):
            status = SWIFT.relabel_pool_arrays(
                pooling, batch.class_index.ctypes.data, batch.class_index.itemsize, batch.score.ctypes.data, None,
                crops.ctypes.data, len(crops), 1, 1, target.ctypes.data, None,
            )
            assert status == 0, SWIFT.relabel_error()

    return walk


def storage(order):
    def work(job, part):
        maps = SWIFT.relabel_open(os.fsencode(job["dataset"]))
        rows = batches(np.array(half(job[order], part), np.int64))
        boxes = batches(np.array(half(job["boxes"], part)))
        with relabel_hdf5.open(job["dataset"]) as described:
            target = np.empty((256, described.header.num_classes), np.float32)

        def walk():
            for group, crops in zip(rows, boxes):
                status = SWIFT.relabel_pool(
                    maps, group.ctypes.data, crops.ctypes.data, len(group), 1, b"relabel-2021", 0, 1,
                    target.ctypes.data, None,
                )
                assert status == 0, SWIFT.relabel_error()

        return walk

    return work


run({"pool": pool, "chunk": storage("chunk"), "random": storage("random")})
