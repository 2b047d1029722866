"""What LabelPooling of the Python package is judged by: a dense reference made from the text of section 13.

It scatters a map into all its classes and takes one sample after the other; it shares nothing with the
package but the classes `Header`, `LabelMap` and `MapBatch`. The first half makes headers, maps and boxes.
"""

import math
import struct

import numpy as np
import pytest

import relabel_hdf5
from relabel_hdf5 import Header, LabelMap, MapBatch, label_pooling, pooling_torch
from relabel_hdf5.engines import library

KINDS = [("logit", "zero"), ("probability", "zero"), ("probability", "uniform"),
         ("log_probability", "zero"), ("log_probability", "uniform")]
WHOLE = (0.0, 0.0, 1.0, 1.0)
EXTENTS = [(0.125, 0.0625, 0.5, 0.75), (0.0, 0.25, 1.0, 0.5), WHOLE]

# Boxes that are none where the extent is EXTENTS[0], and what is said of them; the last one may be clamped.
BAD_BOXES = [
    ((math.nan, 0, 1, 1), "not all four are fractions"),
    ((0, 0, 1, math.inf), "not all four are fractions"),
    ((-0.01, 0, 0.5, 0.5), "not all four are fractions"),
    ((0, 0, 1.01, 0.5), "not all four are fractions"),
    ((0, 0, 0, 0.5), "empty"),
    ((0, 0, 0.5, 0), "empty"),
    ((1, 0, 1e-7, 0.5), "far edge"),
    ((0, 1, 0.5, 1e-7), "far edge"),
    ((0.5, 0, 0.500002, 0.5), "lower edge"),
    ((0, 0.5, 0.5, 0.500002), "right edge"),
    ((0, 0, 0.125, 0.5), "outside what the map covers"),
    ((0.25, 0.9, 0.25, 0.1), "outside what the map covers"),
]
LEAVING = ((0.25, 0.0, 0.25, 0.25), "leaves what the map covers")


def header(**changes):
    """A header of maps with 3 rows, 4 columns and 2 entries in a cell, unless changed."""
    values = dict(
        format_version="1.0", writer="test", num_classes=6, score_kind="logit", fill="zero", temperature=1.0,
        cell_order="score", row_order="source", orientation="yx", map_extent=WHOLE, build_id="0" * 64,
        height=3, width=4, top_k=2, encoding="float32", step=None, offset=None, metadata={},
        metadata_sha256="",
    )
    return Header(**values | changes)


def random_scores(rng, kind, shape):
    """Scores that the format allows; probabilities of a cell sum to less than 1."""
    if kind == "logit":
        return rng.normal(4, 8, shape).astype(np.float32)
    probability = rng.uniform(0.01, 1 / shape[-1], shape)
    return (probability if kind == "probability" else np.log(probability)).astype(np.float32)


def random_batch(rng, images=3, extents=None, **changes):
    """A batch of random maps."""
    meaning = header(**changes)
    shape = (images, *meaning.shape)
    ids = rng.random((*shape[:3], meaning.num_classes)).argsort(-1)[..., : meaning.top_k].astype(np.uint16)
    extent = np.array(extents if extents is not None else [meaning.map_extent] * images, np.float64)
    scores = random_scores(rng, meaning.score_kind, shape)
    return MapBatch(ids, scores, extent.reshape(images, 4), np.arange(images) + 10, meaning)


class Keys:
    """Names images."""

    def key(self, position):
        return f"image/{position}"


def single_map(batch):
    """The first map of a batch."""
    return LabelMap(
        class_index=batch.class_index[0], score=batch.score[0], extent=WHOLE, position=10,
        header=batch.header, source=Keys(),
    )


def random_boxes(rng, *shape):
    """Boxes anywhere in the picture, some smaller than a cell."""
    start = rng.uniform(0, 1, (*shape, 2))
    return np.concatenate([start, (1 - start) * rng.uniform(1e-3, 1, (*shape, 2))], -1)


# ------------------------------------------------------------------------------------ the dense reference


def f32(value):
    """Rounds to float32 and widens again; sums and products of two such numbers then round only once."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def reference_weights(start, length, cells, rounded=f32, shortest=1.0, count=math.ceil):
    """Section 13.3, one sample after the other; the last three arguments are for making it wrong."""
    low = rounded(rounded(rounded(start) * cells) - 0.5)
    high = rounded(rounded(rounded(start + length) * cells) - 0.5)
    span = max(rounded(high - low), shortest)
    samples = count(span)
    weights = [0.0] * cells
    for number in range(samples):
        place = low + (number + 0.5) * span / samples
        if not -1 <= place <= cells:
            continue
        place = max(place, 0.0)
        cell = math.floor(place)
        if cell >= cells - 1:
            weights[cells - 1] += 1 / samples
        else:
            weights[cell] += (1 - (place - cell)) / samples
            weights[cell + 1] += (place - cell) / samples
    return weights


def factors(labels):
    """What the factors of a test vector's map say of classes, as a batch of one has it: stored numbers and scales, or nothing."""
    if "class_factor" not in labels:
        return ()
    numbers = np.array(labels["class_factor"]).reshape(1, labels["top_k"], -1)
    return (numbers + 127).astype(np.uint8), np.array([labels["factor_scale"]], np.float32)


