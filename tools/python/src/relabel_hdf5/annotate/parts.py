"""A classifier in two parts, what it sees and what it says of it, so that it answers for every cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import UsageError
from . import tracing

Layout = Literal["NCHW", "NHWC", "tokens"]

HINT = (
    "pass features= (pictures [B, 3, h, w] to cells [B, D, H, W]) and head= (features of a picture, of any grid, to "
    "its scores [B, C])"
)


@dataclass(frozen=True)
class Parts:
    """A classifier as `head(features(input))`."""

    features: Callable[[Tensor], Tensor]
    """Inputs [B, 3, h, w] to what the head takes."""
    head: Callable[[Tensor], Tensor]
    """Features of any grid to the scores [B, C]: pooling, and all that follows it."""
    layout: Layout
    """Axes of the features: [B, D, H, W], [B, H, W, D], or [B, prefix + H·W, D]."""
    how: str
    """How the classifier was taken apart, in words."""
    prefix: int = 0
    """Tokens before those of the cells."""
    grid: Callable[[int, int], tuple[int, int]] | None = None
    """The grid of tokens for the height and width of an input."""

    def answer(self, inputs: Tensor) -> Tensor:
        """What the parts say of whole pictures: scores [B, C]."""
        return self.head(self.features(inputs))

    def cells(self, inputs: Tensor) -> Tensor:
        """Features of each cell [B, H, W, D]."""
        found = self.features(inputs)
        if self.layout == "NCHW":
            self._check(found, 4)
            return found.permute(0, 2, 3, 1)
        if self.layout == "NHWC":
            self._check(found, 4)
            return found
        self._check(found, 3)
        assert self.grid is not None
        height, width = self.grid(*inputs.shape[-2:])
        if found.shape[1] != self.prefix + height * width:
            raise UsageError(
                f"the network has {found.shape[1]} tokens, and {self.prefix} + {height}·{width} were expected: {HINT}"
            )
        return found[:, self.prefix :].reshape(len(found), height, width, -1)

    def scores(self, cells: Tensor) -> Tensor:
        """Scores [B, H, W, C] of cells [B, H, W, D]: each goes through the head as if it were a whole picture."""
        rows = cells.reshape(-1, cells.shape[-1])
        if self.layout == "NCHW":
            found = self.head(rows[:, :, None, None])
        elif self.layout == "NHWC":
            found = self.head(rows[:, None, None, :])
        else:
            # Whichever token the head looks at, or all of them: it sees this cell.
            found = self.head(rows[:, None, :].expand(-1, self.prefix + 1, -1))
        return found.reshape(*cells.shape[:-1], -1)

    def _check(self, found: Any, axes: int) -> None:
        if not isinstance(found, Tensor) or found.ndim != axes:
            shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise UsageError(f"the features are {shape}, not {axes} axes of {self.layout}: {HINT}")


def take_apart(
    model: nn.Module,
    example: Tensor,
    features: Callable[[Tensor], Tensor] | None = None,
    head: Callable[[Tensor], Tensor] | None = None,
) -> Parts:
    """The parts of a classifier, by the first way that fits: the caller's, timm's, torchvision's ViT, its graph.

    `example` is an input [B, 3, h, w]. Raises `UsageError` for a network that can't be taken apart.
    """
    if (features is None) != (head is None):
        raise UsageError("features= and head= are given together")
    if features is not None and head is not None:
        return _laid_out(features, head, model, example, "by the caller")
    own: list[Any] = [getattr(model, name, None) for name in ("forward_features", "forward_head")]
    if all(map(callable, own)):
        return _laid_out(own[0], own[1], model, example, "forward_features, forward_head")
    if all(hasattr(model, name) for name in ("_process_input", "class_token", "encoder", "heads")):
        return _vision_transformer(model)
    return _traced(model, example)


def _laid_out(
    features: Callable[[Tensor], Tensor], head: Callable[[Tensor], Tensor], model: nn.Module, example: Tensor, how: str
) -> Parts:
    """The parts with the layout that the features have."""
    with torch.inference_mode():
        found = features(example)
    if not isinstance(found, Tensor) or found.ndim not in (3, 4):
        shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UsageError(f"{_name(model)}: its features are {shape}, so no map of cells: {HINT}")
    if found.ndim == 3:
        return Parts(features, head, "tokens", how, *_tokens(model, found, example))
    width = getattr(model, "num_features", None)
    is_last = getattr(model, "output_fmt", None) == "NHWC" or (
        isinstance(width, int) and found.shape[-1] == width and found.shape[1] != width
    )
    return Parts(features, head, "NHWC" if is_last else "NCHW", how)


def _tokens(model: nn.Module, found: Tensor, example: Tensor) -> tuple[int, Callable[[int, int], tuple[int, int]]]:
    """How many tokens come before the cells', and the grid of the rest."""
    prefix = getattr(model, "num_prefix_tokens", 0)
    embedding = getattr(model, "patch_embed", None) or getattr(model, "stem", None)
    size = getattr(embedding, "patch_size", None)
    if size is None:
        # What shapes tell: a grid as wide for its height as the input.
        height, width = example.shape[-2:]
        cells = found.shape[1] - prefix
        step = (height * width / max(cells, 1)) ** 0.5
        size = (round(step), round(step))
    down, right = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))

    def grid(height: int, width: int) -> tuple[int, int]:
        return height // down, width // right

    rows, columns = grid(*example.shape[-2:])
    if found.shape[1] != prefix + rows * columns:
        raise UsageError(
            f"{_name(model)}: {found.shape[1]} tokens are no grid of {rows}×{columns} cells behind {prefix}: {HINT}"
        )
    return prefix, grid


def _vision_transformer(model: Any) -> Parts:
    """torchvision's ViT: what its `forward` does, without the choice of the class token."""

    def features(inputs: Tensor) -> Tensor:
        tokens = model._process_input(inputs)
        encoded: Tensor = model.encoder(torch.cat([model.class_token.expand(len(tokens), -1, -1), tokens], 1))
        return encoded

    def head(tokens: Tensor) -> Tensor:
        scores: Tensor = model.heads(tokens[:, 0])
        return scores

    patch = int(model.patch_size)
    return Parts(
        features,
        head,
        "tokens",
        "torchvision's VisionTransformer",
        1,
        lambda height, width: (height // patch, width // patch),
    )


def _traced(model: nn.Module, example: Tensor) -> Parts:
    try:
        split = tracing.split_at_pooling(model, example)
    except tracing.NotTraced as error:
        raise UsageError(f"{_name(model)} can't be taken apart: {error}. {HINT[0].upper()}{HINT[1:]}") from error
    return Parts(split.features, split.head, split.layout, f"its graph, cut before {split.pooling}")


def _name(model: nn.Module) -> str:
    return type(model).__name__
