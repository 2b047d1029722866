#!/usr/bin/python3
"""Makes the test vectors of LabelPooling (specification, section 13) with torchvision's compiled roi_align.

    ./generate.py            writes the JSON files beside it
    ./generate.py --check    computes them anew and compares, also with the code that ReLabel released

It needs roi_align in float64 on a CPU, which Debian's package python3-torchvision has. The maps and boxes are
in maps.py and cases.py; answers.py pools them dense, [class, y, x], so nothing is shared with programs that
pool the entries.
"""

import json
import math
import pathlib
import platform
import sys

import numpy as np
import torch
import torchvision
from answers import dense_planes, solved
from cases import themes
from torchvision.ops import roi_align

HERE = pathlib.Path(__file__).resolve().parent


# ----------------------------------------------------------------------------------- the released code


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
    """Whether the released code can do it: square maps of classes, logits of the whole picture, temperature 1."""
    header, labels = case["header"], maps[case["map"]]
    usual = {"score_kind": "logit", "temperature": 1, "map_extent": [0, 0, 1, 1]}
    if "class_factor" in labels:
        return False
    return "expected" in case and usual.items() <= header.items() and labels["height"] == labels["width"]


def dense(case):
    """The whole target of a solved case."""
    answer = case["expected"]
    values = np.full(case["header"]["num_classes"], answer["rest"], np.float64)
    values[answer["class_index"]] = answer["probability"]
    return values


# ----------------------------------------------------------------------------------------------- files


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
    sides = ([*e.get("probability", []), e.get("rest") or 0, e.get("covered", 1)] for e in (first, second))
    return max(abs(a - b) for a, b in zip(*sides))


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
