"""Mixing of soft targets, and the loss, against timm's and torch's own."""

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
from timm.data.mixup import Mixup
from timm.loss import SoftTargetCrossEntropy
from torchvision.transforms import v2

from relabel_hdf5 import UsageError
from relabel_hdf5.train import SoftMixup, mix_targets, soft_target_cross_entropy

CLASSES = 7
OPTIONS = [
    {"mixup_alpha": 0.8},
    {"mixup_alpha": 0.0, "cutmix_alpha": 1.0},
    {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "prob": 0.7, "switch_prob": 0.4},
    {"mixup_alpha": 0.0, "cutmix_minmax": (0.2, 0.8)},
    {"mixup_alpha": 0.0, "cutmix_alpha": 1.0, "correct_lam": False},
]
MODES = ["batch", "pair", "elem"]


def batch(seed=0, count=8):
    torch.manual_seed(seed)
    images, labels = torch.rand(count, 3, 16, 12), torch.randint(CLASSES, (count,))
    return images, labels, torch.rand(count, CLASSES).softmax(1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_soft_mixup_is_timms_for_one_hot_targets(options, mode):
    for seed in range(6):
        images, labels, _ = batch(seed)
        np.random.seed(seed)
        mixup = Mixup(**options, mode=mode, label_smoothing=0.0, num_classes=CLASSES)
        expected = mixup(images.clone(), labels)
        after = np.random.rand()
        np.random.seed(seed)
        mixed = SoftMixup(**options, mode=mode, num_classes=CLASSES)(
            images.clone(), torch.nn.functional.one_hot(labels, CLASSES).float()
        )
        assert after == np.random.rand()
        assert torch.equal(expected[0], mixed[0])
        assert torch.equal(expected[1], mixed[1])


@pytest.mark.parametrize("mode", MODES)
def test_soft_mixup_smooths_as_timm_does(mode):
    images, labels, _ = batch()
    np.random.seed(1)
    _, expected = Mixup(0.8, 1.0, mode=mode, label_smoothing=0.1, num_classes=CLASSES)(images.clone(), labels)
    np.random.seed(1)
    one_hot = torch.nn.functional.one_hot(labels, CLASSES).float()
    soft = SoftMixup(0.8, 1.0, mode=mode, label_smoothing=0.1, num_classes=CLASSES)
    _, mixed = soft(images.clone(), one_hot)
    torch.testing.assert_close(expected, mixed, atol=1e-7, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_soft_targets_are_mixed_with_the_share_of_the_pixels(mode):
    """Each picture has one value, so the pixels of the mixture tell the share that CutMix used."""
    _, _, targets = batch()
    for seed in range(5):
        images = torch.arange(8.0)[:, None, None, None].expand(8, 1, 16, 12).clone()
        np.random.seed(seed)
        mixed, soft = SoftMixup(0.8, 1.0, mode=mode, num_classes=CLASSES)(images, targets)
        first, last = torch.arange(8.0), torch.arange(8.0).flip(0)
        share = (mixed.mean((1, 2, 3)) - last) / (first - last)
        expected = share[:, None] * targets + (1 - share[:, None]) * targets.flip(0)
        torch.testing.assert_close(soft, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(soft.sum(1), torch.ones(8))


def test_mixing_can_be_switched_off():
    images, _, targets = batch()
    mixup = SoftMixup(0.8, num_classes=CLASSES)
    assert mixup.mixup_enabled
    mixup.mixup_enabled = False
    same, soft = mixup(images.clone(), targets)
    assert torch.equal(same, images) and torch.equal(soft, targets)


@pytest.mark.parametrize(("targets", "reason"), [
    (torch.zeros(8, 5), r"\[8, 7\] here, not \[8, 5\]"),
    (torch.zeros(8, dtype=torch.int64), r"not \[8\]"),
    (torch.zeros(6, 7), r"not \[6, 7\]"),
])
def test_targets_of_another_shape_are_refused(targets, reason):
    with pytest.raises(UsageError, match=reason):
        SoftMixup(num_classes=CLASSES)(batch()[0], targets)


def test_odd_batches_are_refused():
    images, _, targets = batch(count=5)
    with pytest.raises(UsageError, match="must be even"):
        SoftMixup(num_classes=CLASSES)(images, targets)


@pytest.mark.parametrize("mix", [v2.MixUp, v2.CutMix])
def test_torchvision_takes_soft_targets_as_they_are(mix):
    images, _, targets = batch()
    torch.manual_seed(3)
    mixed, soft = mix(num_classes=CLASSES)(images, targets)
    assert soft.shape == targets.shape
    torch.testing.assert_close(soft.sum(1), torch.ones(8))
    torch.manual_seed(3)
    _, from_identity = mix(num_classes=8)(images, torch.eye(8))  # the shares themselves
    torch.testing.assert_close(soft, from_identity @ targets)
    assert not torch.equal(mixed, images)


def test_mix_targets():
    pooled = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.0, 1.0, 0.0, 0.0]])
    mixed = mix_targets(pooled, torch.tensor([0, 3]), alpha=0.75, smoothing=0.4)
    expected = 0.75 * pooled + 0.25 * torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]])
    torch.testing.assert_close(mixed, expected)
    assert torch.equal(mix_targets(pooled, torch.tensor([0, 3]), alpha=1.0), pooled)
    assert mix_targets(pooled, torch.tensor([0, 3]), alpha=0.0).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(("pooled", "label", "options"), [
    (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64), {"alpha": 0.5}),
    (torch.zeros(3), torch.zeros(3, dtype=torch.int64), {"alpha": 0.5}),
    (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), {"alpha": 1.5}),
    (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), {"alpha": 0.5, "smoothing": -0.1}),
])
def test_mix_targets_refuses(pooled, label, options):
    with pytest.raises(UsageError):
        mix_targets(pooled, label, **options)


def test_loss_is_that_of_timm_and_torch():
    logits, target = torch.randn(6, CLASSES), batch(count=6)[2]
    loss = soft_target_cross_entropy(logits, target)
    torch.testing.assert_close(loss, SoftTargetCrossEntropy()(logits, target))
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, target))


def test_loss_weighs_targets_that_sum_to_less():
    logits, target = torch.randn(1, CLASSES), batch(count=1)[2]
    torch.testing.assert_close(
        soft_target_cross_entropy(logits, target * 0.25), soft_target_cross_entropy(logits, target) * 0.25
    )


def test_loss_has_the_gradient_of_a_softmax():
    logits, target = torch.randn(4, CLASSES, requires_grad=True), batch(count=4)[2]
    soft_target_cross_entropy(logits, target).backward()
    torch.testing.assert_close(logits.grad, (logits.softmax(1) - target).detach() / 4)


def test_loss_refuses_other_shapes_and_nan():
    with pytest.raises(ValueError, match=r"\[2, 5\], targets \[2, 4\]"):
        soft_target_cross_entropy(torch.zeros(2, 5), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="must be alike"):
        soft_target_cross_entropy(torch.zeros(2, 5), torch.zeros(2))
    with pytest.raises(ValueError, match="NaN"):
        soft_target_cross_entropy(torch.zeros(2, 5), torch.full((2, 5), torch.nan))
