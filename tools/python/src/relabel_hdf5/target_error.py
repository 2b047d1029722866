"""How far targets of maps of factors are from those of all scores, as shards state it (spec, section 4.11)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import violation
from .layout import CLASS_FACTOR, TARGET_ERROR


@dataclass(frozen=True)
class TargetError:
    """Figures of random crops: targets out of what is stored, against those of the scores of all classes."""

    images: int
    """Images that were measured."""
    crops: int
    """Crops of them, in all."""
    mean_kl: float
    """The mean divergence of a crop in nats, KL(all scores ‖ stored)."""
    half_l1: float
    """The mean over crops of half the sum of all probabilities' changes, 0 to 1."""
    other_top1: float
    """The share of crops whose most probable class is another."""


def fault(numbers: Sequence[float], rows: int) -> str | None:
    """Why a shard of so many rows can't state these five numbers; None where it can."""
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        return "it is not 5 finite numbers of at least 0"
    images, crops, divergence, distance, other = numbers
    for count in (images, crops, other):
        if count != round(count) or count > 2**53:
            return f"{count} is no count"
    if images > rows:
        return f"{int(images)} images were measured of the {rows} that there are"
    if crops < images or (crops and not images):
        return f"{int(crops)} crops are of {int(images)} images"
    if distance > crops * (1 + 1e-9):
        return f"half L1 is {distance} of {int(crops)} crops"
    if other > crops:
        return f"{int(other)} of {int(crops)} crops have another top class"
    return f"no crop has a divergence of {divergence}" if divergence and not crops else None


def of_shards(paths: Iterable[str]) -> TargetError | None:
    """What the shards say together, opened one after another; None where one of them says nothing.

    Raises a `RelabelError` for numbers that no measurement gives (V034) and for files that can't be read.
    """
    import h5py  # which few need

    sums = [0.0] * 5
    for path in paths:
        try:
            with h5py.File(path) as file:
                stated = file[CLASS_FACTOR].attrs.get(TARGET_ERROR) if CLASS_FACTOR in file else None
                rows = len(file["image_index"])
        except OSError as error:
            raise violation("C001", f"can't be read: {error}", file=path) from None
        if stated is None:
            return None
        numbers = [float(number) for number in stated]
        what = fault(numbers, rows) if len(numbers) == len(sums) else "it is not 5 finite numbers of at least 0"
        if what:
            raise violation("V034", f"attribute '{TARGET_ERROR}': {what}", file=path, dataset=CLASS_FACTOR)
        sums = [sum_ + number for sum_, number in zip(sums, numbers)]
    images, crops, *errors = sums
    return TargetError(int(images), int(crops), *(error / crops if crops else 0.0 for error in errors))
