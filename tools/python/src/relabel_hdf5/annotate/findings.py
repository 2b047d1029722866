"""What checks find, as the annotator document keeps it."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check has found."""

    def described(self) -> dict[str, Any]:
        """The members of the annotator document; without what was not measured."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def rounded(value: float) -> float:
    """Three digits: what a measurement says, and the same on machines that differ in the last bits."""
    return float(f"{value:.3g}")


def first_line(error: BaseException) -> str:
    """What an error of somebody else's code says first, or its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
