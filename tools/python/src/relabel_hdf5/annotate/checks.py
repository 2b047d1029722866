"""What is proven and measured before the first picture is annotated."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import torch

from ..errors import UsageError
from . import fidelity, orientation, relations, zero
from .annotator import Annotator
from .labels import SourceLabels
from .pictures import Listing, Picture, load_picture, sample

_FIRST = 4  # pictures that parts, orientation and precision are tried on


@dataclasses.dataclass(frozen=True)
class Checks:
    """The findings; the annotator document keeps them."""

    relation: relations.Relation | None
    proof: orientation.Proof | None
    precision: relations.PrecisionError | None
    zero: zero.Zero | None
    fidelity: fidelity.Fidelity | None

    @classmethod
    def none(cls) -> Checks:
        """No findings."""
        return cls(None, None, None, None, None)

    def described(self) -> dict[str, Any]:
        """The members of the annotator document."""
        named = {
            "relation_to_answer": self.relation, "orientation": self.proof, "precision_error": self.precision,
            "zero": self.zero,
        }  # fmt: skip
        found = {name: value.described() for name, value in named.items() if value is not None}
        if self.fidelity is not None:
            found["fidelity"] = self.fidelity.described()
        return found


def check(
    annotator: Annotator,
    listing: Listing,
    labels: SourceLabels,
    *,
    form: fidelity.Form,
    count: int,
    say: Callable[[str], None],
) -> Checks:
    """Proves and measures on `count` pictures of the listing (0: no fidelity), which are the same in every run.

    Raises `UsageError` or `InvalidDataError` where the maps would not mean what the file says.
    """
    places = sample(listing, max(2 * max(count, _FIRST), 16))
    good: list[Picture] = []
    for place in places:
        found = load_picture(listing, place, annotator.preprocessing)
        if isinstance(found, Picture):
            good.append(found)
        if len(good) == max(count, _FIRST):
            break
    if not good:
        raise UsageError(f"none of {len(places)} pictures can be read", file=listing.root)
    first = good[:_FIRST]
    keys = [listing.key(picture.place) for picture in first]
    pixels = torch.stack([picture.pixels for picture in first])
    relation = relations.relate(annotator, pixels, keys)
    say(str(relation))
    narrower = relations.precision_error(annotator, pixels, keys)
    if narrower is not None:
        say(str(narrower))
    # Factors leave no class out.
    fit = None if form.has_factors else zero.measure(annotator, pixels, form.top_k, form.centre)
    if fit is not None:
        say(str(fit))
    proof = orientation.prove(annotator, pixels)
    say(str(proof))
    if not count:
        return Checks(relation, proof, narrower, fit, None)
    chosen = []
    for picture in good[:count]:
        with open(os.path.join(listing.root, listing.paths[picture.place]), "rb") as file:
            chosen.append((listing.key(picture.place), file.read(), labels.label(picture.place)))
    measured = fidelity.measure(annotator, chosen, form)
    say(str(measured))
    return Checks(relation, proof, narrower, fit, measured)
