"""Image-level labels as the list of lists that ReaL is."""

from __future__ import annotations

import json
import re

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ..options import Options
from ..source import Source
from .base import Job, OfViews
from .listed import TAKES, listed, lost

_VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})")
_VALIDATION_IMAGES = 50_000


class ReaLJSON:
    """`real.json` of google-research/reassessed-imagenet: the classes of each image, in the order of the file names.

    The place in the list is all that says which image is meant. Where all names are those of ImageNet's validation
    set, the number in the name is the place, and the list has 50,000 members: an image that is not there has no
    class, and nobody is judged by it. Other names are sorted, without their folders.
    """

    name = "real-json"
    summary = "one .json, the lists of classes in the order of the file names, as ReaL's real.json"
    is_folder = False
    takes = TAKES
    of_views = OfViews.PICTURES

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses file names that occur in two folders."""
        _places(source)

    def losses(self, source: Source, options: Options) -> list[str]:
        """What lists without names say nothing of."""
        found = [*lost(source, options), "probabilities: a class is listed or not"]
        _, length, is_validation = _places(source)
        if length > len(source):
            found.append(f"{length - len(source):,} images of the validation set are not here: their lists are empty")
        if not is_validation:
            found.append("names: these aren't ImageNet's validation images, and the lists follow the sorted file names")
        classes = source.header.classes
        if classes is not None and [entry.id for entry in classes] != sorted(entry.id for entry in classes):
            found.append("the order of classes: ReaL's are sorted by their WordNet ids, and these are not")
        return found

    def write(self, job: Job) -> None:
        """Writes the lists; memory holds the ids."""
        places, length, _ = _places(job.source)
        found: list[list[int]] = [[] for _ in range(length)]
        row = 0
        for block in listed(job):
            for image in block:
                found[places[row]] = image.ids.tolist()
                row += 1
        with open(job.path, "x", encoding="ascii") as file:
            json.dump(found, file)


def _places(source: Source) -> tuple[npt.NDArray[np.int64], int, bool]:
    """The place in the list of each image, the list's length, and whether these are ImageNet's validation images."""
    names = np.array([source.key(place).rpartition("/")[2].encode() for place in range(len(source))])
    # As files lie, whose names have an extension: `img-2.jpg` before `img.jpg`.
    order = np.argsort(np.char.add(names, b"."), kind="stable")
    ordered = names[order]
    if (ordered[1:] == ordered[:-1]).any():
        name = ordered[1:][ordered[1:] == ordered[:-1]][0].decode()
        raise UsageError(f"two images are called {name}, and this form knows images by the order of their names alone")
    numbers = np.array([_number(name) for name in names.tolist()])
    if (numbers >= 0).all():
        return numbers, _VALIDATION_IMAGES, True
    places = np.empty(len(names), np.int64)
    places[order] = np.arange(len(names))
    return places, len(names), False


def _number(name: bytes) -> int:
    """The place of an image of ImageNet's validation set, counted from 0, or -1."""
    found = _VALIDATION.fullmatch(name.decode())
    number = int(found[1]) if found else 0
    return number - 1 if 1 <= number <= _VALIDATION_IMAGES else -1
