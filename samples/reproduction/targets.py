"""What targets say of crops before anybody trains: whether they name the garment that a crop shows most."""

from __future__ import annotations

import json

import numpy as np
from scenes import CLASSES, GARMENT, SIDE

import relabel_hdf5
from relabel_hdf5.annotate.crops import random_box


def quality(folder, labelled, count=1_500, crops=4):
    """For each kind of target of some labels, three shares over crops that show a garment.

    Its top class is the garment that covers most of the crop; the probability of that garment; the largest probability.
    """
    generator = np.random.default_rng(7)
    truth = json.loads((folder / "train" / "scenes.json").read_text())
    keys, boxes, seen = [], [], []
    for key in list(truth)[:count]:
        for _ in range(crops):
            box = random_box(generator)
            garment = _most(truth[key], box)
            if garment is not None:
                keys.append(key)
                boxes.append(box)
                seen.append(garment)
    seen = np.array(seen)
    labels = np.array([CLASSES.index(key.partition("/")[0]) for key in keys])
    with relabel_hdf5.open(labelled) as maps:
        local = maps.targets(keys, boxes).astype(float)
        whole = maps.targets(keys, np.tile([0.0, 0, 1, 1], (len(keys), 1))).astype(float)
    one_hot = np.eye(len(CLASSES))
    kinds = {
        "single": one_hot[labels], "smoothing": one_hot[labels] * 0.9 + 0.1 / len(CLASSES),
        "cleaning": one_hot[whole.argmax(1)], "global": whole, "localised": local,
    }  # fmt: skip
    every = np.arange(len(seen))
    return {
        name: {
            "names": float((found.argmax(1) == seen).mean()), "gives": float(found[every, seen].mean()),
            "surest": float(found.max(1).mean()),
        }
        for name, found in kinds.items()
    }  # fmt: skip


def _most(placed, box):
    """The class of the garment that covers most of a crop; None for a crop that shows less than a tenth of any."""
    top, left, height, width = (side * SIDE for side in box)
    areas = [
        max(0.0, min(y + GARMENT, top + height) - max(y, top)) * max(0.0, min(x + GARMENT, left + width) - max(x, left))
        for y, x, _ in placed
    ]
    best = int(np.argmax(areas))
    return placed[best][2] if areas[best] >= GARMENT * GARMENT / 10 else None
