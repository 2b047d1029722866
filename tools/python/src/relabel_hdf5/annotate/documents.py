"""The annotator document: everything that a label's meaning depends on (spec, section 10.3)."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from ..versions import VERSION
from .annotator import Annotator
from .checks import Checks
from .pictures import Listing


def document(annotator: Annotator, checks: Checks, batch_size: int, listing: Listing, centre: bool) -> dict[str, Any]:
    """What the shards say of the network, its preprocessing, its pictures, and what was proven and measured."""
    height, width = annotator.grid
    found: dict[str, Any] = {
        "name": annotator.name,
        "architecture": type(annotator.classifier.module).__name__,
        "taken_apart_by": annotator.parts.how,
        "weights": annotator.classifier.weights,
        "weights_sha256": annotator.classifier.weights_sha256,
        "library": _libraries(),
        **annotator.preprocessing.described(),
        "native_input_size": list(annotator.native_size),
        "dilated_stages": annotator.dilations,
        "grid": {"height": height, "width": width, "covers": _covered(annotator)},
        "flip_average": annotator.flip_average,
        "precision": annotator.precision,
        "logits": "less the mean of the classes that their cell leaves out" if centre else "as the network gives them",
        "device": annotator.device.type,
        "batch_size": batch_size,
        "listing": {"pictures": len(listing), "sha256": listing.sha256},
        "checks": checks.described(),
    }
    return found


def same_but_measured(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The members in which two documents differ, what was measured left aside."""
    names = sorted({*one, *other} - {"checks"})
    return [name for name in names if one.get(name) != other.get(name)]


def _covered(annotator: Annotator) -> str:
    return {
        "squash": "the whole picture",
        "crop": "the centre of the picture (map_extent)",
        "fit": "the whole picture; cells of the padded input are resampled to it",
    }[annotator.preprocessing.resize]


def _libraries() -> dict[str, str]:
    found = {"relabel-hdf5": VERSION}
    for name in ("torch", "timm", "torchvision", "pillow", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
