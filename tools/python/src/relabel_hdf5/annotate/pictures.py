"""Pictures of a folder: which there are, in which order, and decoding them ahead of the network."""

from __future__ import annotations

import hashlib
import os
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import InvalidDataError, UsageError, printable
from ..image_folder import EXTENSIONS, class_folders, is_picture, key_of_path, paths_in
from .preprocessing import Extent, Preprocessing, decoded, is_rotated


@dataclass(frozen=True)
class Listing:
    """The pictures below a folder, in the order of torchvision's `ImageFolder`, without hidden ones."""

    root: str
    paths: tuple[str, ...]
    """Paths below the root, with `/` between their parts."""

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def sha256(self) -> str:
        """The digest of all paths, a line each: another folder, or one that has changed, has another."""
        return hashlib.sha256("".join(f"{path}\n" for path in self.paths).encode()).hexdigest()

    def key(self, place: int) -> str:
        """The key of a picture: its path without extension (spec, section 9.2)."""
        return key_of_path(self.paths[place])


def list_pictures(root: str | os.PathLike[str]) -> Listing:
    """The pictures below a folder.

    Raises `UsageError` where there are none, and `InvalidDataError` where two have one key.
    """
    base = os.fspath(root)
    if not os.path.isdir(base):
        raise UsageError("this is no folder of pictures", file=base)
    with os.scandir(base) as entries:
        own = [entry.name for entry in entries if not entry.is_dir() and not entry.name.startswith(".")]
    found = sorted(filter(is_picture, own))
    for folder in class_folders(base):
        found += paths_in(pathlib.Path(base), folder, EXTENSIONS)
    if not found:
        raise UsageError(f"there are no pictures ({', '.join(EXTENSIONS)}) below this folder", file=base)
    by_key: dict[str, str] = {}
    for path in found:
        if (earlier := by_key.setdefault(key_of_path(path), path)) is not path:
            raise InvalidDataError(f"{earlier} and {path} have the same key", file=base, key=key_of_path(path))
    return Listing(base, tuple(found))


@dataclass(frozen=True)
class Picture:
    """A picture as the network's input, and what the dataset stores of it."""

    place: int
    """Its place in the listing."""
    pixels: torch.Tensor
    """uint8 [3, h, w]."""
    size: tuple[int, int]
    """Height and width of the file's picture, as decoded."""
    sha256: bytes
    """The digest of the file."""
    extent: Extent
    """What of the picture the input shows."""
    inner: Extent
    """What of the input the picture takes."""
    is_rotated: bool
    """Whether its EXIF asks for a rotation, which is not followed."""


@dataclass(frozen=True)
class Unreadable:
    """A picture that is left out."""

    place: int
    reason: str


def load_picture(listing: Listing, place: int, preprocessing: Preprocessing) -> Picture | Unreadable:
    """Reads and decodes one picture; what can't be decoded is named, not raised."""
    try:
        with open(os.path.join(listing.root, listing.paths[place]), "rb") as file:
            data = file.read()
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        # Only what is wrong with one file: a disk that fails would leave out all the rest.
        return Unreadable(place, error.strerror or type(error).__name__)
    try:
        picture = decoded(data)
        pixels = torch.from_numpy(preprocessing.pixels(picture))
        rotated = is_rotated(data)
    except Exception as error:  # Pillow's decoders raise whatever they like for broken files
        text = printable(str(error))[:200] or type(error).__name__
        return Unreadable(place, text)
    width, height = picture.size
    return Picture(
        place, pixels, (height, width), hashlib.sha256(data).digest(), preprocessing.extent(picture),
        preprocessing.inner(picture), rotated,
    )  # fmt: skip


class _Pictures(torch.utils.data.Dataset[Any]):
    """The listing as PyTorch's loaders want it."""

    def __init__(self, listing: Listing, preprocessing: Preprocessing) -> None:
        self.listing, self.preprocessing = listing, preprocessing

    def __getitem__(self, place: int) -> Picture | Unreadable:
        return load_picture(self.listing, place, self.preprocessing)


def _as_it_is(items: list[Any]) -> tuple[Any, ...]:
    """Pixels stacked into one tensor, so that a batch crosses to the parent in one piece."""
    good = [item for item in items if isinstance(item, Picture)]
    bad = [item for item in items if not isinstance(item, Picture)]
    pixels = torch.stack([item.pixels for item in good]) if good else None
    rest = [(item.place, item.size, item.sha256, item.extent, item.inner, item.is_rotated) for item in good]
    return pixels, rest, bad


def batches(
    listing: Listing, batches_of_places: Sequence[range], preprocessing: Preprocessing, workers: int, pin: bool
) -> Iterator[tuple[list[Picture], torch.Tensor | None, list[Unreadable]]]:
    """Decoded batches in order, `workers` processes ahead of who takes them (0: in this process)."""
    loader = torch.utils.data.DataLoader(
        _Pictures(listing, preprocessing), batch_sampler=[list(places) for places in batches_of_places], num_workers=workers, collate_fn=_as_it_is,
        pin_memory=pin, prefetch_factor=2 if workers else None,
    )  # fmt: skip
    for pixels, rest, bad in loader:
        good = [
            Picture(place, pixels[row], size, sha256, extent, inner, rotated)
            for row, (place, size, sha256, extent, inner, rotated) in enumerate(rest)
        ]
        yield good, pixels, bad


def sample(listing: Listing, count: int, seed: int = 0) -> list[int]:
    """Places of some pictures, spread over the listing at random, in order; the same for every rank and every run."""
    places = np.random.default_rng(seed).permutation(len(listing))[:count]
    return sorted(int(place) for place in places)
