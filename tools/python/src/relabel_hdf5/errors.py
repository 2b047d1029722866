"""Errors that say what is wrong, where it is, and which rule of the specification it breaks."""

from __future__ import annotations

from typing import Any

from .rules import outcome


class RelabelError(Exception):
    """Any failure of this package: one line that names file, HDF5 dataset, image and cell where known.

        >>> import relabel_hdf5
        >>> maps = relabel_hdf5.open("dataset")
        >>> try:
        ...     maps["no/such/picture"]
        ... except relabel_hdf5.RelabelError as error:
        ...     print(type(error).__name__, error.key, error.rule)
        NotFoundError no/such/picture None

    `rule` is the id of the broken rule (`spec/rules.md`), such as ``"L002"``, or None where none is broken.
    `row` counts from 0 within `file`; `cell` is (y, x) in the stored grid.
    """

    def __init__(
        self,
        message: str = "",
        *,
        rule: str | None = None,
        file: str | None = None,
        dataset: str | None = None,
        key: str | None = None,
        row: int | None = None,
        cell: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.file = file
        self.dataset = dataset
        self.key = key
        self.row = row
        self.cell = cell

    @property
    def place(self) -> dict[str, Any]:
        """The keyword arguments that the error was made with."""
        names = ("rule", "file", "dataset", "key", "row", "cell")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        where = [part for part in (self.file, self.dataset) if part]
        if self.key is not None:
            where.append(f"image '{self.key}'")
        elif self.row is not None:
            where.append(f"row {self.row}")
        if self.cell is not None:
            where.append(f"cell ({self.cell[0]}, {self.cell[1]})")
        if not where and not self.rule:
            # Perhaps a worker's whole traceback, which PyTorch raises again as an error of the same class.
            return "\n".join(map(printable, self.args[0].split("\n")))
        text = ": ".join([", ".join(where), self.args[0]] if where else [self.args[0]])
        return printable(f"{text} [{self.rule}]" if self.rule else text)

    # Workers send their errors to the parent process; keyword arguments must survive that.
    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args[0], self.place)


class CorruptError(RelabelError):
    """A file is damaged: a checksum fails, bytes are missing, or it changed while it was open."""


class UnsafeError(RelabelError):
    """A file could do harm: links out of it, sizes beyond all limits, paths that leave the folder."""


class UnsupportedError(RelabelError):
    """A file needs a newer reader: another major version, or a feature that this package does not know."""


class InvalidDataError(RelabelError):
    """A file breaks a rule of the format."""


class NotFoundError(RelabelError, KeyError):
    """No image has this key."""


class PositionError(RelabelError, IndexError):
    """No image has this position."""


class BoxError(RelabelError, ValueError):
    """A crop box is invalid, or lies outside the picture or the map.

    `position` is the position of its image in a batch, where it has one.
    """

    position: int | None = None


class UsageError(RelabelError, ValueError):
    """Arguments contradict each other or the data."""


_CLASSES: dict[str, type[RelabelError]] = {
    "corrupt": CorruptError, "unsafe": UnsafeError, "unsupported": UnsupportedError,
    "findings": InvalidDataError, "sound": InvalidDataError,
}  # fmt: skip
"""The class of the error for each outcome of a broken rule."""


def violation(rule: str, message: str, **place: Any) -> RelabelError:
    """The error for a broken rule; its class follows from what that makes of the file (`spec/rules.md`)."""
    return _CLASSES[outcome(rule)](message, rule=rule, **place)


def printable(text: str) -> str:
    """The text on one line with control characters written out: names in files must not steer a terminal."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def _restore(kind: type[RelabelError], message: str, place: dict[str, Any]) -> RelabelError:
    return kind(message, **place)
