"""The Swift library where it is found, and the failures it speaks of; everything works without it.

`RELABEL_LIBRARY` names the library's file, or is `none` to use NumPy alone. Without it, the library is looked
for beside this package, in the build folder of a checkout, and where the system keeps libraries.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
import warnings
from collections.abc import Iterator
from typing import Any

from ..elf import check_whole
from ..errors import (
    BoxError,
    CorruptError,
    InvalidDataError,
    NotFoundError,
    RelabelError,
    UnsafeError,
    UnsupportedError,
    UsageError,
    violation,
)
from ..versions import VERSION

NAME = "libRelabelC.so"
FOLDER = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
"""The folder of this package."""
CHECKOUT = os.path.abspath(f"{FOLDER}/../../../..")
"""The folder of the checkout, where the package lies in one."""
REPAIR = "pip install --force-reinstall relabel-hdf5"
"""What mends a wheel that was changed after it was installed."""


class Failure(ctypes.Structure):
    """`relabel_failure` of relabel.h."""

    _fields_ = [
        ("status", ctypes.c_int32),
        ("rule", ctypes.c_char_p),
        ("message", ctypes.c_char_p),
        ("file", ctypes.c_char_p),
        ("dataset", ctypes.c_char_p),
        ("key", ctypes.c_char_p),
        ("row", ctypes.c_int64),
        ("cell_y", ctypes.c_int32),
        ("cell_x", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("position", ctypes.c_int64),
    ]


_Pointer, _Long, _Int, _Text = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32, ctypes.c_char_p
SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "version": (_Text, []),
    "error": (_Text, []),
    "last_failure": (ctypes.POINTER(Failure), []),
    "open": (_Pointer, [_Text]),
    "close": (None, [_Pointer]),
    "close_shard": (_Int, [_Pointer, _Long]),
    "listing": (_Text, [_Pointer]),
    "describe": (_Text, [_Pointer, _Long]),
    "keys": (_Int, [_Pointer, _Pointer, _Long, _Pointer, _Long]),
    "image_indexes": (_Int, [_Pointer, _Pointer, _Long, _Pointer]),
    "read": (_Int, [_Pointer, _Pointer, _Long, _Int, _Pointer, _Int, _Pointer, _Pointer]),
    "read_factors": (_Int, [_Pointer, _Pointer, _Long, _Int, _Pointer, _Pointer]),
    "read_stored": (_Int, [_Pointer, _Pointer, _Long, _Int, _Pointer, _Int, _Pointer, _Int]),
    "pool": (
        _Int,
        [_Pointer, _Pointer, _Pointer, _Long, _Long, _Text, _Int, _Int, _Pointer, _Pointer],
    ),
    "pooling_create": (
        _Pointer,
        [_Long, _Text, _Text, _Text, ctypes.c_double, _Text, _Long, _Long, _Long, _Text, _Int],
    ),
    "pooling_free": (None, [_Pointer]),
    "pool_arrays": (
        _Int,
        [_Pointer, _Pointer, _Int, _Pointer, _Pointer, _Pointer, _Long, _Long, _Int, _Pointer, _Pointer],
    ),
    "pool_factors": (
        _Int,
        [_Pointer, _Pointer, _Pointer, _Pointer, _Pointer, _Pointer, _Long, _Long, _Int, _Pointer, _Pointer],
    ),
    "top_k": (_Int, [_Pointer, _Text, _Long, _Long, _Long, _Long, _Long, _Int, _Pointer, _Pointer]),
    "check_maps": (_Int, [_Pointer, _Pointer, _Long, _Long, _Text, _Text, _Long, _Long, _Long]),
}
"""What each function of relabel.h that is called here returns and takes."""

# Statuses of relabel.h, for failures that are about no rule.
_USAGE, _IO = 64, 74
_CLASSES: dict[int, type[RelabelError]] = {
    1: InvalidDataError, 4: UnsafeError, 5: CorruptError, 6: UnsupportedError, _USAGE: UsageError,
    66: NotFoundError,
}  # fmt: skip


def engine() -> str:
    """Which code reads and pools: `swift VERSION (FILE)`, `numpy` where that was asked for, else `numpy (WHY)`."""
    found = library()
    if found:
        return f"swift {VERSION} ({found._name})"
    return "numpy" if os.environ.get("RELABEL_LIBRARY") == "none" else f"numpy ({_why_numpy()})"


def bundled() -> bool:
    """Whether this package was installed from a wheel that holds the library, and so the programs too."""
    return os.path.exists(os.path.join(FOLDER, NAME))


@functools.cache
def library() -> ctypes.CDLL | None:
    """The library, or None. Raises `UsageError` where the one that `RELABEL_LIBRARY` names, or that came with this
    package, can't be used."""
    named = os.environ.get("RELABEL_LIBRARY")
    if named == "none":
        return None
    if named:
        try:
            return loaded(named)
        except (OSError, AttributeError, ValueError) as error:
            raise UsageError(f"RELABEL_LIBRARY can't be used: {error}", file=named) from error
    if bundled():
        path = os.path.join(FOLDER, NAME)
        try:
            return loaded(path)
        except (OSError, AttributeError, ValueError) as error:
            raise UsageError(f"the library of this installation can't be used: {error}. {REPAIR}", file=path) from error
    for path in _places():
        try:
            return loaded(path)
        except (OSError, AttributeError, ValueError) as error:
            warnings.warn(
                f"{path}: the Swift library is here and can't be used: {error}. NumPy reads instead, which takes two to "
                "four times as long; RELABEL_LIBRARY=none says that this is meant",
                RuntimeWarning,
                stacklevel=2,
            )
    return None


