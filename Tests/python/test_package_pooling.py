"""LabelPooling of the Python package: its meaning, and what it refuses."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from pooling_reference import (
    BAD_BOXES,
    EXTENTS,
    KINDS,
    LEAVING,
    WHOLE,
    assert_close,
    header,
    random_batch,
    random_boxes,
    reference_weights,
    references,
    single_map,
    with_numpy,
    with_swift,
    with_tensors,
)

from relabel_hdf5 import BoxError, UsageError, geometry, label_pooling, pooling_torch


@pytest.fixture(params=[with_numpy, with_swift, with_tensors], ids=["numpy", "swift", "tensors"])
def pool(request, monkeypatch):
    """`label_pooling` with NumPy arrays in and out, computed by each of the three ways."""
    return request.param(monkeypatch)


# ---------------------------------------------------------------------------------------------- meaning


@pytest.mark.parametrize("kind, fill", KINDS)
@pytest.mark.parametrize("grid", [(1, 1, 1), (3, 4, 2), (15, 15, 5), (1, 7, 3), (20, 2, 6)])
@pytest.mark.parametrize("orientation", ["yx", "xy"])
def test_kinds_and_grids(pool, kind, fill, grid, orientation):
    """Every score kind and fill, from one cell to many, k from 1 to all classes."""
    rng = np.random.default_rng(len(kind) + sum(grid))
    height, width, k = grid
    batch = random_batch(
        rng, 4, score_kind=kind, fill=fill, height=height, width=width, top_k=k, orientation=orientation
    )
    boxes = random_boxes(rng, 4)
    assert_close(pool(batch, boxes), references(batch, boxes))


@pytest.mark.parametrize("kind", ["logit", "probability", "log_probability"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("top_k", [1, 2, 6])
def test_classes_that_do_not_exclude_each_other(pool, kind, temperature, top_k):
    """Sigmoids, and probabilities of a cell that sum to more than 1."""
    rng = np.random.default_rng(top_k)
    batch = random_batch(
        rng, 4, score_kind=kind, classes_are="independent", temperature=temperature, top_k=top_k, orientation="xy"
    )
    if kind != "logit":
        probable = rng.uniform(0.3, 1, batch.score.shape).astype("f4")
        batch = dataclasses.replace(batch, score=probable if kind == "probability" else np.log(probable))
    boxes = random_boxes(rng, 4)
    found = pool(batch, boxes)
    assert_close(found, references(batch, boxes))
    assert top_k == 1 or kind == "logit" or found.sum(-1).max() > 1.01


@pytest.mark.parametrize("temperature", [0.25, 1.0, 7.5])
def test_temperature(pool, temperature):
    rng = np.random.default_rng(1)
    batch, boxes = random_batch(rng, temperature=temperature), random_boxes(rng, 3)
    assert_close(pool(batch, boxes), references(batch, boxes))


def test_negative_logits_of_all_classes(pool):
    """Where no class is absent, none has logit 0."""
    batch = random_batch(np.random.default_rng(2), num_classes=2)
    batch = dataclasses.replace(batch, score=-abs(batch.score) - 100)
    boxes = np.array([WHOLE] * 3)
    assert_close(pool(batch, boxes), references(batch, boxes))


def test_several_boxes_of_an_image(pool):
    rng = np.random.default_rng(3)
    batch, boxes = random_batch(rng), random_boxes(rng, 3, 5)
    found = pool(batch, boxes)
    assert_close(found, references(batch, boxes))
    assert_close(np.stack([pool(batch, boxes[:, n]) for n in range(5)], 1), found)


def test_batches_larger_than_a_block(pool, monkeypatch):
    """Many classes are worked on in blocks of a few boxes."""
    rng = np.random.default_rng(4)
    batch, boxes = random_batch(rng, 7), random_boxes(rng, 7, 3)
    expected = references(batch, boxes)
    monkeypatch.setattr("relabel_hdf5.engines.numpy.pooling.BLOCK", 70)
    assert_close(pool(batch, boxes), expected)


@pytest.mark.parametrize("images, boxes", [(0, (0, 4)), (0, (0, 2, 4)), (2, (2, 0, 4))])
def test_nothing_to_pool(pool, images, boxes):
    batch = random_batch(np.random.default_rng(5), images)
    assert pool(batch, np.zeros(boxes)).shape == (*boxes[:-1], 6)


def test_single_map(pool):
    batch = random_batch(np.random.default_rng(6))
    one = single_map(batch)
    boxes = random_boxes(np.random.default_rng(7), 1, 3)
    expected = references(random_batch(np.random.default_rng(6)), np.repeat(boxes, 3, 0))[0]
    assert_close(pool(one, boxes[0]), expected)
    assert_close(pool(one, boxes[0, 1]), expected[1])
    targets, covered = pool(one, boxes[0, 1], None, "clamp")
    assert_close(targets, expected[1])
    assert covered.shape == () and covered == 1


@pytest.mark.parametrize("whole", [[0, 0, 1, 1], np.array([0, 0, 1, 1]), torch.tensor([0, 0, 1, 1])])
def test_boxes_of_whole_numbers(pool, whole):
    batch = random_batch(np.random.default_rng(8), 1)
    boxes = whole[None] if hasattr(whole, "shape") else [whole]
    assert_close(pool(batch, boxes), references(batch, np.array([WHOLE])))


def test_tensors_and_arrays_meet(pool):
    """Boxes of the CPU may be either, whatever the batch holds."""
    rng = np.random.default_rng(9)
    batch, boxes = random_batch(rng), random_boxes(rng, 3)
    assert (pool(batch, torch.from_numpy(boxes)) == pool(batch, boxes)).all()


# --------------------------------------------------------------------------------------------- profiles


def test_released_code_swaps_the_axes(pool):
    """`relabel-2021` samples rows where the box says columns, whatever the orientation."""
    rng = np.random.default_rng(10)
    for orientation in ("yx", "xy", "unknown"):
        batch = random_batch(rng, height=4, orientation=orientation)
        boxes = random_boxes(rng, 3)
        found = pool(batch, boxes, "relabel-2021")
        assert_close(found, references(batch, boxes, "relabel-2021"))
        upright = dataclasses.replace(batch, header=header(height=4, orientation="yx"))
        assert_close(pool(upright, boxes[:, [1, 0, 3, 2]]), found.astype(np.float64))


@pytest.mark.parametrize("orientation", ["yx", "xy"])
def test_named_relabel_is_the_default(pool, orientation):
    rng = np.random.default_rng(11)
    batch, boxes = random_batch(rng, orientation=orientation), random_boxes(rng, 3)
    assert (pool(batch, boxes, "relabel") == pool(batch, boxes)).all()


def test_unknown_orientation(pool):
    """Maps of unknown orientation are pooled only with a profile that the user named."""
    rng = np.random.default_rng(12)
    batch, boxes = random_batch(rng, orientation="unknown"), random_boxes(rng, 3)
    with pytest.raises(UsageError, match="orientation unknown.*'relabel'.*'relabel-2021'"):
        pool(batch, boxes)
    assert_close(pool(batch, boxes, "relabel"), references(batch, boxes))


def test_profiles_that_do_not_exist(pool):
    batch = random_batch(np.random.default_rng(13))
    with pytest.raises(UsageError, match="no profile 'yx', only 'relabel' and 'relabel-2021'"):
        pool(batch, np.array([WHOLE] * 3), "yx")
    with pytest.raises(UsageError, match="not defined for a grid of 3x4"):
        pool(batch, np.array([WHOLE] * 3), "relabel-2021")
    with pytest.raises(UsageError, match="outside is 'cut', not 'error' or 'clamp'"):
        pool(batch, np.array([WHOLE] * 3), None, "cut")


# ---------------------------------------------------------------------------------------------- extents

def test_extent_of_each_image(pool):
    """A box is mapped into the extent of its own image."""
    rng = np.random.default_rng(14)
    batch = random_batch(rng, extents=EXTENTS)
    inner = random_boxes(rng, 3, 4)
    extent = np.array(EXTENTS)[:, None]
    boxes = inner * np.tile(extent[..., 2:], 2)
    boxes[..., :2] += extent[..., :2]
    assert_close(pool(batch, boxes), references(batch, boxes))
    targets, covered = pool(batch, boxes, None, "clamp")
    assert_close(targets, references(batch, boxes))
    np.testing.assert_allclose(covered, 1, rtol=0, atol=1e-12)


def test_clamping(pool):
    """A box is cut to the extent, and the share that was left comes beside the target."""
    batch = random_batch(np.random.default_rng(15), extents=EXTENTS)
    boxes = np.array([[0.0, 0.125, 0.5, 0.25], [0.25, 0.5, 0.5, 0.5], [0.25, 0.25, 0.5, 0.5]])
    cut = np.array([[0.125, 0.125, 0.375, 0.25], [0.25, 0.5, 0.5, 0.25], [0.25, 0.25, 0.5, 0.5]])
    targets, covered = pool(batch, boxes, None, "clamp")
    assert_close(targets, references(batch, cut))
    np.testing.assert_allclose(covered, [0.75, 0.5, 1], rtol=0, atol=1e-12)
    assert covered.dtype == np.float64
    targets, covered = pool(batch, boxes[:, None], None, "clamp")
    assert targets.shape == (3, 1, 6) and covered.shape == (3, 1)


def test_slack_at_the_extent(pool):
    """A box may leave the extent by 1e-6 of it."""
    batch = random_batch(np.random.default_rng(16), 1, extents=EXTENTS[:1])
    within = np.array([[0.125 - 4e-7, 0.0625, 0.5, 0.75]])
    assert_close(pool(batch, within), references(batch, within))
    beyond = np.array([[0.125 - 6e-7, 0.0625, 0.5, 0.75]])
    with pytest.raises(BoxError, match="position 10, box 0, .*leaves what the map covers.*'clamp'"):
        pool(batch, beyond)


# ---------------------------------------------------------------------------------------------- refusals

@pytest.mark.parametrize(
    "box, reason, outside",
    [(*bad, outside) for bad in BAD_BOXES for outside in geometry.OUTSIDE] + [(*LEAVING, "error")],
)
def test_bad_boxes(pool, box, reason, outside):
    """A bad box is refused by image, number and reason, among good ones."""
    batch = random_batch(np.random.default_rng(17), extents=[EXTENTS[0]] * 3)
    boxes = np.full((3, 2, 4), [0.25, 0.25, 0.25, 0.25])
    boxes[2, 1] = box
    with pytest.raises(BoxError, match="image at position 12, box 1, .*" + reason) as caught:
        pool(batch, boxes, None, outside)
    assert isinstance(caught.value, ValueError) and str(float(box[3])) in str(caught.value)


def test_bad_box_of_a_named_image(pool):
    batch = random_batch(np.random.default_rng(18))
    one = single_map(batch)
    with pytest.raises(BoxError, match="image 'image/10': box 0, .*empty"):
        pool(one, [0.0, 0.0, 0.0, 1.0])


def test_slack_at_the_picture(pool):
    """Sums of rounded fractions may exceed 1 by 1e-6."""
    batch = random_batch(np.random.default_rng(19), 1)
    boxes = np.array([[0.5, 0.25, 0.5000009, 0.7500009]])
    assert_close(pool(batch, boxes), references(batch, boxes))


@pytest.mark.parametrize(
    "boxes, message",
    [
        (np.zeros((2, 4)), r"shape \[2, 4\], not \[3, 4\] or \[3, n, 4\]"),
        (np.zeros((3, 5)), r"shape \[3, 5\]"),
        (np.zeros(4), r"shape \[4\]"),
        (np.zeros((3, 1, 1, 4)), r"shape \[3, 1, 1, 4\]"),
        (np.zeros((3, 4), np.float32), "float32: they must be float64"),
        (torch.zeros(3, 4), "float32: they must be float64"),
        (torch.zeros(3, 4, dtype=torch.bool), "bool: they must be"),
        ([[0, 0, 1, 1], [0]], "boxes are nothing that"),
    ],
    ids=str,
)
def test_boxes_that_do_not_fit(pool, boxes, message):
    with pytest.raises(UsageError, match=message):
        pool(random_batch(np.random.default_rng(20)), boxes)


def test_shape_for_a_single_map(pool):
    batch = random_batch(np.random.default_rng(21))
    one = single_map(batch)
    with pytest.raises(UsageError, match=r"shape \[1, 1, 4\], not \[4\] or \[n, 4\]"):
        pool(one, np.zeros((1, 1, 4)))


@pytest.mark.parametrize("bad, kind", [(6, np.uint16), (65535, np.uint32), (-1, np.int32), (6, np.int64)])
def test_class_ids_that_are_none(bad, kind):
    """Such an id would be counted as another image's."""
    batch = random_batch(np.random.default_rng(22))
    batch = dataclasses.replace(batch, class_index=batch.class_index.astype(kind))
    batch.class_index[1, 2, 3, 1] = bad
    with pytest.raises(UsageError, match=rf"position 11, cell \(2, 3\): class id {bad} is not .* classes, 6"):
        label_pooling(batch, np.array([WHOLE] * 3))


