"""Factors of a map of logits: a few pairs of a vector over classes and a vector over cells, whose products add up to it.

Targets are all that matters of a map, so the error that is kept small is that of pooled logits of random crops, each
class weighted by how much its probability moves there: to second order this is the divergence of the targets.
"""

from __future__ import annotations

import dataclasses

import numpy as np

LARGEST = 127
"""Values are whole numbers of 8 bits."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How factors are made; `quality` is the one that users choose, the lower the nearer and the longer."""

    quality: float = 3e-4
    """What a value may add to the divergence, by its rounding, times 24."""
    rank: int = 8
    """The most pairs."""
    worth: float = 0.03
    """A pair is kept if it takes away more than this, times quality and classes."""
    coarseness: float = 4.0
    """How much coarser vectors over cells are rounded than those over classes: crops average over cells."""
    floor: float = 1e-5
    """What a class weighs that no crop shows."""
    widest: float = 2.0
    """The coarsest step of a class, in logits."""
    own_cells: float = 0.02
    """How much single cells count beside crops, so that maps stay fit to look at and to pool over masks."""


@dataclasses.dataclass(frozen=True)
class Factors:
    """Whole numbers [r, C] and [r, H·W], and the exponent of two [r] that their products are multiplied with."""

    over_classes: np.ndarray
    over_cells: np.ndarray
    exponent: np.ndarray

    def logits(self) -> np.ndarray:
        """The map [C, H·W] that they stand for, up to one number a cell."""
        return np.einsum("rc,rn->cn", self.over_classes * 2.0 ** self.exponent[:, None], self.over_cells)


class Metric:
    """What errors of cells weigh in crops, for all maps of a grid.

    `crops` [H·W, n] are the weights of the cells in each of many crops.
    """

    def __init__(self, crops: np.ndarray, settings: Settings, few: int = 64) -> None:
        cells = len(crops)
        moments = crops @ crops.T / crops.shape[1]
        moments += settings.own_cells * np.trace(moments) / cells * np.eye(cells)
        values, vectors = np.linalg.eigh(moments)
        self.trace = np.trace(moments)
        self.root = vectors * np.sqrt(values)
        self.inverse = (vectors / np.sqrt(values)).T
        self.few = np.concatenate([np.full((cells, 1), 1 / cells), crops[:, : few - 1]], 1)


def encode(logits: np.ndarray, metric: Metric, settings: Settings) -> Factors:
    """Factors of logits [C, H·W]."""
    probabilities = softmax(logits @ metric.few)
    weight = (probabilities * (1 - probabilities)).mean(1) + settings.floor
    # A number that all classes of a cell share changes no target.
    centred = logits - logits.mean(0)
    seen = centred @ metric.root
    _, strengths, right = np.linalg.svd(np.sqrt(weight)[:, None] * seen, full_matrices=False)
    needed = settings.worth * settings.quality * len(logits)
    rank = max(1, int((strengths[: settings.rank] ** 2 > needed).sum()))
    over_cells = right[:rank] @ metric.inverse
    wanted = np.minimum(np.sqrt(settings.quality / weight), settings.widest)
    for last in (False, True):
        over_cells /= np.linalg.norm(over_cells @ metric.root, axis=1)[:, None]
        effect = (weight[:, None] * (seen @ (over_cells @ metric.root).T) ** 2).sum(0)
        cells, cell_steps = rounded_cells(over_cells, effect, metric, settings)
        classes, class_steps = rounded_classes(fitted(seen, (cells * cell_steps) @ metric.root), wanted)
        if not last:
            # The best vectors over cells for what the rounding left of those over classes.
            exact = classes * class_steps[None]
            kept = np.abs(classes).max(0) > 0
            weighted = exact[:, kept].T * weight
            over_cells = solved(weighted @ exact[:, kept], weighted @ centred)
    kept = (np.abs(classes).max(0) > 0) & (np.abs(cells).max(1) > 0)
    kept[0] = True
    exponent = np.log2(class_steps) + np.log2(cell_steps[:, 0])
    return Factors(classes.T[kept].astype(np.int8), cells[kept].astype(np.int8), exponent[kept].astype(np.int8))


def rounded_cells(
    over_cells: np.ndarray, effect: np.ndarray, metric: Metric, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers [r, n] of vectors over cells, and their steps [r, 1], powers of two."""
    steps = power(settings.coarseness * np.sqrt(settings.quality / (np.maximum(effect, 1e-12) * metric.trace)))
    largest = np.abs(over_cells).max(1)
    steps = np.maximum(steps, 2.0 ** np.ceil(np.log2(largest / LARGEST)))
    # A vector that rounds to nothing keeps its largest cell.
    steps = np.minimum(steps, 2.0 ** np.floor(np.log2(largest)))[:, None]
    return np.round(over_cells / steps), steps


def rounded_classes(over_classes: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers [C, r] of vectors over classes, and the steps [r] that these count.

    Classes that matter little are rounded to multiples of a higher power of two: the numbers become few, and short when
    compressed, and a reader need not know.
    """
    largest = np.maximum(np.abs(over_classes).max(0), 1e-9)
    steps = np.maximum(2.0 ** np.ceil(np.log2(largest / LARGEST)), power(wanted.min()))
    own = np.maximum(power(wanted)[:, None], steps[None])
    return np.clip(np.round(over_classes / own) * (own / steps), -LARGEST, LARGEST), steps


def fitted(seen: np.ndarray, over_cells: np.ndarray) -> np.ndarray:
    """The vectors over classes [C, r] that fit best to given ones over cells."""
    return solved(over_cells @ over_cells.T, over_cells @ seen.T).T


def solved(square: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solution of normal equations, with a trace of regularisation."""
    return np.linalg.solve(square + 1e-9 * np.trace(square) * np.eye(len(square)), right)


def power(value: np.ndarray) -> np.ndarray:
    """The nearest power of two."""
    return 2.0 ** np.round(np.log2(value))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the first axis."""
    powers = np.exp(logits - logits.max(0))
    return powers / powers.sum(0)