def _places() -> Iterator[str]:
    built = os.path.join(CHECKOUT, ".build", "release", NAME)
    if os.path.exists(os.path.join(CHECKOUT, "Package.swift")) and os.path.exists(built):
        yield built
    import ctypes.util  # which imports subprocess and tempfile, for the rare case that it comes to this

    system = ctypes.util.find_library("RelabelC")
    if system:
        yield system


def _why_numpy() -> str:
    """Why the Swift library is not used, in a few words."""
    if unusable := list(_places()):
        return f"the Swift library can't be used: {', '.join(unusable)}"
    return "the Swift library is not in this installation: the wheels for Linux hold it, pip install relabel-hdf5"


def loaded(path: str) -> ctypes.CDLL:
    """The library at a path; ValueError where it is of another version than this package."""
    check_whole(path)
    found = ctypes.CDLL(path)
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(found, f"relabel_{name}")
        function.restype, function.argtypes = result, arguments
    version = found.relabel_version().decode()
    if version.split(" ")[0] != VERSION:
        raise ValueError(f"it is of version {version}, this package of {VERSION}")
    return found


def failure(library: ctypes.CDLL) -> Exception:
    """The error for the last failure of the library on this thread."""
    found = library.relabel_last_failure().contents
    message = _text(found.message) or ""
    place: dict[str, Any] = {
        "file": _path(found.file),
        "dataset": _text(found.dataset),
        "key": _text(found.key),
        "row": None if found.row < 0 else found.row,
        "cell": None if found.cell_y < 0 else (found.cell_y, found.cell_x),
    }
    if rule := _text(found.rule):
        return violation(rule, message, **place)
    if found.status == _USAGE and found.position >= 0:
        return BoxError(message, file=place["file"], key=place["key"])
    if found.status == _IO and place["file"]:
        return _refusal(place["file"], message)
    return _CLASSES.get(found.status, RelabelError)(message, **place)


def _refusal(path: str, message: str) -> Exception:
    """What the system says of a file that the library could not open or read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return InvalidDataError(message, file=path)
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error
    if os.strerror(errno.EMFILE) in message:
        return OSError(errno.EMFILE, message, path)
    return OSError(f"{path}: {message}")


def _text(text: bytes | None) -> str | None:
    return None if text is None else text.decode()


def _path(text: bytes | None) -> str | None:
    return None if text is None else os.fsdecode(text)
