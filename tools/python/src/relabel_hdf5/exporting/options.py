"""What a user may choose about an export."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from ..errors import UsageError
from .image_labels import DEFAULT_RULE, RULES


@dataclass(frozen=True)
class Options:
    """The options of an export; each target takes some of them."""

    rule: str = DEFAULT_RULE
    """How an image-level label follows from a map: a name of `image_labels.RULES`."""
    threshold: float = 0.1
    """The least probability of a class that is listed."""
    dense: bool = False
    """Whether scores of all classes are written, absent ones filled in as pooling fills them."""
    extension: str = ""
    """What is added to keys where names of picture files are wanted, such as `.JPEG`."""

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise UsageError(f"there is no rule {self.rule!r}: the rules are {', '.join(RULES)}")
        if not (math.isfinite(self.threshold) and 0 < self.threshold <= 1):
            raise UsageError(f"the threshold is {self.threshold}; it is a probability above 0 and up to 1")
        if self.extension and (not self.extension.startswith(".") or not self.extension[1:].isalnum()):
            raise UsageError(f"the extension is {self.extension!r}; it is a dot with letters and digits, such as .JPEG")

    def chosen(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}
