"""Handlers of the user's, which foretell where a transform will put the picture."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ..errors import UsageError
from .placements import Moved, Size, size_of
from .view import Placement

Handler = Callable[[Any, Size], Placement]
"""From a transform and the size (height, width) of its input to what its output shows."""


class Foretold:
    """Asks a handler, puts the random numbers back that it drew, and lets the transform draw the same.

    It is asked twice: where the answers differ, it draws from a generator that nobody here knows of, and the
    transform would draw other numbers.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, transform: Any, picture: Any) -> Moved:
        size = size_of(picture)
        with rewound():
            placement = self._handler(transform, size)
        with rewound():
            again = self._handler(transform, size)
        if not isinstance(placement, Placement):
            kind = type(placement).__name__
            raise UsageError(f"the handler of {type(transform).__name__} gave a {kind}: it returns a Placement")
        if again != placement:
            raise UsageError(
                f"the handler of {type(transform).__name__} was asked twice and answered differently: it draws from a "
                "generator that with_box can't put back, so the transform will draw other numbers. Python's, NumPy's "
                "and torch's global generators are put back; let the handler do that for others"
            )
        return transform(picture), placement


@contextmanager
def rewound() -> Iterator[None]:
    """Puts the global generators of Python, NumPy and torch back to where they were, on torch's device too."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    device = _device_generator()
    on_device = device.get_rng_state() if device else None
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if device:
            device.set_rng_state(on_device)


def _device_generator() -> Any:
    """The module of the device that torch makes tensors on, which has a generator; None for the CPU."""
    kind = torch.get_default_device().type
    if kind in ("cpu", "meta"):  # no number is drawn on meta
        return None
    module = getattr(torch, kind, None)
    if not hasattr(module, "get_rng_state") or not hasattr(module, "set_rng_state"):
        raise UsageError(
            f"torch makes tensors on {kind}, whose generator can't be put back after a handler: transform pictures "
            "with torch.set_default_device('cpu')"
        )
    return module
