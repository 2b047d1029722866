"""Which input size and dilation give the best maps: a few are tried."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import RelabelError
from . import fidelity
from .annotator import Annotator
from .labels import SourceLabels
from .pictures import Listing, sample


@dataclass(frozen=True)
class Trial:
    """One setting and what it gave."""

    input_size: tuple[int, int]
    dilations: int
    grid: tuple[int, int]
    divergence: float
    """Of localised targets from the answer on crops, in nats."""
    same_top: float
    seconds: float
    """For one picture, on this device."""


def tune(
    make: Callable[[tuple[int, int], int], Annotator],
    listing: Listing,
    labels: Callable[[Annotator], SourceLabels],
    *,
    native_size: tuple[int, int],
    top_k: int,
    count: int,
    say: Callable[[str], None],
) -> Trial:
    """Tries one, one and a half and two times the size that the network was trained at, with no and one dilation.

    Prints a row for each, and returns the one whose targets are nearest to the answers on crops.
    """
    say(f"{'input':>11} {'dilated':>8} {'grid':>8} {'divergence':>11} {'same top':>9} {'ms a picture':>13}")
    places = sample(listing, max(1, count))
    found = []
    for share in (1.0, 1.5, 2.0):
        size = (
            (round(native_size[0] * share / 32) * 32, round(native_size[1] * share / 32) * 32)
            if share > 1
            else native_size
        )
        for dilations in (0, 1):
            try:
                trial = _try(make(size, dilations), listing, labels, places, top_k)
            except RelabelError as error:
                say(f"{size[0]:>5}×{size[1]:<5} {dilations:>8}  not possible: {error}")
                continue
            found.append(trial)
            say(
                f"{size[0]:>5}×{size[1]:<5} {dilations:>8} {trial.grid[0]:>4}×{trial.grid[1]:<3} {trial.divergence:>11.3f} "
                f"{trial.same_top:>9.0%} {trial.seconds * 1000:>13.1f}"
            )
    if not found:
        raise RelabelError("none of the settings is possible with this network")
    best = min(found, key=lambda trial: trial.divergence)
    say(f"nearest: --input-size {best.input_size[0]}x{best.input_size[1]} --dilate {best.dilations}")
    return best


def _try(
    annotator: Annotator, listing: Listing, labels: Callable[[Annotator], SourceLabels], places: list[int], top_k: int
) -> Trial:
    known = labels(annotator)
    chosen = []
    for place in places:
        with open(os.path.join(listing.root, listing.paths[place]), "rb") as file:
            chosen.append((listing.key(place), file.read(), known.label(place)))
    measured = fidelity.measure(annotator, chosen, fidelity.Form(top_k))
    return Trial(
        annotator.preprocessing.input_size, annotator.dilations, annotator.grid,
        measured.divergence["localised"][0] or 0.0, measured.same_top["localised"][0] or 0.0, seconds(annotator),
    )  # fmt: skip


def seconds(annotator: Annotator, pictures: int = 8) -> float:
    """How long one picture takes the network, its decoding left aside."""
    import torch

    inputs = torch.zeros(pictures, 3, *annotator.preprocessing.input_size, dtype=torch.uint8)
    list(annotator.parts_of(annotator.inputs(inputs)))
    begin = time.perf_counter()
    for _, scores in annotator.parts_of(annotator.inputs(inputs)):
        scores.amax().item()  # waits for the device
    return (time.perf_counter() - begin) / pictures
