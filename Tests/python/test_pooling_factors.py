"""Pooling of maps of factors in memory, by every way that pools them, against dense sums in float64 (spec, section 13.4)."""

import numpy as np
import pytest
from pooling_reference import factors, header, random_boxes, reference_weights, with_numpy, with_swift, with_tensors

from relabel_hdf5 import LabelMap, MapBatch, RelabelError, UsageError
from relabel_hdf5.engines import library, swift_arrays

WAYS = [with_numpy, with_swift, with_tensors]


@pytest.fixture(params=WAYS, ids=["numpy", "swift", "tensors"])
def pool(request, monkeypatch):
    return request.param(monkeypatch)


def batch_of(classes, count, images=2, grid=(3, 4), scales=None, seed=1):
    """Maps of `count` factors whose amounts and numbers are drawn from all that there are."""
    rng = np.random.default_rng(seed)
    meaning = header(
        num_classes=classes, top_k=count, height=grid[0], width=grid[1], has_factors=True, temperature=2.0
    )
    ids = np.broadcast_to(np.arange(count, dtype=np.uint16), (images, *grid, count))
    amounts = rng.integers(-127, 128, ids.shape).astype(np.float32)
    numbers = rng.integers(0, 255, (images, count, classes)).astype(np.uint8)
    chosen = 2.0 ** rng.integers(-13, -9, (images, count)) if scales is None else np.full((images, count), scales)
    extent = np.tile(np.array([0, 0, 1.0, 1.0]), (images, 1))
    return MapBatch(ids, amounts, extent, np.arange(images) + 10, meaning, numbers, chosen.astype(np.float32))


def wanted(batch, boxes):
    """Targets [B, n, C], dense and in float64."""
    meaning, targets = batch.header, []
    for image, some in enumerate(boxes):
        said = (batch.class_factor[image].astype(float) - 127) * batch.factor_scale[image].astype(float)[:, None]
        dense = np.einsum("yxf,fc->yxc", batch.score[image].astype(float), said)
        for top, left, height, width in some:
            rows = reference_weights(top, height, meaning.height)
            columns = reference_weights(left, width, meaning.width)
            logits = np.einsum("yxc,y,x->c", dense, rows, columns) / meaning.temperature
            powers = np.exp(logits - logits.max())
            targets.append(powers / powers.sum())
    return np.reshape(targets, (*boxes.shape[:2], -1))


# Around the classes and factors that are made at a time.
@pytest.mark.parametrize("count", [1, 7, 8, 9, 20])
@pytest.mark.parametrize("classes", [20, 23, 24, 25, 1001])
def test_targets_are_those_of_dense_sums(pool, classes, count):
    batch = batch_of(classes, count, seed=classes + count)
    boxes = random_boxes(np.random.default_rng(count), 2, 3)
    np.testing.assert_allclose(pool(batch, boxes), wanted(batch, boxes), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [2.0**-126, 2.0**-40, 0.0, 2.0**30, 2.0**100])
def test_scales_of_any_size(pool, scale):
    """From targets that are all alike to those of one class, without a number that is none."""
    batch = batch_of(21, 3, scales=scale)
    boxes = random_boxes(np.random.default_rng(0), 2, 2)
    np.testing.assert_allclose(pool(batch, boxes), wanted(batch, boxes), rtol=0, atol=1e-6)


def test_one_large_factor_leaves_the_small_ones_exact(pool):
    """Amounts of very different sizes, of which the largest says the same of most classes."""
    batch = batch_of(40, 5, grid=(1, 1))
    batch.factor_scale[:] = 2.0 ** np.array([0, -10, -11, -12, -13])
    batch.class_factor[:, 0] = 254
    boxes = np.tile(np.array([0, 0, 1.0, 1.0]), (2, 1, 1))
    np.testing.assert_allclose(pool(batch, boxes), wanted(batch, boxes), rtol=0, atol=1e-6)


