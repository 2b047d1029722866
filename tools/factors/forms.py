"""What may be stored of a map of logits: the best classes of each cell, planes of some classes, low rank, weighted factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import encoder
import numpy as np

KEPT = (1, 3, 5, 10, 20)
QUALITIES = (3e-3, 2e-3, 1e-3, 5e-4, 3e-4, 2e-4, 1e-4, 5e-5, 3e-5, 2e-5, 1e-5)
PLANES, RANKS = (2, 4, 8, 16), (1, 2, 3, 4, 6, 8)
STEP = 1 / 256
"""Of scores, as the packer's default."""


class Stored(NamedTuple):
    """The logits [C, H·W] that a reader gets back, and the arrays that are stored."""

    logits: np.ndarray
    arrays: dict[str, np.ndarray]


Form = Callable[[np.ndarray, encoder.Metric], Stored]


def all_forms(classes: int) -> dict[tuple[str, str], Form]:
    """Every form by its family and its setting; those that would leave no class out are left out themselves."""
    found: dict[tuple[str, str], Form] = {}
    for fill in ("zero", "mean", "mass"):
        for k in filter(lambda k: k < classes, KEPT):
            found[f"best classes of a cell, absent = {fill}", f"top {k}"] = best(k, fill)
    for planes in filter(lambda planes: planes < classes, PLANES):
        found["planes of the best classes", f"{planes} planes"] = low_rank(planes, 0, None)
        for rank in filter(lambda rank: planes + rank <= classes, RANKS[:3]):
            found["planes + rank of the rest", f"{planes} + {rank}"] = low_rank(planes, rank, 5)
    for rank in filter(lambda rank: rank <= classes, RANKS):
        for bits in (5, 8):
            found["rank, unweighted", f"rank {rank}, {bits} bits"] = low_rank(0, rank, bits)
    for quality in QUALITIES:
        found["weighted factors", f"quality {quality:g}"] = weighted(quality)
    return found


def best(k: int, fill: str) -> Form:
    """The k best classes of each cell; absent ones at 0, at the mean of theirs, or at an equal share of their mass."""

    def store(logits: np.ndarray, metric: encoder.Metric) -> Stored:
        ids = np.argsort(-logits, 0, kind="stable")[:k]
        scores = np.round(np.take_along_axis(logits, ids, 0) / STEP) * STEP
        arrays = {"class_index": ids.T.astype("<u2"), "score": (scores.T / STEP).astype("<i2")}
        left = logits.shape[0] - k
        if fill == "mean":
            rest = (logits.sum(0) - np.take_along_axis(logits, ids, 0).sum(0)) / left
        elif fill == "mass":
            highest = logits.max(0)
            total = np.exp(logits - highest).sum(0) - np.exp(np.take_along_axis(logits, ids, 0) - highest).sum(0)
            rest = np.log(np.maximum(total, 1e-30) / left) + highest
        else:
            rest = np.zeros(logits.shape[1])
        if fill != "zero":
            rest = np.round(rest / STEP) * STEP
            arrays["rest"] = (rest / STEP).astype("<i2")
        found = np.repeat(rest[None], len(logits), 0)
        np.put_along_axis(found, ids, scores, 0)
        return Stored(found, arrays)

    return store


def low_rank(planes: int, rank: int, bits: int | None) -> Form:
    """Planes of the most probable classes in steps of 1/16, the mean of the rest a cell, and its singular vectors."""

    def store(logits: np.ndarray, metric: encoder.Metric) -> Stored:
        probabilities = encoder.softmax(logits)
        order = np.argsort(-np.maximum(4 * probabilities.mean(1), probabilities.max(1)), kind="stable")
        chosen, rest = np.sort(order[:planes]), np.sort(order[planes:])
        mean = np.round(logits[rest].mean(0) * 16) / 16
        found = np.repeat(mean[None], len(logits), 0)
        arrays = {"cell_mean": (mean * 16).astype("<i2")}
        if planes:
            found[chosen] = np.round(logits[chosen] * 16) / 16
            arrays |= {"plane_class": chosen.astype("<u2"), "plane_score": (found[chosen] * 16).astype("<i2")}
        if rank:
            left, strengths, right = np.linalg.svd(logits[rest] - mean, full_matrices=False)
            vectors = left[:, :rank] * np.sqrt(strengths[:rank]), right[:rank].T * np.sqrt(strengths[:rank])
            for name, vector, depth in zip(("class_factor", "cell_factor"), vectors, (bits, 7)):
                step = np.abs(vector).max(0) / (2 ** (depth - 1) - 1)
                numbers = np.round(vector / step)
                arrays[name] = numbers.T.astype(np.int8)
                arrays[f"{name}_step"] = step.astype("<f4")
            found[rest] += (
                (arrays["class_factor"].T * arrays["class_factor_step"].astype(float))
                @ (arrays["cell_factor"] * arrays["cell_factor_step"].astype(float)[:, None])
            )  # fmt: skip
            padded = np.zeros((rank, len(logits)), np.int8)
            padded[:, : len(rest)] = arrays["class_factor"]
            arrays["class_factor"] = padded
        return Stored(found, arrays)

    return store


def weighted(quality: float) -> Form:
    """Factors whose error is that of crops' targets."""
    settings = encoder.Settings(quality=quality)

    def store(logits: np.ndarray, metric: encoder.Metric) -> Stored:
        factors = encoder.encode(logits, metric, settings)
        return Stored(factors.logits(), padded(factors, settings.rank))

    return store


def padded(factors: encoder.Factors, rank: int) -> dict[str, np.ndarray]:
    """The arrays of a row, with zeros for the pairs that the map does not need."""
    arrays = {
        "class_factor": factors.over_classes,
        "cell_factor": factors.over_cells,
        "factor_exponent": factors.exponent,
    }
    return {
        name: np.concatenate([array, np.zeros((rank - len(array), *array.shape[1:]), array.dtype)])
        for name, array in arrays.items()
    }
