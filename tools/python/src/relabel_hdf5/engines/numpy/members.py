"""Members of the objects of `index.json`, in the forms that the specification gives them (section 11.2)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...errors import RelabelError, violation
from .checks.canonical import is_number, is_whole

_MOST = 1 << 40
"""More rows or bytes than any dataset has, and few enough for sums of them."""
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class IndexMembers:
    """Typed access to the members of a JSON object; raises M003."""

    def __init__(self, json: Any, owner: str) -> None:
        self._json = json if isinstance(json, dict) else {}
        self._owner = owner

    def value(self, name: str) -> Any:
        """Any value that is there, null included."""
        if name not in self._json:
            raise self._missing(name, "which every one has")
        return self._json[name]

    def get(self, name: str, kind: type, what: str) -> Any:
        """A value of one of JSON's types."""
        if not isinstance(self._json.get(name), kind):
            raise self._missing(name, what)
        return self._json[name]

    def text(self, name: str) -> str:
        """A string."""
        return str(self.get(name, str, "a string"))

    def text_or_null(self, name: str) -> str | None:
        """A string, or None for null."""
        return None if self.value(name) is None else self.text(name)

    def words(self, name: str) -> str:
        """A string that says something."""
        text = self.text(name)
        if not text:
            raise violation("M003", f"'{name}' of {self._owner} is an empty string")
        return text

    def digest(self, name: str) -> str:
        """A SHA-256 as 64 lower-case digits."""
        text = self.text(name)
        if not _DIGEST.fullmatch(text):
            raise violation("M003", f"'{name}' of {self._owner} is '{text}', not 64 hexadecimal digits")
        return text

    def digest_or_null(self, name: str) -> str | None:
        """A digest, or None for null."""
        return None if self.value(name) is None else self.digest(name)

    def number(self, name: str) -> float:
        """Any number."""
        value: Any = self._json.get(name)
        if not is_number(value):
            raise self._missing(name, "a number")
        return float(value)

    def score(self, name: str) -> float:
        """A number that float32 holds."""
        with np.errstate(over="ignore"):
            value = np.float32(self.number(name))
        if not np.isfinite(value):
            what = f"'{name}' of {self._owner} is not a score: it is out of the range of float32"
            raise violation("M003", what)
        return float(value)

    def count(self, name: str) -> int:
        """A whole number that counts something."""
        value: Any = self._json.get(name)
        if not is_whole(value) or not 0 <= value <= _MOST:
            raise self._missing(name, "a whole number of at least 0")
        return int(value)

    def _missing(self, name: str, what: str) -> RelabelError:
        return violation("M003", f"{self._owner} lacks '{name}', {what}")
