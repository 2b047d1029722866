"""How near targets are to what the network says of the crop itself, by crop area, with errors over pictures."""

from __future__ import annotations

import math

import maps
import numpy as np
from settings import AREAS, FORMS, MATCHED, SMOOTHING, TARGETS

from relabel_hdf5.annotate import crops

TEMPERATURES = (1.0, 0.8, 0.65, 0.5)


def boxes(count, each, seed=0):
    """Boxes [count, areas · each, 4] as `RandomResizedCrop` draws them, as many of each range of areas."""
    generator = np.random.default_rng(seed)
    return np.array([[crops.random_box(generator, area) for area in AREAS for _ in range(each)] for _ in range(count)])


def truths(network, pictures, chosen, say):
    """The network's own answers [N, n, C] for the pixels of crops, and [N, C] for whole pictures."""
    made = maps.annotator(network)
    found = []
    for place, (picture, several) in enumerate(zip(pictures, chosen), 1):
        found.append(crops.answers(made, picture, np.concatenate([several, [maps.WHOLE]])))
        if place % 6 == 0:
            say(f"{network}: the answers for crops of {place} of {len(pictures)} pictures")
    stacked = np.stack(found)
    return stacked[:, :-1], stacked[:, -1]


def measure(network, pictures, chosen, answers, scales, say):
    """Rows of figures: each way to make maps, each form that is stored, each kind of target."""
    truth, whole = answers
    rows = [row(truth, label_targets(truth, whole), "", "", "image label")]
    by_scale = {}
    for scale in scales:
        dense = maps.annotate(network, scale, pictures)
        say(f"{network}, {scale.name}: {dense.shape[2]}×{dense.shape[3]} cells")
        for form in FORMS:
            found = maps.targets(dense, chosen, form)
            by_scale.setdefault(form, {})[scale.name] = found
            rows += compared(truth, found, scale.name, form, by_scale[form][scales[0].name]["global"])
            if form == "dense":
                rows += tempered(truth, found, scale.name)
    for form, found in by_scale.items():
        by_size = {scale.inputs[0][0]: found[scale.name] for scale in scales if len(scale.inputs) == 1}
        rows += compared(truth, matched(by_size, chosen), MATCHED, form, found[scales[0].name]["global"])
    return rows


def matched(several, chosen):
    """Targets by kind, each of the map whose input size, by multiples of the own one, is nearest to the crop's.

    The network sees a crop enlarged by one over the square root of its share of the picture.
    """
    enlarged = 1 / np.sqrt(chosen[..., 2] * chosen[..., 3])
    nearest = np.abs(np.log(enlarged) - np.log(list(several))[:, None, None]).argmin(0)
    return {
        kind: np.take_along_axis(np.stack([found[kind] for found in several.values()]), nearest[None, ..., None], 0)[0]
        for kind in TARGETS[1:]
    }


def compared(truth, found, scale, form, own):
    """A row for each kind of target, and what localising gains on global targets of the same maps and of `own`.

    `own` are the global targets of maps at the network's own size, the best global ones.
    """
    rows = [row(truth, found[kind], scale, form, kind) for kind in TARGETS[1:]]
    rows.append(difference(truth, found["localised"], found["global"], scale, form, "localised − global"))
    if found["global"] is not own:
        name = "localised − global at own size"
        rows.append(difference(truth, found["localised"], own, scale, form, name))
    return rows


def label_targets(truth, whole):
    """One-hot targets of the answers for whole pictures, smoothed: the divergence from a plain one has no bound."""
    classes = truth.shape[-1]
    found = np.full((len(truth), 1, classes), SMOOTHING / classes)
    found[np.arange(len(truth)), 0, whole.argmax(-1)] += 1 - SMOOTHING
    return np.broadcast_to(found, truth.shape)


def row(truth, found, scale, form, kind):
    """Divergence of the answer from the target, and the share of crops with the same best class."""
    same = (truth.argmax(-1) == found.argmax(-1)).astype(float)
    return {
        "scale": scale, "form": form, "target": kind, "divergence": by_area(crops.divergence(truth, found)),
        "same_top": by_area(same), "variation": by_area(np.abs(truth - found).sum(-1) / 2),
    }  # fmt: skip


def difference(truth, found, other, scale, form, name):
    """What targets gain on others, picture by picture: a divergence below 0 is nearer."""
    top = truth.argmax(-1)
    same = (top == found.argmax(-1)).astype(float) - (top == other.argmax(-1))
    gap = crops.divergence(truth, found) - crops.divergence(truth, other)
    return {"scale": scale, "form": form, "target": name, "divergence": by_area(gap), "same_top": by_area(same)}


def tempered(truth, found, scale):
    """The divergence of targets that are sharpened: temperatures below 1."""
    rows = []
    for kind in ("localised", "global"):
        for temperature in TEMPERATURES:
            powers = found[kind].clip(1e-30) ** (1 / temperature)
            gap = crops.divergence(truth, powers / powers.sum(-1, keepdims=True))
            rows.append(
                {"scale": scale, "form": "dense", "target": kind, "temperature": temperature, "divergence": by_area(gap)}
            )
    return rows


def by_area(values):
    """Mean and standard error of all crops [N, n] and of each range of areas; crops of one picture count as one."""
    parts = [values, *np.split(values, len(AREAS), axis=1)]
    return [over_pictures(part.mean(1)) for part in parts]


def over_pictures(values):
    """Mean and standard error of one value a picture."""
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return [round(float(values.mean()), 4), None if error is None else round(error, 4)]
