"""LabelPooling of the Python package on tensors: devices that must not be waited for."""

import dataclasses

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
    random_batch,
    random_boxes,
    references,
)

from relabel_hdf5 import BoxError, UsageError, geometry, label_pooling, pooling_torch


@pytest.mark.parametrize("kind, fill", KINDS)
def test_tensors_on_the_cpu(kind, fill):
    """They share the memory of arrays, and give exactly the same targets."""
    batch = random_batch(np.random.default_rng(20), extents=EXTENTS, score_kind=kind, fill=fill)
    boxes = np.broadcast_to([0.25, 0.25, 0.25, 0.25], (3, 2, 4))
    for given in (boxes, torch.tensor(boxes), boxes.tolist()):
        targets = label_pooling(batch.torch(), given)
        assert isinstance(targets, torch.Tensor) and (targets.numpy() == label_pooling(batch, boxes)).all()
    targets, covered = label_pooling(batch.torch(), boxes, None, "clamp")
    assert isinstance(covered, torch.Tensor) and covered.tolist() == [[1, 1]] * 3


def test_arrays_and_tensors_are_refused_alike():
    batch = random_batch(np.random.default_rng(21)).torch()
    with pytest.raises(BoxError, match="image at position 11, box 0, .*empty"):
        label_pooling(batch, torch.tensor([WHOLE, (0, 0, 1, 0), WHOLE], dtype=torch.float64))
    batch.class_index[0, 0, 0, 0] = -1
    with pytest.raises(UsageError, match=r"position 10, cell \(0, 0\): class id -1"):
        label_pooling(batch, torch.tensor([WHOLE] * 3, dtype=torch.float64))


def test_boxes_of_another_device():
    """Boxes can't be fetched from a device without waiting for it, so nobody does."""
    boxes = torch.zeros(3, 4, dtype=torch.float64, device="meta")
    batch = random_batch(np.random.default_rng(22))
    for maps in (batch, batch.torch()):
        with pytest.raises(UsageError, match="boxes are nothing that NumPy can read"):
            label_pooling(maps, boxes)


def test_bad_boxes_on_a_device_give_nan():
    """What can't be looked at without waiting for the device is never a wrong target."""
    batch = random_batch(np.random.default_rng(25), 14, extents=[EXTENTS[0]] * 14)
    boxes = np.array([box for box, _ in [*BAD_BOXES, LEAVING]] + [(0.25, 0.25, 0.25, 0.25)])[-14:]
    tensors = batch.torch(), torch.from_numpy(boxes[:, None])
    for clamp in (False, True):
        result = pooling_torch.pool_unchecked(*tensors, False, clamp)
        targets, covered = (part[:, 0].numpy() for part in result)
        good = np.arange(14) >= (12 if clamp else 13)
        assert np.isfinite(targets[good]).all() and np.isnan(targets[~good]).all()
        assert np.isfinite(covered[good]).all() and np.isnan(covered[~good]).all()
    assert_close(targets[13:], references(batch, boxes[[13] * 14])[13:])


@pytest.mark.parametrize("bad", [-1, 6, 2**31 - 1])
def test_bad_class_ids_on_a_device_give_nan(bad):
    batch = random_batch(np.random.default_rng(26)).torch()
    batch.class_index[1, 2, 3, 1] = bad
    boxes = torch.tensor([[WHOLE]] * 3, dtype=torch.float64)
    targets = pooling_torch.pool_unchecked(batch, boxes, False, False)[0]
    assert torch.isnan(targets[1]).all() and torch.isfinite(targets[[0, 2]]).all()


@pytest.mark.parametrize("kind, fill", KINDS)
@pytest.mark.parametrize("outside", geometry.OUTSIDE)
@pytest.mark.parametrize("boxes_at", ["cpu", "meta"])
@pytest.mark.parametrize("extent_at", ["cpu", "meta"])
def test_no_value_is_asked_for(kind, fill, outside, boxes_at, extent_at):
    """The device `meta` has no values: whatever depends on one, or copies one back, fails there."""
    batch = random_batch(np.random.default_rng(27), score_kind=kind, fill=fill).torch()
    extent = batch.extent.to(extent_at)
    batch = dataclasses.replace(batch.to("meta"), extent=extent)
    boxes = torch.from_numpy(random_boxes(np.random.default_rng(28), 3, 2)).to(boxes_at)
    result = label_pooling(batch, boxes, None, outside)
    targets = result[0] if outside == "clamp" else result
    assert targets.device.type == "meta" and targets.shape == (3, 2, 6) and targets.dtype == torch.float32


def test_devices_without_float64(monkeypatch):
    """Sums in float32 are near, from weights that were still made in float64."""
    rng = np.random.default_rng(29)
    batch, boxes = random_batch(rng, 8, num_classes=50, height=15, width=15, top_k=5), random_boxes(rng, 8)
    monkeypatch.setattr(pooling_torch, "sum_type", lambda device: torch.float32)
    targets = label_pooling(batch.torch(), boxes)
    np.testing.assert_allclose(targets.numpy(), references(batch, boxes), rtol=0, atol=2e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind, fill", KINDS)
@pytest.mark.parametrize("boxes_at", ["cpu", "cuda"])
def test_cuda(kind, fill, boxes_at):
    """CUDA agrees with NumPy to 1e-6 and never waits for the device."""
    rng = np.random.default_rng(30)
    shape = dict(num_classes=1000, height=15, width=15, top_k=5)
    batch = random_batch(rng, 64, score_kind=kind, fill=fill, **shape)
    boxes = random_boxes(rng, 64, 2)
    on_device, there = batch.to("cuda"), torch.from_numpy(boxes).to(boxes_at)
    torch.cuda.set_sync_debug_mode("error")
    try:
        targets = label_pooling(on_device, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert targets.device.type == "cuda"
    assert_close(targets.cpu().numpy(), label_pooling(batch, boxes).astype(np.float64))
