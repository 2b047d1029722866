"""Mixing pictures and soft targets (spec sections 13.6 and 13.7).

torchvision's v2.MixUp and v2.CutMix take soft targets [B, C] as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..errors import UsageError
from ..versions import demand


class SoftMixup:
    """timm's `Mixup` for soft targets: same arguments, same random numbers, same pictures.

    Called with images [B, ...] (B even, mixed in place) and targets [B, num_classes], it returns both mixed:
    target i becomes λ·target_i + (1 − λ)·target_(B−1−i), with timm's λ. With `label_smoothing` s a target
    first becomes (1 − s)·target + s / num_classes. The default is 0, since timm's 0.1 is meant for one-hot
    targets. Needs timm: `pip install relabel-hdf5[timm]`.
    """

    def __init__(
        self,
        mixup_alpha: float = 1.0,
        cutmix_alpha: float = 0.0,
        cutmix_minmax: tuple[float, float] | None = None,
        prob: float = 1.0,
        switch_prob: float = 0.5,
        mode: str = "batch",
        correct_lam: bool = True,
        label_smoothing: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        try:
            from timm.data import mixup
        except ImportError as error:
            raise ImportError("SoftMixup needs timm: pip install relabel-hdf5[timm]") from error
        demand("torch", "timm")
        self.label_smoothing = label_smoothing
        self.num_classes = num_classes
        timms: Any = mixup.Mixup  # has no types
        self._mixup = timms(
            mixup_alpha, cutmix_alpha, cutmix_minmax, prob, switch_prob, mode, correct_lam, label_smoothing=0
        )

    @property
    def mixup_enabled(self) -> bool:
        """Whether anything is mixed; training loops switch this off for the last epochs."""
        return bool(self._mixup.mixup_enabled)

    @mixup_enabled.setter
    def mixup_enabled(self, enabled: bool) -> None:
        self._mixup.mixup_enabled = enabled

    def __call__(self, images: Any, targets: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """The mixed images and targets; raises `UsageError` for targets that are not [B, num_classes]."""
        count = len(images)
        if targets.shape != (count, self.num_classes):
            wanted = [count, self.num_classes]
            raise UsageError(f"soft targets are {wanted} here, not {list(targets.shape)}")
        if count % 2:
            raise UsageError(f"a batch of {count}: pictures are mixed in pairs, their number must be even")
        # Image i gets the label i: what timm makes of these labels says with which shares it mixed.
        self._mixup.num_classes = count
        with _plain_floats():
            images, shares = self._mixup(images, torch.arange(count, device=targets.device))
        own, other = shares.diagonal()[:, None], shares.flip(1).diagonal()[:, None]
        own, other = own.to(targets.dtype), other.to(targets.dtype)
        smooth = targets * (1 - self.label_smoothing) + self.label_smoothing / self.num_classes
        return images, smooth * own + smooth.flip(0) * other


@contextmanager
def _plain_floats() -> Iterator[None]:
    """Lets timm write shares in float32: it takes torch's default, in which a half would round them."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(default)


def mix_targets(
    pooled: torch.Tensor, label: torch.Tensor, alpha: float, smoothing: float = 0.0
) -> torch.Tensor:
    """alpha × pooled target + (1 − alpha) × smoothed one-hot of the image's label (spec section 13.7).

        >>> import torch
        >>> from relabel_hdf5.train import mix_targets
        >>> mix_targets(torch.tensor([[0.5, 0.5]]), torch.tensor([1]), alpha=0.5)
        tensor([[0.2500, 0.7500]])

    `pooled` is [B, C], `label` int64 [B]. `alpha` and `smoothing` are from 0 to 1.
    """
    if pooled.ndim != 2 or label.shape != pooled.shape[:1]:
        shapes = f"{list(pooled.shape)} and {list(label.shape)}"
        raise UsageError(f"targets [B, C] and labels [B] are needed, not {shapes}")
    if not (0 <= alpha <= 1 and 0 <= smoothing <= 1):
        raise UsageError(f"alpha = {alpha}, smoothing = {smoothing}: both are from 0 to 1")
    one_hot = torch.nn.functional.one_hot(label, pooled.shape[1]).to(pooled.dtype)
    return alpha * pooled + (1 - alpha) * (one_hot * (1 - smoothing) + smoothing / pooled.shape[1])
