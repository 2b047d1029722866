"""What a map has to do with the network's own answer, and what precision costs: measured before anything is annotated."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ..errors import UsageError
from .annotator import Annotator, finite
from .findings import Finding, rounded

TOLERANCE = 2e-5
"""How far equal scores may lie apart in float32, as a share of the largest."""


@dataclasses.dataclass(frozen=True)
class Relation(Finding):
    """How the mean of a map's cells and the network's answer relate on some pictures."""

    is_mean: bool
    """Whether the mean over cells is the answer: the head is linear."""
    deviation: float
    """The largest difference between mean and answer, in scores."""
    same_top: float
    """The share of pictures whose mean has the answer's top class."""
    largest: float
    """The largest score of the answers, in absolute terms."""

    def __str__(self) -> str:
        if self.is_mean:
            return f"the mean of the cells is the network's answer (within {self.deviation:.1e})"
        return (
            f"the head is not linear: the mean of the cells is up to {self.deviation:.3g} from the network's answer "
            f"(scores up to {self.largest:.3g}), with the same top class in {self.same_top:.0%} of pictures"
        )


@dataclasses.dataclass(frozen=True)
class PrecisionError(Finding):
    """How far scores in a narrower precision are from float32."""

    precision: str
    largest: float
    """The largest difference of a score."""
    typical: float
    """The root mean square of the differences."""
    other_top: float
    """The share of cells with another top class."""

    def __str__(self) -> str:
        return (
            f"{self.precision} is up to {self.largest:.2g} from float32 in a score, {self.typical:.2g} on average; "
            f"{self.other_top:.2%} of the cells have another top class"
        )


def relate(annotator: Annotator, pictures: Tensor, keys: list[str]) -> Relation:
    """Compares parts with the whole, maps with answers, and a picture alone with its batch.

    Raises `UsageError` where the parts are not the network, or a picture's map depends on its neighbours;
    `InvalidDataError` where a score is not finite.
    """
    with annotator.in_precision("float32"):
        inputs = annotator.inputs(pictures)
        with torch.inference_mode():
            answer = annotator.module(inputs).float()
        scale = TOLERANCE * float(answer.abs().max())
        parts = annotator.answers(inputs, plain=False)
        apart = float((parts - answer).abs().max()) if parts.shape == answer.shape else float("inf")
        if not apart <= 5 * scale:
            raise UsageError(
                f"{annotator.name} was taken apart wrongly: its parts answer {list(parts.shape)}, up to {apart:.3g} "
                f"otherwise than the network itself {list(answer.shape)}. Pass features= and head="
            )
        maps = annotator.maps(pictures)
        finite(maps, keys, "float32")
        _check_alone(annotator, pictures, maps)
    mean = maps.mean((2, 3))
    deviation = float((mean - answer).abs().max())
    same = float((mean.argmax(1) == answer.argmax(1)).float().mean())
    return Relation(deviation <= scale, rounded(deviation), rounded(same), rounded(float(answer.abs().max())))


def precision_error(annotator: Annotator, pictures: Tensor, keys: list[str]) -> PrecisionError | None:
    """What the annotator's precision costs on some pictures; None for float32."""
    if annotator.precision == "float32":
        return None
    found = annotator.maps(pictures)
    finite(found, keys, annotator.precision)
    with annotator.in_precision("float32"):
        exact = annotator.maps(pictures)
    gap = found - exact
    return PrecisionError(
        annotator.precision, rounded(float(gap.abs().max())), rounded(float(gap.pow(2).mean().sqrt())),
        rounded(float((found.argmax(1) != exact.argmax(1)).float().mean())),
    )  # fmt: skip


def _check_alone(annotator: Annotator, pictures: Tensor, maps: Tensor) -> None:
    """Batch statistics, dropout, mixing: whatever lets a neighbour or chance into a picture's labels."""
    if len(pictures) < 2:
        return
    alone = annotator.maps(pictures[:1])
    gap = float((alone - maps[:1]).abs().max())
    if gap > 1e-2 * max(1.0, float(maps[:1].abs().max())):
        raise UsageError(
            f"{annotator.name} gives a picture other scores alone than among others (up to {gap:.3g}): batch statistics "
            "or chance are at work"
        )