def test_threads_and_extents_change_nothing():
    """What a box covers of a map is cut the same, and every number of threads gives the same bits."""
    loaded = library.library()
    if loaded is None:
        pytest.skip("the Swift library is not built")
    batch = batch_of(30, 8, images=40)
    batch.extent[::2] = 0.125, 0.0625, 0.75, 0.875
    boxes = np.tile(np.array([[0.2, 0.3, 0.5, 0.6]]), (40, 1, 1))
    one, covered = swift_arrays.pool_arrays(loaded, batch, boxes, False, False, threads=1)
    assert (covered == 1).all()
    inside = boxes.copy()
    inside[::2] = [[(0.2 - 0.125) / 0.75, (0.3 - 0.0625) / 0.875, 0.5 / 0.75, 0.6 / 0.875]]
    np.testing.assert_allclose(one, wanted(batch, inside), rtol=0, atol=1e-6)
    for threads in (2, 5):
        found, _ = swift_arrays.pool_arrays(loaded, batch, boxes, False, False, threads=threads)
        np.testing.assert_array_equal(found, one)


FAULTS = {
    "class_factor": (np.uint8(255), "never written"), "factor_scale": (np.float32(3), "power of two"),
    "score": (np.float32("nan"), "finite"),
}  # fmt: skip


def broken(name):
    batch = batch_of(20, 3)
    getattr(batch, name)[1, ..., 2] = FAULTS[name][0]
    return batch


@pytest.mark.parametrize("name", FAULTS)
def test_a_device_makes_no_target_of_them(name, monkeypatch):
    boxes = random_boxes(np.random.default_rng(0), 2, 1)
    found = with_tensors(monkeypatch)(broken(name), boxes)
    assert np.isnan(found[1]).all() and np.isfinite(found[0]).all()


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("pool", WAYS[:2], indirect=True, ids=["numpy", "swift"])
def test_factors_that_no_reader_hands_out_are_refused(pool, name):
    with pytest.raises(UsageError, match=FAULTS[name][1]):
        pool(broken(name), random_boxes(np.random.default_rng(0), 2, 1))


@pytest.mark.parametrize("name", FAULTS)
def test_the_library_refuses_them_itself(name):
    loaded = library.library()
    if loaded is None:
        pytest.skip("the Swift library is not built")
    boxes = np.tile(np.array([0, 0, 1.0, 1.0]), (2, 1, 1))
    with pytest.raises(RelabelError, match=FAULTS[name][1]):
        swift_arrays.pool_arrays(loaded, broken(name), boxes, False, False)
    assert loaded.relabel_last_failure().contents.position == 1


def test_shapes_that_do_not_fit_are_refused(pool):
    batch = batch_of(20, 3)
    short = MapBatch(
        batch.class_index, batch.score, batch.extent, batch.positions, batch.header, batch.class_factor[:, :, :19],
        batch.factor_scale,
    )  # fmt: skip
    with pytest.raises(UsageError, match="shapes"):
        pool(short, random_boxes(np.random.default_rng(0), 2, 1))


def test_a_single_map(monkeypatch):
    labels = {"top_k": 1, "class_factor": [5, -7], "factor_scale": [0.5]}
    numbers, scale = factors(labels)
    meaning = header(num_classes=2, top_k=1, height=1, width=1, has_factors=True)
    one = LabelMap(
        class_index=np.zeros((1, 1, 1), np.uint16), score=np.full((1, 1, 1), 0.25, np.float32), extent=(0.0, 0.0, 1.0, 1.0),
        position=0, header=meaning, source=None, class_factor=numbers[0], factor_scale=scale[0],
    )  # fmt: skip
    for way in WAYS[:2]:
        with monkeypatch.context() as patch:
            found = way(patch)(one, np.array([0, 0, 1.0, 1.0]))
        np.testing.assert_allclose(found, 1 / (1 + np.exp([-1.5, 1.5])), rtol=0, atol=1e-6)