def dense_of_factors(amounts, numbers, scale):
    """The logits [C, H, W] of a map of factors (4.11), one class after the other."""
    dense = np.zeros((numbers.shape[1], *amounts.shape[:2]))
    for place, factor in np.ndindex(numbers.shape[::-1]):
        said = (int(numbers[factor, place]) - 127) * float(scale[factor])
        dense[place] += said * amounts[..., factor].astype(float)
    return dense


def dense_map(ids, scores, meaning):
    """The values [C, H, W] that are pooled, absent classes filled in (8.2)."""
    dense = np.zeros((meaning.num_classes, *ids.shape[:2]))
    for y, x in np.ndindex(ids.shape[:2]):
        values = [float(score) for score in scores[y, x]]
        if meaning.score_kind == "log_probability":
            values = [math.exp(value) for value in values]
        elif meaning.score_kind == "logit" and meaning.classes_are == "independent":
            values = [1 / (1 + math.exp(-value / meaning.temperature)) for value in values]
        if meaning.fill == "uniform" and meaning.num_classes > len(values):
            dense[:, y, x] = max(0, 1 - math.fsum(values)) / (meaning.num_classes - len(values))
        dense[ids[y, x], y, x] = values
    return dense


def reference(batch, image, box, profile=None):
    """The target of one box that lies within the extent."""
    meaning = batch.header
    origin = batch.extent[image]
    top, left = (box[0] - origin[0]) / origin[2], (box[1] - origin[1]) / origin[3]
    vertical, horizontal = (top, box[2] / origin[2]), (left, box[3] / origin[3])
    if profile == "relabel-2021" or meaning.orientation == "xy":
        vertical, horizontal = horizontal, vertical
    rows = reference_weights(*vertical, meaning.height)
    columns = reference_weights(*horizontal, meaning.width)
    if batch.class_factor is not None:
        dense = dense_of_factors(batch.score[image], batch.class_factor[image], batch.factor_scale[image])
    else:
        dense = dense_map(batch.class_index[image], batch.score[image], meaning)
    pooled = np.einsum("cyx,y,x->c", dense, rows, columns)
    if meaning.score_kind != "logit" or meaning.classes_are == "independent":
        return pooled
    powers = np.exp((pooled - pooled.max()) / meaning.temperature)
    return powers / powers.sum()


def references(batch, boxes, profile=None):
    """The targets of boxes [B, 4] or [B, n, 4]."""
    each = boxes.reshape(len(batch), -1, 4)
    targets = [reference(batch, *place[:1], each[place], profile) for place in np.ndindex(each.shape[:2])]
    return np.array(targets).reshape(*boxes.shape[:-1], batch.header.num_classes)


# ------------------------------------------------------------------------- the ways a target is computed


def with_numpy(monkeypatch):
    monkeypatch.setattr(library, "library", lambda: None)
    return label_pooling


def with_swift(monkeypatch):
    if library.library() is None:
        pytest.skip("the Swift library is not built")
    return label_pooling


def opened_by_numpy(path):
    """Maps that the NumPy engine reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "library", lambda: None)
        return relabel_hdf5.open(path)


def with_tensors(monkeypatch):
    """The code for devices, run on the CPU."""
    monkeypatch.setattr(pooling_torch, "pool_as_arrays", pooling_torch.pool_on_device)

    def pool(maps, *arguments):
        result = label_pooling(maps.torch() if isinstance(maps, MapBatch) else maps, *arguments)
        return tuple(map(np.asarray, result)) if isinstance(result, tuple) else np.asarray(result)

    return pool


def assert_close(found, expected):
    """Asserts that targets are float32 and within 1e-6 of the reference in every class."""
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def dense_target(labels, box, transposed=False):
    """Softmax of the dense logits pooled by plain loops over RoIAlign's samples."""
    height, width, _ = labels.ids.shape
    top, left, tall, wide = box
    rows, columns = ((left, wide), (top, tall)) if transposed else ((top, tall), (left, wide))
    weights = np.outer(reference_weights(*rows, height), reference_weights(*columns, width))
    sums = np.zeros(1000)
    np.add.at(sums, labels.ids, weights[..., None] * labels.scores.astype(np.float64))
    powers = np.exp(sums - sums.max())
    return powers / powers.sum()
