"""Label maps for the test vectors, as they stand in the JSON files."""

import pathlib
import random

import numpy as np
import torch

SAMPLES = pathlib.Path(__file__).resolve().parents[3] / "samples" / "maps"


def label_map(ids, scores):
    """A map of arrays [y, x, rank], its cells in order: scores descend, equal ones by class id."""
    scores = np.asarray(scores, np.float32)
    order = np.lexsort((ids, -scores), axis=-1)
    ids, scores = (np.take_along_axis(values, order, -1) for values in (np.asarray(ids), scores))
    height, width, top_k = ids.shape
    shape = {"height": height, "width": width, "top_k": top_k}
    return shape | {"class_index": ids.ravel().tolist(), "score": scores.ravel().tolist()}


def sample_map(key):
    """The map of a sample, its scores rounded as fixed16 does."""
    scores, ids = torch.load(SAMPLES / key.split("_")[0] / f"{key}.pt").permute(0, 2, 3, 1).double().numpy()
    return label_map(ids.astype(int), np.rint(scores * 256) / 256)


def sample_maps(*keys):
    return {key: sample_map(key) for key in keys}


def random_map(seed, height, width, top_k, classes, scores=(0.5, 12.0), step=1 / 256):
    """Any map; scores are multiples of a step."""
    draw = random.Random(seed)
    cells = height * width
    ids = [draw.sample(range(classes), top_k) for _ in range(cells)]
    values = [round(draw.uniform(*scores) / step) * step for _ in range(cells * top_k)]
    shape = (height, width, top_k)
    return label_map(np.reshape(ids, shape), np.reshape(values, shape))


def factor_map(seed, height, width, factors, classes, numbers=127, scale=1 / 256, amounts=127, step=1):
    """A map of factors: whole numbers in cells and of classes; the last factor of several is one that is not needed."""
    draw = random.Random(seed)
    score = [draw.randint(-amounts, amounts) * step for _ in range(height * width * factors)]
    class_factor = [draw.randint(-numbers, numbers) for _ in range(factors * classes)]
    scales = [scale * 2.0 ** -draw.randint(0, 3) for _ in range(factors)]
    if factors > 1:
        scales[-1] = 0.0
    shape = {"height": height, "width": width, "top_k": factors}
    entries = {"class_index": list(range(factors)) * (height * width), "score": score}
    return shape | entries | {"class_factor": class_factor, "factor_scale": scales}


def random_probabilities(seed, height, width, top_k, classes, logarithm=False):
    """A map of probabilities: the first cell sums to 1, the last one to 1 + 2^-14, others to less than 1."""
    draw = random.Random(seed)
    values = np.array([[draw.expovariate(1) for _ in range(top_k)] for _ in range(height * width)])
    mass = np.array([draw.uniform(0.3, 0.95) for _ in range(height * width)])
    values = np.rint(values / values.sum(1, keepdims=True) * mass[:, None] * 2**15) / 2**15 + 2**-15
    for cell, total in ((0, 1), (-1, 1 + 2**-14)):
        values[cell, 0] += total - values[cell].sum()
    ids = [draw.sample(range(classes), top_k) for _ in values]
    shape = (height, width, top_k)
    values = values.reshape(shape)
    return label_map(np.reshape(ids, shape), np.log(values) if logarithm else values)
