#!/usr/bin/python3
"""Makes the test vectors of LabelPooling (section 13 of the specification) with torchvision's compiled roi_align.

    ./generate.py            writes the JSON files beside it
    ./generate.py --check    computes them anew and compares, also with the code that ReLabel released

It needs roi_align in float64 on a CPU; Debian's package python3-torchvision has it. Which boxes and maps there are is
said in cases.py. The maps here are dense, [class, y, x], so nothing is shared with programs that pool the entries.
"""

import json
import math
import pathlib
import platform
import sys

import numpy as np
import torch
import torchvision
from torchvision.ops import roi_align

from cases import themes

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-6


# -------------------------------------------------------------------------------- box and profile (13.1, 13.2)


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


# ---------------------------------------------------------------------------------------------- RoIAlign (13.3)


def region(start, length, cells):
    """The first coordinate and the length on an axis with so many cells, as float32."""
    low, high = (np.float32(edge) * np.float32(cells) - np.float32(0.5) for edge in (start, start + length))
    assert low.dtype == high.dtype == np.float32
    extent = max(high - low, np.float32(1))
    # Then torchvision's own ceil, of the difference of its coordinates, is the specified one.
    assert (float(low) + float(extent)) - float(low) == float(extent)
    return float(low), float(extent)


def pooled(planes, rows, columns):
    """The means of planes [n, y, x] over a region, by RoIAlign in float64 with an output of 1 by 1."""
    box = [0, columns[0], rows[0], columns[0] + columns[1], rows[0] + rows[1]]
    boxes = torch.tensor([box], dtype=torch.float64)
    means = roi_align(torch.from_numpy(planes)[None], boxes, (1, 1), 1.0, sampling_ratio=-1, aligned=False)
    return means[0, :, 0, 0].numpy()


# --------------------------------------------------------------------------------------- dense maps, targets (13.4)


def dense_planes(header, labels):
    """All classes [num_classes + 1, y, x]; the last one stands for a class that no cell has."""
    ids, scores = entries(labels)
    classes, k = header["num_classes"], labels["top_k"]
    values = np.exp(scores) if header["score_kind"] == "log_probability" else scores
    planes = np.zeros((classes + 1, *ids.shape[:2]))
    if header["fill"] == "uniform" and k < classes:
        planes[:] = np.maximum(0, 1 - values.sum(axis=2)) / (classes - k)
    np.put_along_axis(planes, ids.transpose(2, 0, 1), values.transpose(2, 0, 1), axis=0)
    return planes


def entries(labels):
    """Class ids and scores as arrays [y, x, rank]."""
    shape = labels["height"], labels["width"], labels["top_k"]
    return np.array(labels["class_index"]).reshape(shape), np.array(labels["score"], np.float64).reshape(shape)


def target(header, means):
    """The probability of each class, and of one without entries, from the means of all planes."""
    if header["score_kind"] == "logit":
        powers = np.exp((means - means.max()) / header["temperature"])
        means = powers / powers[:-1].sum()
    return means[:-1], means[-1]


def expected(header, labels, rows, columns, covered):
    """The member `expected` of a case."""
    dense, rest = target(header, pooled(dense_planes(header, labels), rows, columns))
    cells = labels["height"] * labels["width"]
    weights = pooled(np.eye(cells).reshape(cells, labels["height"], labels["width"]), rows, columns)
    assert abs(weights.sum() - 1) < 1e-12
    touched = np.unique(entries(labels)[0].reshape(cells, -1)[weights > 0])
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


# ------------------------------------------------------------------------------------------ the released code


def released_target(case, maps):
    """The target by the released code: its coordinates, roi_align and softmax, all in float32."""
    labels, (top, left, height, width) = maps[case["map"]], case["box"]
    # It hands (top, left, bottom, right) to an operator that takes x first: for the other profile, exchanged.
    corners = [top, left, top + height, left + width]
    if case["profile"] != "relabel-2021" and case["header"]["orientation"] != "xy":
        corners = [left, top, left + width, top + height]
    coordinates = torch.tensor([corners], dtype=torch.float64).float() * labels["width"] - 0.5
    planes = torch.from_numpy(dense_planes(case["header"], labels)[:-1]).float()
    boxes = torch.cat([torch.zeros(1, 1), coordinates], dim=1)
    return torch.softmax(roi_align(planes[None], boxes, (1, 1))[:, :, 0, 0], dim=1)[0].numpy()


def is_of_released_code(case, maps):
    """Whether the released code can do this case: square maps of logits of the whole picture, temperature 1."""
    header, labels = case["header"], maps[case["map"]]
    usual = {"score_kind": "logit", "temperature": 1, "map_extent": [0, 0, 1, 1]}
    return "expected" in case and usual.items() <= header.items() and labels["height"] == labels["width"]


def dense(case):
    """The whole target of a solved case."""
    answer = case["expected"]
    values = np.full(case["header"]["num_classes"], answer["rest"], np.float64)
    values[answer["class_index"]] = answer["probability"]
    return values


# ------------------------------------------------------------------------------------------------ files


def documents():
    """Each file's name and content."""
    modules = {"numpy": np, "torch": torch, "torchvision": torchvision}
    versions = {name: module.__version__ for name, module in modules.items()}
    for theme, (maps, cases) in themes().items():
        answers = [solved(case, maps) for case in cases]
        generator = {"python": platform.python_version(), **versions}
        yield HERE / f"{theme}.json", {"generator": generator, "maps": maps, "cases": answers}


def spelled(document):
    """A document as JSON, one line for each map and case."""

    def line(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)

    maps = ",\n".join(f"{line(name)}:{line(labels)}" for name, labels in document["maps"].items())
    cases = ",\n".join(map(line, document["cases"]))
    return f'{{"cases":[\n{cases}\n],\n"generator":{line(document["generator"])},\n"maps":{{\n{maps}\n}}}}\n'


def difference(case, other):
    """The largest difference of two solved cases in any number; infinite where anything else differs."""
    first, second = (c.get("expected", {}) for c in (case, other))
    same = {**case, "expected": None} == {**other, "expected": None}
    if not same or first.get("class_index") != second.get("class_index"):
        return math.inf
    pairs = zip(*([*e.get("probability", []), e.get("rest") or 0, e.get("covered", 1)] for e in (first, second)))
    return max(abs(a - b) for a, b in pairs)


def check():
    """Compares the files with what they should hold; returns whether all is well."""
    count, worst, released = 0, 0.0, []
    for path, document in documents():
        stored = json.loads(path.read_text())
        assert stored["maps"] == document["maps"] and len(stored["cases"]) == len(document["cases"]), path
        for case, other in zip(stored["cases"], document["cases"]):
            count, worst = count + 1, max(worst, difference(case, other))
            if is_of_released_code(case, stored["maps"]):
                released.append(np.abs(released_target(case, stored["maps"]) - dense(case)).max())
    print(f"{count} cases, computed anew: differ by at most {worst:.1e}")
    print(f"{len(released)} of them by the released code: differ by at most {max(released):.1e}")
    return worst <= 1e-12 and max(released) <= 1e-5


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(not check())
    for path, document in documents():
        path.write_text(spelled(document))
        print(f"{path.name}: {len(document['cases'])} cases, {path.stat().st_size:,} bytes")
