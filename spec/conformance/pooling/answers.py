"""The target of a box of a map: section 13 of the specification on dense maps, by torchvision's roi_align."""

import math

import numpy as np
import torch
from torchvision.ops import roi_align

TOLERANCE = 1e-6


# ------------------------------------------------------------------------ box and profile (13.1, 13.2)


def box_fault(box):
    """What is wrong with a box whatever the map, or None."""
    if not all(map(math.isfinite, box)):
        return "box_not_finite"
    if min(box) < 0:
        return "box_negative"
    if min(box[2:]) == 0:
        return "box_empty"
    far = max(box[0] + box[2], box[1] + box[3])
    return "box_beyond" if max(box[:2]) >= 1 or max(box[2:]) > 1 or far > 1 + TOLERANCE else None


def profile_fault(header, labels, profile):
    """Why maps of this header can't be pooled with this profile, or None."""
    if profile is None and header["orientation"] == "unknown":
        return "orientation_unknown"
    return "not_square" if profile == "relabel-2021" and labels["height"] != labels["width"] else None


def cut(box, extent):
    """The part of a box inside an extent: height or width are 0 or less where there is none."""
    near = [max(box[side], extent[side]) for side in (0, 1)]
    far = [min(box[side] + box[side + 2], extent[side] + extent[side + 2]) for side in (0, 1)]
    return near + [far[side] - near[side] for side in (0, 1)]


def within_extent(box, extent, outside):
    """The box as fractions of the extent and the covered share, or what is wrong with it."""
    inside, covered = cut(box, extent), 1.0
    if min(inside[2:]) <= 0:
        return "no_common_area"
    if outside == "clamp":
        covered = inside[2] * inside[3] / (box[2] * box[3])
        box = inside
    mapped = [(box[side] - extent[side]) / extent[side + 2] for side in (0, 1)]
    mapped += [box[side + 2] / extent[side + 2] for side in (0, 1)]
    far = max(mapped[0] + mapped[2], mapped[1] + mapped[3])
    if min(mapped[:2]) < -TOLERANCE or far > 1 + TOLERANCE:
        return "outside_extent"
    return mapped, covered


# ------------------------------------------------------------------------------------- RoIAlign (13.3)


def region(start, length, cells):
    """The first coordinate and the length on an axis with so many cells, as float32."""
    low, high = (np.float32(edge) * np.float32(cells) - np.float32(0.5) for edge in (start, start + length))
    assert low.dtype == high.dtype == np.float32
    span = max(high - low, np.float32(1))
    # Then torchvision's own ceil, of the difference of its coordinates, is the specified one.
    assert (float(low) + float(span)) - float(low) == float(span)
    return float(low), float(span)


def pooled(planes, rows, columns):
    """The means of planes [n, y, x] over a region, by RoIAlign in float64 with an output of 1 by 1."""
    box = [0, columns[0], rows[0], columns[0] + columns[1], rows[0] + rows[1]]
    boxes = torch.tensor([box], dtype=torch.float64)
    means = roi_align(torch.from_numpy(planes)[None], boxes, (1, 1), 1.0, sampling_ratio=-1, aligned=False)
    return means[0, :, 0, 0].numpy()


# -------------------------------------------------------------------------- dense maps, targets (13.4)


def dense_planes(header, labels):
    """All classes [num_classes + 1, y, x]; the last one stands for a class that no cell has."""
    if "class_factor" in labels:
        return factor_planes(header, labels)
    ids, scores = entries(labels)
    classes, k = header["num_classes"], labels["top_k"]
    values = np.exp(scores) if header["score_kind"] == "log_probability" else scores
    if is_independent(header) and header["score_kind"] == "logit":
        values = 1 / (1 + np.exp(-scores / header["temperature"]))
    planes = np.zeros((classes + 1, *ids.shape[:2]))
    if header["fill"] == "uniform" and k < classes:
        planes[:] = np.maximum(0, 1 - values.sum(axis=2)) / (classes - k)
    np.put_along_axis(planes, ids.transpose(2, 0, 1), values.transpose(2, 0, 1), axis=0)
    return planes


def factor_planes(header, labels):
    """All classes of a map of factors (4.11); no class is without entries, so the last plane is far below all others."""
    _, amounts = entries(labels)
    numbers = np.array(labels["class_factor"], np.float64).reshape(labels["top_k"], header["num_classes"])
    logits = np.einsum("yxf,fc->cyx", amounts, numbers * np.array(labels["factor_scale"])[:, None])
    return np.concatenate([logits, np.full_like(logits[:1], logits.min() - 1e6)])


def is_independent(header):
    """Whether classes don't exclude each other (8.6); cases of version 1.0 don't say."""
    return header.get("classes_are") == "independent"


def entries(labels):
    """Class ids and scores as arrays [y, x, rank]."""
    shape = labels["height"], labels["width"], labels["top_k"]
    return tuple(np.array(labels[name]).reshape(shape) for name in ("class_index", "score"))


def target(header, means):
    """The probability of each class, and of one without entries, from the means of all planes."""
    if header["score_kind"] == "logit" and not is_independent(header):
        powers = np.exp((means - means.max()) / header["temperature"])
        means = powers / powers[:-1].sum()
    return means[:-1], means[-1]


def expected(header, labels, rows, columns, covered):
    """The member `expected` of a case."""
    dense, rest = target(header, pooled(dense_planes(header, labels), rows, columns))
    cells = labels["height"] * labels["width"]
    weights = pooled(np.eye(cells).reshape(cells, labels["height"], labels["width"]), rows, columns)
    assert abs(weights.sum() - 1) < 1e-12
    has_all = "class_factor" in labels
    touched = np.arange(len(dense)) if has_all else np.unique(entries(labels)[0].reshape(cells, -1)[weights > 0])
    others = np.delete(dense, touched)
    assert np.abs(others - rest).max(initial=0) < 1e-15
    return {
        "class_index": touched.tolist(),
        "probability": dense[touched].tolist(),
        "rest": float(rest) if len(others) else None,
        "covered": covered,
    }


def solved(case, maps):
    """A case with its answer."""
    header, labels, box = case["header"], maps[case["map"]], [float(side) for side in case["box"]]
    fault = box_fault(box) or profile_fault(header, labels, case["profile"])
    mapped = fault or within_extent(box, header["map_extent"], case["outside"])
    if isinstance(mapped, str):
        return {**case, "refused": mapped}
    (top, left, height, width), covered = mapped
    sides = [(top, height), (left, width)]
    if case["profile"] == "relabel-2021" or header["orientation"] == "xy":
        sides.reverse()
    rows, columns = region(*sides[0], labels["height"]), region(*sides[1], labels["width"])
    samples = [math.ceil(rows[1]), math.ceil(columns[1])]
    return {**case, "expected": expected(header, labels, rows, columns, covered), "samples": samples}
