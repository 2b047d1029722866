"""The class that a folder gives to its pictures."""

from __future__ import annotations

from ..header import ClassEntry
from .pictures import Listing


class SourceLabels:
    """Class numbers of pictures by the name of their folder, where folders are named by class ids."""

    def __init__(self, listing: Listing, classes: tuple[ClassEntry, ...] | None) -> None:
        self._listing = listing
        numbers = {entry.id: number for number, entry in enumerate(classes or ())}
        self._numbers = numbers if any(self._folder(path) in numbers for path in listing.paths) else {}

    @property
    def are_known(self) -> bool:
        """Whether any folder is a class."""
        return bool(self._numbers)

    def label(self, place: int) -> int:
        """The class number of a picture's folder, −1 for none."""
        return self._numbers.get(self._folder(self._listing.paths[place]), -1)

    @staticmethod
    def _folder(path: str) -> str:
        parts = path.rsplit("/", 2)
        return parts[-2] if len(parts) > 1 else ""
