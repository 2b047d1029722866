"""LabelPooling of one crop box: section 13 of the specification in NumPy."""

import sys

import numpy as np


def need(condition, message):
    """Ends the program with a message where something is not as it must be."""
    if not condition:
        sys.exit(message)


def axis_weights(start, length, cells):
    """Section 13.3: each sample is shared by the two cells beside it."""
    near, far = np.array([start, start + length]).astype(np.float32) * np.float32(cells) - np.float32(0.5)
    span = max(far - near, np.float32(1))
    middles = np.arange(np.ceil(span)) + 0.5
    places = np.clip(float(near) + middles * float(span) / len(middles), 0, cells - 1)
    return np.clip(1 - abs(places[:, None] - np.arange(cells)), 0, 1).mean(0)


def cell_weights(shape, box, profile, orientation, extent):
    """Sections 13.1 and 13.2: the weight of each cell [y, x], or an end with what is wrong."""
    need(profile in (None, "relabel", "relabel-2021"), "the profiles are relabel and relabel-2021")
    need(profile or orientation != "unknown", "orientation unknown: name a profile, relabel or relabel-2021")
    need(profile != "relabel-2021" or shape[0] == shape[1], "the profile relabel-2021 is for square maps")
    start, length = np.array(box[:2], float), np.array(box[2:], float)
    inside = (start >= 0) & (start < 1) & (length > 0) & (length <= 1) & (start + length <= 1 + 1e-6)
    need(inside.all(), "the box leaves the picture")
    start, length = (start - extent[:2]) / extent[2:], length / extent[2:]
    inside = (start >= -1e-6) & (start < 1) & (start + length > 0) & (start + length <= 1 + 1e-6)
    need(inside.all(), "the box leaves what the map covers")
    sides = [(start[0], length[0], shape[0]), (start[1], length[1], shape[1])]
    if profile == "relabel-2021" or orientation == "xy":  # axis y takes left and width
        sides = [(start[1], length[1], shape[0]), (start[0], length[0], shape[1])]
    return np.multiply.outer(*(axis_weights(*side) for side in sides))


def pool(ids, score, weights, about):
    """Section 13.4: the target of all classes, and what each class without entries has."""
    classes, absent = about["num_classes"], about["num_classes"] - ids.shape[2]
    value = np.exp(score) if about["score_kind"] == "log_probability" else score
    missing = np.clip(1 - value.sum(2), 0, None) if about["fill"] == "uniform" and absent else 0 * weights
    share = missing / max(absent, 1)
    rest = (weights * share).sum()
    parts = weights[..., None] * (value - share[..., None])
    means = rest + np.bincount(ids.ravel(), parts.ravel(), classes)
    if about["score_kind"] != "logit":
        return means, rest
    powers = np.exp((np.append(means, 0) - max(means.max(), 0)) / about["temperature"])
    return powers[:-1] / powers[:-1].sum(), powers[-1] / powers[:-1].sum()
