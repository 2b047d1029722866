"""Maps of the pictures alone, where `fit` has padded the inputs around them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shown(scores: Tensor, inner: Sequence[Sequence[float]]) -> Tensor:
    """Maps [B, C, H, W] of the pictures, of maps of inputs that the pictures take the parts `inner` of.

    Cells of the picture are resampled to the grid, bilinearly as RoIAlign does with one sample a cell.
    """
    if all(tuple(box) == (0.0, 0.0, 1.0, 1.0) for box in inner):
        return scores
    height, width = scores.shape[2:]
    places = torch.tensor(inner, dtype=torch.float64)
    rows = places[:, :1] + (torch.arange(height, dtype=torch.float64) + 0.5) / height * places[:, 2:3]
    columns = places[:, 1:2] + (torch.arange(width, dtype=torch.float64) + 0.5) / width * places[:, 3:]
    # Not nearer to the picture's border than half a cell: beyond it cells see what was padded.
    rows = _inside(rows, places[:, :1], places[:, 2:3], height)
    columns = _inside(columns, places[:, 1:2], places[:, 3:], width)
    grid = torch.stack([columns[:, None, :].expand(-1, height, -1), rows[:, :, None].expand(-1, -1, width)], -1)
    return torch.nn.functional.grid_sample(
        scores, (grid * 2 - 1).to(scores), mode="bilinear", padding_mode="border", align_corners=False
    )


def _inside(places: Tensor, start: Tensor, length: Tensor, cells: int) -> Tensor:
    """Places [B, n] moved into the middle of a part where they are nearer to its ends than half a cell."""
    margin = torch.minimum(torch.full_like(length, 0.5 / cells), length / 2)
    return torch.minimum(torch.maximum(places, start + margin), start + length - margin)
