"""What the labels of a training step cost: from our shards, and by the way of the code that ReLabel released."""

from __future__ import annotations

import statistics
import tempfile
import time

import numpy as np
import torch

import relabel_hdf5

BATCH, ROUNDS = 64, 30
BOX = (0.1, 0.2, 0.5, 0.4)


def measure(folder):
    """Seconds for the labels of a batch, from storage to targets: the median of each way."""
    with relabel_hdf5.open(folder / "labels" / "strong") as maps, tempfile.TemporaryDirectory() as scratch:
        generator = np.random.default_rng(0)
        draws = [generator.integers(0, len(maps), BATCH) for _ in range(ROUNDS)]
        for place in np.unique(draws):
            found = maps.batch([place])
            planes = np.stack([found.score[0], found.class_index[0].astype("f4")]).transpose(0, 3, 1, 2)
            torch.save(torch.from_numpy(planes.copy()), f"{scratch}/{place}.pt")
        boxes = np.tile(BOX, (BATCH, 1))
        ours = _median(draws, lambda places: maps.targets(places, boxes))
        theirs = _median(draws, lambda places: _released([f"{scratch}/{place}.pt" for place in places], maps.header.num_classes))
    return {"ours": ours, "released": theirs}


def _released(paths, classes):
    """A file for each picture, made dense over all classes, pooled with weights of its cells, softmax.

    The weights stand for torchvision's roi_align, which takes longer.
    """
    dense = []
    for path in paths:
        scores, ids = torch.load(path)
        dense.append(torch.zeros(classes, *scores.shape[1:]).scatter_(0, ids.long(), scores))
    dense = torch.stack(dense)
    rows, columns = (torch.rand(len(paths), side) for side in dense.shape[2:])
    return torch.einsum("nchw,nh,nw->nc", dense, rows, columns).softmax(1)


def _median(draws, work):
    times = []
    for places in draws:
        begin = time.perf_counter()
        work(places)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
