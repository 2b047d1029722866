"""More cells of the same network: its last strided stages at stride 1, what follows them dilated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError

_KNOWN = {"Conv2d", "Conv2dSame", "Conv2dStaticSamePadding", "Conv2dDynamicSamePadding"}
"""Convolutions that only differ in how they pad, which at stride 1 is the same for all of them."""


def dilate(model: nn.Module, example: Tensor, times: int) -> None:
    """Sets the last `times` strided stages of `model` to stride 1 and dilates the convolutions behind them, in place.

    Weights stay what they are, and are shared; as torchvision's `replace_stride_with_dilation`, the strided
    convolution itself keeps its dilation. Raises `UsageError` where a stage is strided by something else than a
    convolution, whose stride nobody can take away from outside.
    """
    for _ in range(times):
        _dilate_last(model, example)


def _dilate_last(model: nn.Module, example: Tensor) -> None:
    calls = _calls(model, example)
    strided = [
        place for place, (_, _, before, after) in enumerate(calls) if after[0] < before[0] or after[1] < before[1]
    ]
    if not strided:
        raise UsageError(f"{type(model).__name__} has no strided convolution to dilate")
    # A shortcut beside the last strided convolution goes down from the same grid.
    _, _, before, after = calls[strided[-1]]
    stage = [place for place in strided if calls[place][2:] == (before, after)]
    for place, (name, module, _, shape) in enumerate(calls):
        if place in stage:
            _replace(model, name, module, strided=True)
        elif place > stage[0] and shape == after:
            _replace(model, name, module, strided=False)


def _calls(model: nn.Module, example: Tensor) -> list[tuple[str, Any, tuple[int, int], tuple[int, int]]]:
    """Convolutions and poolings in the order in which they run: name, module, grid before and after."""
    found: list[tuple[str, Any, tuple[int, int], tuple[int, int]]] = []
    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) or "Pool" in type(module).__name__:

            def note(module: nn.Module, inputs: Any, output: Any, name: str = name) -> None:
                given = inputs[0]
                if not (isinstance(given, Tensor) and isinstance(output, Tensor) and given.ndim == output.ndim == 4):
                    return
                before, after = _grid(given), _grid(output)
                if after != (1, 1):  # global pooling, and squeeze-and-excitation behind it
                    found.append((name, module, before, after))

            hooks.append(module.register_forward_hook(note))
    try:
        with torch.inference_mode():
            model(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _grid(features: Tensor) -> tuple[int, int]:
    return int(features.shape[-2]), int(features.shape[-1])


def _replace(model: nn.Module, name: str, module: Any, strided: bool) -> None:
    if not isinstance(module, nn.Conv2d):
        if strided:
            raise UsageError(
                f"{type(model).__name__}: {name} ({type(module).__name__}) makes the grid smaller, and only strided "
                "convolutions can be dilated: choose a larger input size instead"
            )
        return
    if not strided and max(module.kernel_size) == 1:
        return
    if type(module).__name__ not in _KNOWN or module.padding_mode != "zeros":
        raise UsageError(
            f"{type(model).__name__}: {name} is a {type(module).__name__}, whose dilated form is not known: choose a "
            "larger input size instead"
        )
    down, right = module.dilation
    dilated = nn.Conv2d(
        module.in_channels, module.out_channels, (module.kernel_size[0], module.kernel_size[1]), stride=1, padding="same",
        dilation=(down, right) if strided else (2 * down, 2 * right),
        groups=module.groups, bias=module.bias is not None, device="meta",
    )  # fmt: skip
    dilated.weight, dilated.bias = module.weight, module.bias
    dilated.train(module.training)
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, dilated)
