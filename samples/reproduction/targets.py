"""What targets say of crops before anybody trains: whether they name the garment that a crop shows most, and what a form loses."""

from __future__ import annotations

import json

import numpy as np
from scenes import GARMENT, SIDE

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
    with relabel_hdf5.open(labelled) as maps:
        classes = [entry.id for entry in maps.classes]
        local = maps.targets(keys, boxes).astype(float)
        whole = maps.targets(keys, np.tile([0.0, 0, 1, 1], (len(keys), 1))).astype(float)
    labels = np.array([classes.index(key.partition("/")[0]) for key in keys])
    one_hot = np.eye(len(classes))
    kinds = {
        "single": one_hot[labels], "smoothing": one_hot[labels] * 0.9 + 0.1 / len(classes),
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


def lost(labelled, dense, count=1_500, crops=4):
    """What targets of random crops lose against those of labels that keep every class, `dense`.

    The divergence KL(dense ‖ these) in nats, half of the L1 distance, and the share with another best class.
    """
    generator = np.random.default_rng(7)
    boxes = [random_box(generator) for _ in range(count * crops)]
    found = []
    for folder in (dense, labelled):
        with relabel_hdf5.open(folder) as maps:
            order = np.argsort(maps.image_indexes())[:count]
            found.append(maps.targets(np.repeat(order, crops), boxes[: len(order) * crops]).astype(float))
    wanted, got = found
    return {
        "divergence": float((wanted * np.log(np.maximum(wanted, 1e-12) / np.maximum(got, 1e-12))).sum(1).mean()),
        "half_l1": float(np.abs(wanted - got).sum(1).mean() / 2),
        "other_top": float((wanted.argmax(1) != got.argmax(1)).mean()),
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
