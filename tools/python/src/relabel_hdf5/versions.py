"""The version of this package, and the least versions of others that it works with, as pyproject.toml declares them."""

from __future__ import annotations

import re
import sys

from .errors import UsageError

VERSION = "0.1.0"
"""The version of package, library and programs, which belong together; Swift's `Software.version` is the same."""

LEAST = {
    "numpy": "1.24", "h5py": "3.11", "torch": "2.4", "torchvision": "0.19", "timm": "0.6.13",
    "pyarrow": "16.1", "safetensors": "0.4.1", "matplotlib": "3.7",
}  # fmt: skip
"""Where several would do, the oldest that the tests have passed with."""

_seen: set[str] = set()


def demand(*names: str) -> None:
    """Raises `UsageError` for a package that is loaded and too old, with the version that is wanted."""
    for name in names:
        found = getattr(sys.modules.get(name), "__version__", None)
        if name in _seen or found is None:
            continue
        if _numbers(str(found)) < _numbers(LEAST[name]):
            raise UsageError(
                f"{name} {found} is too old: relabel_hdf5 needs {name} {LEAST[name]} or later "
                f"(pip install -U '{name}>={LEAST[name]}')"
            )
        _seen.add(name)


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.4.1+cpu gives 2, 4, 1."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
