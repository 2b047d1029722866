"""Files below the folder of an export, named after images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from ...errors import UsageError

_NAME_BYTES = 255
"""What a file system takes as one part of a path."""


def created(folder: Path, name: str, key: str) -> IO[bytes]:
    """A new file below a folder, open for writing; `key` is the image that it belongs to.

    A key is a path that stays below the folder: reading it has made sure (spec, section 9.2).
    """
    path = folder / name
    longest = max(len(os.fsencode(part)) for part in name.split("/"))
    if longest > _NAME_BYTES:
        raise UsageError(f"a part of the name has {longest} bytes, more than file systems take", key=key)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return open(path, "xb")
    except FileExistsError:
        raise UsageError("another image's file has this name here, where capitals may not matter", key=key) from None
