"""What `relabel diff` is judged by: h5py and NumPy over dense arrays, from the text of spec/see.md."""

import math

import numpy as np
import oracle
from pooling_reference import header, reference

from relabel_hdf5 import MapBatch

WORD = (1 << 64) - 1
SCORE_BINS = [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]
TARGET_BINS = [0, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def mix(value):
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ value >> 27) * 0x94D049BB133111EB & WORD
    return value ^ value >> 31


def crops(name, seed, count):
    """The random crops of an image, as spec/see.md says."""
    digest = 0xCBF29CE484222325
    for byte in name.encode():
        digest = (digest ^ byte) * 0x100000001B3 & WORD
    state = mix(mix(seed + 0x9E3779B97F4A7C15 & WORD) ^ digest)

    def fraction():
        nonlocal state
        state = state + 0x9E3779B97F4A7C15 & WORD
        return (mix(state) >> 11) * 2.0**-53

    boxes = []
    for _ in range(count):
        area, ratio = 0.08 + 0.92 * fraction(), math.exp((2 * fraction() - 1) * math.log(4 / 3))
        height, width = min(1, math.sqrt(area / ratio)), min(1, math.sqrt(area * ratio))
        top, left = fraction() * (1 - height), fraction() * (1 - width)
        boxes.append((top, left, height, width))
    return boxes


def histogram(values, limits):
    """How many values lie in each bin, whose upper limit belongs to it."""
    counts = np.bincount(np.searchsorted(limits, values, "left"), minlength=len(limits) + 1)
    return [{"up_to": limit, "count": int(count)} for limit, count in zip([*limits, None], counts)]


def by_key(*paths):
    """The images of some shards: ids, scores, and a batch of one for pooling."""
    images = {}
    for path in paths:
        shard = oracle.Shard(path)
        kind = shard.attributes["score_kind"]
        meaning = header(
            num_classes=int(shard.attributes["num_classes"]), score_kind=kind, fill=shard.attributes["fill"],
            temperature=float(shard.attributes["temperature"]), orientation=shard.attributes["orientation"],
            height=shard.ids.shape[1], width=shard.ids.shape[2], top_k=shard.ids.shape[3],
        )  # fmt: skip
        for row, key in enumerate(shard.keys):
            ids, scores = shard.ids[row], shard.scores[row]
            images[key] = ids, scores, MapBatch(ids[None], scores[None], np.array([[0.0, 0, 1, 1]]), np.array([0]), meaning)
    return images


def dense(ids, scores, classes):
    """Scores [y, x, class], NaN for absent classes."""
    full = np.full((*ids.shape[:2], classes), np.nan)
    np.put_along_axis(full, ids.astype(np.int64), scores.astype(np.float64), -1)
    return full


def expected(paths_a, paths_b, classes, count=4, seed=0):
    """The numbers that the report must have, of datasets with one class list, one orientation and whole extents."""
    a, b = by_key(*paths_a), by_key(*paths_b)
    both = [key for key in a if key in b]
    ids = dict.fromkeys(("differing_cells", "other_best", "in_both", "only_in_a", "only_in_b"), 0)
    distances, halves, divergences, other_top, moved = [], [], [], 0, {}
    for key in both:
        one, other = (dense(*side[key][:2], classes) for side in (a, b))
        has_one, has_other = ~np.isnan(one), ~np.isnan(other)
        ids["differing_cells"] += int((has_one != has_other).any(-1).sum())
        ids["in_both"] += int((has_one & has_other).sum())
        ids["only_in_a"] += int((has_one & ~has_other).sum())
        ids["only_in_b"] += int((has_other & ~has_one).sum())
        best = [np.nan_to_num(side, nan=-np.inf).argmax(-1) for side in (one, other)]
        ids["other_best"] += int((best[0] != best[1]).sum())
        for pair in zip(best[0][best[0] != best[1]], best[1][best[0] != best[1]]):
            moved[pair] = moved.get(pair, 0) + 1
        distances += np.abs(one - other)[has_one & has_other].tolist()
        for box in crops(key, seed, count):
            p, q = (reference(side[key][2], 0, box) for side in (a, b))
            halves.append(np.abs(p - q).sum() / 2)
            other_top += p.argmax() != q.argmax()
            if (q[p > 0] > 0).all():
                divergences.append((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())
    return {
        "only_a": [key for key in a if key not in b], "only_b": [key for key in b if key not in a], "both": len(both),
        "ids": ids, "distances": np.array(distances), "halves": np.array(halves), "divergences": np.array(divergences),
        "other_top": int(other_top), "moved": moved,
    }  # fmt: skip