def test_class_ids_of_another_type():
    """Ids may be of any type of whole numbers."""
    batch, boxes = random_batch(np.random.default_rng(23)), random_boxes(np.random.default_rng(23), 3)
    for kind in (np.uint16, np.uint32, np.int32, np.int64):
        other = dataclasses.replace(batch, class_index=batch.class_index.astype(kind))
        assert_close(label_pooling(other, boxes), references(batch, boxes))


def test_too_many_classes(pool):
    batch = random_batch(np.random.default_rng(24), 1)
    batch = dataclasses.replace(batch, header=header(num_classes=2**24 + 1))
    with pytest.raises(UsageError, match="targets of 16777217 classes are not pooled"):
        pool(batch, np.array([WHOLE]))


def test_weights_sum_to_one():
    """For every box that section 13.1 allows, at the borders and far below a cell too."""
    edges = [0.0, 1e-20, 1e-7, 1 / 3, 0.5, 1 - 1e-7, np.nextafter(1, 0)]
    lengths = [1e-300, 1e-7, 0.25, 0.5, 1.0]
    pairs = [p for p in itertools.product(edges, lengths) if sum(p) <= 1 + 1e-6]
    start, length = np.array(pairs).T
    for cells in (1, 2, 15, 97, 5000):
        for weights in (
            geometry.axis_weights(start, length, cells),
            pooling_torch.axis_weights(torch.from_numpy(start), torch.from_numpy(length), cells).numpy(),
        ):
            np.testing.assert_allclose(weights.sum(1), 1, rtol=0, atol=1e-9)
            assert (weights >= 0).all()
            expected = [reference_weights(*pair, cells) for pair in pairs]
            np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-9)
