"""Which pictures a folder holds: what torchvision's ImageFolder lists, but for hidden ones, and the keys of their maps."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What ImageFolder takes for pictures."""


def key_of_path(path: str) -> str:
    """The key that the packer gives to a file at this path below its input root (spec section 9.2)."""
    head, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{head}{slash}{stem if dot and stem else name}"


def class_folders(root: str | os.PathLike[str]) -> list[str]:
    """The folders of the classes, sorted."""
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def paths_in(root: Path, folder: str, endings: Sequence[str]) -> Iterator[str]:
    """The paths below `root` of the pictures in one of its folders and those below: folders sorted, then names."""
    status = os.stat(root)
    for where, names in sorted(_walk(str(root / folder), ((status.st_dev, status.st_ino),))):
        below = Path(where).relative_to(root).as_posix()
        yield from (f"{below}/{name}" for name in sorted(names) if is_picture(name, endings))


def is_picture(name: str, endings: Sequence[str] = EXTENSIONS) -> bool:
    """Whether a file is a picture by its name."""
    return name.lower().endswith(tuple(endings))


def _walk(folder: str, ancestors: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, list[str]]]:
    """Folders and their files; past hidden ones, through links, but not into a folder that the walk is in."""
    status = os.stat(folder)
    identity = status.st_dev, status.st_ino
    if identity in ancestors:
        return
    with os.scandir(folder) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".")]
    yield folder, [entry.name for entry in entries if not entry.is_dir()]
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry.path, (*ancestors, identity))
