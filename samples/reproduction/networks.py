"""Students in two families and three sizes, and the annotator: small pooled CNNs for 32×32 pixels."""

from __future__ import annotations

import torch
from torch import nn

CONFIG = {
    "input_size": (3, 32, 32), "mean": (0.25,) * 3, "std": (0.25,) * 3, "interpolation": "bilinear", "crop_pct": 1.0,
}  # fmt: skip
"""What pictures are made of before a network sees them, in timm's words."""


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, width, out, stride=1, dilation=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, out, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, dilation, dilation, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        same = stride == 1 and width == out
        self.shortcut = nn.Identity() if same else nn.Conv2d(width, out, 1, stride, bias=False)

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class Tokens(nn.Module):
    """A small vision transformer: patches of 4×4 pixels, each of which sees all others; it says what it sees of their mean.

    Where a patch lies it learns from its neighbours (a depthwise convolution), so that it takes pictures of any size.
    """

    def __init__(self, width, depth, classes):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.place = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(width, width // 32, 3 * width, 0, "gelu", batch_first=True, norm_first=True)
            for _ in range(depth)
        ))  # fmt: skip
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward_features(self, x):
        cells = self.patches(x)
        cells = cells + self.place(cells)
        tokens = self.norm(self.blocks(cells.flatten(2).mT))
        return tokens.mT.unflatten(2, cells.shape[2:])

    def forward_head(self, cells):
        return self.head(cells.mean((2, 3)))

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


def _pooled(layers, width, classes):
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
    network.pretrained_cfg = CONFIG
    return network


def _plain(width, classes):
    layers, before = [], 3
    for out in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(before, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        layers += [nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        before = out
    return _pooled(layers, before, classes)


def _residual(width, classes):
    stem = [nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return _pooled(
        [*stem, Residual(width, 2 * width, 2), Residual(2 * width, 4 * width, 2)], 4 * width, classes
    )


STUDENTS = {
    "residual-8": lambda classes: _residual(8, classes),
    "residual-16": lambda classes: _residual(16, classes),
    "residual-32": lambda classes: _residual(32, classes),
    "plain-16": lambda classes: _plain(16, classes),
}


def annotator(classes=10, stride=4):
    """Sees 8×8 cells of a garment, and 16×16 of a scene; with a stride of 8 half as many along each axis."""
    last = 2 if stride == 8 else 1
    layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), Residual(32, 64, 2)]
    return _pooled([*layers, Residual(64, 96, last, 1), Residual(96, 96, 1, 2)], 96, classes)


def trained_annotator():
    """The annotator whose weights `relabel-annotate --weights` loads."""
    return annotator()


def coarse_annotator():
    """The annotator of half as many cells."""
    return annotator(stride=8)


def hundred_annotator():
    """The annotator of a hundred classes."""
    return annotator(classes=100)


def token_annotator():
    """The network of tokens, of a hundred classes."""
    network = Tokens(64, 3, 100)
    network.pretrained_cfg = CONFIG
    return network


ANNOTATORS = {"coarse": coarse_annotator, "hundred": hundred_annotator, "tokens": token_annotator}
"""What makes the annotator of a name; of all others, `trained_annotator`."""
