"""The loss for soft targets."""

from __future__ import annotations

import torch


def soft_target_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of outputs and soft targets [..., C]: summed over classes, averaged over the rest.

        >>> import torch
        >>> from relabel_hdf5.train import soft_target_cross_entropy
        >>> soft_target_cross_entropy(torch.zeros(2, 4), torch.full((2, 4), 0.25))
        tensor(1.3863)

    Equal to torch's `cross_entropy` with probabilities and to timm's `SoftTargetCrossEntropy`. A target that
    sums to less than 1 (`fill = zero`, `dropped_mass="drop"`) weighs its image by that sum. For classes that don't
    exclude each other (`maps.header.classes_are`) the loss is torch's `binary_cross_entropy_with_logits`. Raises
    `ValueError` for other shapes, and for NaN in targets on the CPU; on another device the loss is then NaN.
    """
    if logits.shape != target.shape:
        shapes = f"{list(logits.shape)}, targets {list(target.shape)}"
        raise ValueError(f"outputs are {shapes}: they must be alike")
    if target.device.type == "cpu" and target.isnan().any():
        raise ValueError("a target is NaN")
    return -(target * logits.log_softmax(-1)).sum(-1).mean()
