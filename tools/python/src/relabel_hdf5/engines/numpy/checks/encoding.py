"""How scores are stored (spec, section 6.1)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ....layout import SCORE_FORMS
from .container import Description

_HIGHEST = float(np.finfo(np.float32).max)


class Encoding(NamedTuple):
    """A score encoding: decoded = stored × step + offset, where there is a step."""

    name: str
    step: float | None
    offset: float | None

    @property
    def type(self) -> str:
        """The type of the elements of `score`."""
        return SCORE_FORMS[self.name].type


def check_encoding(scores: Description) -> Encoding:
    """The encoding that the attributes of `score` declare; raises L009 or L010."""
    attributes = scores.attributes.under("L010")
    name = attributes.word("encoding", tuple(SCORE_FORMS))
    form = SCORE_FORMS[name]
    _check_fill(scores, form.highest_stored is not None)
    largest_error = _largest_error(scores)
    if form.highest_stored is None:
        if "scale_factor" in attributes or "add_offset" in attributes:
            raise attributes.fault(f"{name} scores have no 'scale_factor' or 'add_offset'")
        if form.type == "float32" and largest_error:
            raise attributes.fault(f"attribute 'largest_error' is {largest_error}, but {name} loses nothing")
        return Encoding(name, None, None)
    step, offset = (attributes.numbers(which, "float32")[0] for which in ("scale_factor", "add_offset"))
    if not (step > 0 and math.isfinite(step) and math.frexp(step)[0] == 0.5):
        raise attributes.fault(f"attribute 'scale_factor' is {step}, not a power of two")
    # Within 2^23 steps of 0, so that every sum is exact in float32.
    if not (math.isfinite(offset) and (offset / step).is_integer() and abs(offset / step) <= 2**23):
        raise attributes.fault(f"attribute 'add_offset' is {offset}, not a multiple of the step {step}")
    highest = form.highest_stored * step + offset
    if highest > _HIGHEST:
        raise attributes.fault(f"the highest score at step {step} from {offset} is not finite")
    if largest_error is not None and largest_error > step / 2:
        what = f"attribute 'largest_error' is {largest_error}, more than half a step of {step}"
        raise attributes.fault(what)
    return Encoding(name, step, offset)


def _check_fill(scores: Description, is_packed: bool) -> None:
    """`_FillValue` stands on packed scores and nowhere else."""
    attributes, form = scores.attributes.under("L009"), scores.element
    attribute = attributes.get("_FillValue")
    if not is_packed:
        if attribute is not None:
            raise attributes.fault("float scores have no '_FillValue'")
        return
    ones = 2 ** (8 * form.size) - 1
    if not attribute or attribute[:2] != (form, ()) or attribute.value.item() != ones:
        raise attributes.fault(f"attribute '_FillValue' is not one {form} of all ones")


def _largest_error(scores: Description) -> float | None:
    """What the writer noted, or None."""
    attributes = scores.attributes.under("L010")
    if "largest_error" not in attributes:
        return None
    value = float(attributes.numbers("largest_error", "float64")[0])
    if not (value >= 0 and math.isfinite(value)):
        raise attributes.fault(f"attribute 'largest_error' is {value}, not a number of at least 0")
    return value
