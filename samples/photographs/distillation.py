"""Small students without any label: trained on crops of the photographs, scored by the annotator's own answers."""

from __future__ import annotations

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "reproduction"))

import closeness  # noqa: E402
import maps  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from annotators import fit  # noqa: E402
from networks import STUDENTS  # noqa: E402

from relabel_hdf5.annotate import crops  # noqa: E402

SIDE, STUDENT = 32, "residual-8"


def pixels(pictures, boxes):
    """Inputs of the student [N, n, 3, 32, 32], around 0."""
    found = [
        np.asarray(crops.crop(picture, box).resize((SIDE, SIDE), crops.Image.Resampling.BICUBIC), np.float32)
        for picture, several in zip(pictures, boxes)
        for box in several
    ]
    stacked = torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()
    return (stacked / 64 - 2).unflatten(0, boxes.shape[:2])


def measure(pictures, truth, scored, kinds, chosen, folds, epochs, say):
    """Rows of figures for each kind of target.

    `kinds` are targets [N, n, C] of the training crops `chosen`; `scored` and `truth` are other crops and the
    annotator's answers for them. Students see the pictures of all folds but one.
    """
    inputs, tests = pixels(pictures, chosen), pixels(pictures, scored)
    fold = np.random.default_rng(0).permutation(len(pictures)) % max(folds, 3)
    gaps, same = {}, {}
    for number in range(folds):
        for kind, targets in kinds.items():
            seen = np.flatnonzero(fold != number)
            student = train(inputs[seen].flatten(0, 1), torch.from_numpy(targets[seen]).flatten(0, 1), epochs, number)
            answer = answers(student, tests)
            gaps.setdefault(kind, []).append(crops.divergence(truth, answer).mean(1))
            same.setdefault(kind, []).append((answer.argmax(-1) == truth.argmax(-1)).mean(1))
            say(f"student {number + 1} of {folds}, {kind}")
    masks = np.array([fold != number for number in range(folds)])
    return [row(kind, np.array(gaps[kind]), np.array(same[kind]), masks) for kind in kinds] + [
        row(f"{local} − {other}", np.array(gaps[local]) - gaps[other], np.array(same[local]) - same[other], masks)
        for local, other in (("localised", "global"), ("localised, top 5", "global, top 5"))
        if local in kinds and other in kinds
    ]


def train(inputs, targets, epochs, seed):
    """A student of crops and their mirror images."""
    torch.manual_seed(seed)
    network = STUDENTS[STUDENT](targets.shape[-1])
    doubled = torch.cat([inputs, inputs.flip(-1)]), torch.cat([targets, targets]).float()
    fit(network, *doubled, epochs, np.random.default_rng(seed))
    return network


def answers(network, tests):
    """Probabilities [N, n, C]."""
    with torch.inference_mode():
        found = [network(part).double().softmax(1) for part in tests.flatten(0, 1).split(256)]
    return torch.cat(found).unflatten(0, tests.shape[:2]).numpy()


def row(kind, gaps, same, masks):
    """Figures of pictures that the students were trained on, and of those they never saw."""
    return {"target": kind} | {
        f"{name}_{part}": closeness.over_pictures(_mean(values, chosen))
        for part, chosen in (("seen", masks), ("unseen", ~masks))
        for name, values in (("divergence", gaps), ("same_top", same))
    }


def _mean(values, chosen):
    """The mean [pictures] over those folds [folds, pictures] that are chosen, without pictures that have none."""
    counts = chosen.sum(0)
    return (values * chosen).sum(0)[counts > 0] / counts[counts > 0]


def targets(network, scale, pictures, chosen, wholes):
    """Targets [N, n, C] by kind: the answer for the picture, and pooled ones of what is stored."""
    dense = maps.annotate(network, scale, pictures)
    found = {"image label": closeness.label_targets(np.empty((*chosen.shape[:2], dense.shape[1])), wholes)}
    for form in ("dense", "top 5"):
        pooled = maps.targets(dense, chosen, form)
        suffix = "" if form == "dense" else f", {form}"
        found |= {f"{kind}{suffix}": pooled[kind] for kind in ("global", "localised")}
    return found
