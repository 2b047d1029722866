"""Image-level labels as lists of classes: those whose probability reaches a threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import losses
from ..options import Options
from ..source import Block, Source
from .base import Job

TAKES = frozenset({"rule", "threshold"})


@dataclass(frozen=True)
class Listed:
    """The labels of one image."""

    key: str
    label: int | None
    """The class that the source gives, or None."""
    ids: npt.NDArray[np.int64]
    """Classes whose probability reaches the threshold, ascending."""
    probabilities: npt.NDArray[np.float32]
    """Their probabilities."""


def image_bytes(source: Source) -> int:
    """The memory that the probabilities of one image take."""
    return source.header.num_classes * 32


def listed(job: Job) -> Iterator[list[Listed]]:
    """The labels of all images in the order of the listing, block by block."""
    rule, threshold = job.options.rule, np.float32(job.options.threshold)
    empty = 0
    for block in job.blocks(image_bytes(job.source)):
        found = []
        for key, label, probabilities in zip(block.keys, given(block), block.targets(rule)):
            ids = np.flatnonzero(probabilities >= threshold)
            empty += not len(ids)
            found.append(Listed(key, label, ids, probabilities[ids]))
        yield found
    if empty:
        job.losses.append(
            f"in {empty:,} of {len(job.source):,} images no class reaches {threshold:g}: their lists are empty"
        )


def given(block: Block) -> list[int | None]:
    """The classes that the source gives to a block of images, None where there is none."""
    if block.labels is None:
        return [None] * len(block)
    return [label if label >= 0 else None for label in block.labels.tolist()]


def lost(source: Source, options: Options, *, without: tuple[str, ...] = (), has_names: bool = False) -> list[str]:
    """What lists say nothing of; a sentence each."""
    least = f"classes whose probability is below {options.threshold:g} (rule {options.rule})"
    return [*losses.of_labels(source, has_names=has_names), least, *losses.of_columns(source, without=without)]
