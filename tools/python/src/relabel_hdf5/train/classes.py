"""Whose classes the columns of a target are: the maps', the folder's, or a list of the user's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ..errors import UsageError
from ..header import ClassEntry

DroppedMass = Literal["renormalise", "drop", "spread"]
Table = Sequence[ClassEntry] | None


@dataclass(frozen=True, eq=False)
class ClassColumns:
    """The columns of a target: which classes of the maps they are, in which order.

    Called with targets [..., classes of the maps], it returns targets [..., num_classes] on their device.
    """

    ids: tuple[str, ...] | None
    """The class ids (WNIDs) of the columns; None where the maps have no class table."""
    num_classes: int
    """The number of columns."""
    source: torch.Tensor | None = None
    """The class of the maps that each column takes, int64; None where all are taken in order."""
    dropped_mass: DroppedMass | None = None
    """What becomes of the mass of classes that are no column; None where there are none."""

    def __call__(self, targets: torch.Tensor, names: Sequence[str] | None = None) -> torch.Tensor:
        """Raises `UsageError` where a target on the CPU has no mass to be renormalised, by its name or row;
        on another device such a target is NaN, since to look at it would stop the device."""
        if self.source is None:
            return targets
        kept = targets[..., self.source.to(targets.device, non_blocking=True)]
        if self.dropped_mass == "spread":
            dropped = targets.double().sum(-1, keepdim=True) - kept.double().sum(-1, keepdim=True)
            return (kept + dropped.clamp(min=0) / self.num_classes).to(targets.dtype)
        if self.dropped_mass == "renormalise":
            mass = kept.double().sum(-1, keepdim=True)
            if mass.device.type == "cpu" and not (mass > 0).all():
                row = int((mass.flatten() <= 0).nonzero()[0])
                raise UsageError(
                    f"image {names[row] if names else row}: the classes asked for have no probability to be "
                    "renormalised; dropped_mass = 'spread' gives them equal shares"
                )
            return (kept / mass).to(targets.dtype)
        return kept

    def one_hot(self, labels: torch.Tensor) -> torch.Tensor:
        """One-hot targets [B, num_classes] float32 of labels [B]."""
        return torch.nn.functional.one_hot(labels, self.num_classes).float()


def check_dropped_mass(classes_are: str, dropped_mass: DroppedMass | None) -> None:
    """Raises `UsageError` where classes don't exclude each other: there is no mass to give to others."""
    if classes_are == "independent" and dropped_mass in ("renormalise", "spread"):
        raise UsageError(
            f"the maps' classes don't exclude each other, so that no mass is left to others: dropped_mass is 'drop', not "
            f"{dropped_mass!r}"
        )


def match_classes(
    folders: Sequence[str],
    table: Table,
    num_classes: int,
    classes: str | Sequence[str] | None,
    dropped_mass: DroppedMass | None,
) -> tuple[ClassColumns, torch.Tensor | None]:
    """The columns of the targets, and the column of each folder (None where nothing says which).

    Raises `UsageError` where the folders are not the classes that the columns stand for.
    """
    if classes == "unchecked":
        return ClassColumns(None if table is None else _ids(table), num_classes), None
    if table is None:
        raise UsageError(
            "the maps have no class table to compare with the folder's classes: pack them with --classes. If you "
            "know that class i of the maps is output i of your model, say classes='unchecked'; nothing then says "
            "which class a folder is"
        )
    known = _ids(table)
    if classes is None:
        _demand_equal(folders, known)
    columns = _columns(known, _wanted(folders, known, classes), dropped_mass)
    return columns, _labels(folders, columns)


def check_model(dataset: Any, model: Any) -> None:
    """Raises `UsageError` where a model has other classes than the targets of a `RelabelFolder`.

    `model` is its number of classes, or the ids of its classes in the order of its outputs, or a module that
    says `num_classes`, as timm's do.
    """
    if isinstance(model, Sequence) and not isinstance(model, str):
        ids = dataset.classes
        if ids is None:
            raise UsageError("the maps have no class table to compare with the classes of the model")
        if tuple(model) != tuple(ids):
            difference = _difference("model", model, "targets", ids)
            raise UsageError(f"the model and the targets have other classes: {difference}")
        return
    count = model if isinstance(model, int) else getattr(model, "num_classes", None)
    if not isinstance(count, int):
        raise UsageError(f"a {type(model).__name__} doesn't say how many classes it has: give the number")
    if count != dataset.num_classes:
        raise UsageError(f"the model has {count} classes, the targets {dataset.num_classes}")


def _ids(table: Sequence[ClassEntry]) -> tuple[str, ...]:
    return tuple(entry.id for entry in table)


def _wanted(
    folders: Sequence[str], known: tuple[str, ...], classes: str | Sequence[str] | None
) -> Sequence[str]:
    if classes is None or classes == "maps":
        return known
    if classes == "folder":
        return folders
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise UsageError(
            f"classes = {classes!r}: there are 'maps', 'folder', 'unchecked', or a list of class ids"
        )
    wanted = tuple(classes)
    for identifier in wanted:
        if not isinstance(identifier, str):
            raise UsageError(
                f"classes has the member {identifier!r}: class ids are strings, such as {known[0]!r}"
            )
    return wanted


def _columns(known: tuple[str, ...], wanted: Sequence[str], dropped_mass: DroppedMass | None) -> ClassColumns:
    wanted = tuple(wanted)
    if wanted == known:
        return ClassColumns(known, len(known))
    place = {identifier: index for index, identifier in enumerate(known)}
    _refuse(wanted, lambda identifier: identifier not in place, "not in the class table of the maps")
    _refuse_repeated(wanted, wanted, "named more than once")
    _refuse_repeated(wanted, known, "more than once in the class table of the maps")
    source = torch.tensor([place[identifier] for identifier in wanted], device="cpu")
    if len(wanted) == len(known):
        return ClassColumns(wanted, len(wanted), source)
    if dropped_mass not in ("renormalise", "drop", "spread"):
        raise UsageError(
            f"{len(wanted)} of the maps' {len(known)} classes are asked for: say with dropped_mass what "
            "becomes of the others' probability: 'renormalise' (the kept ones sum to 1), 'drop' (they sum to "
            f"less), or 'spread' (it is shared equally by the kept ones); not {dropped_mass!r}"
        )
    return ClassColumns(wanted, len(wanted), source, dropped_mass)


def _labels(folders: Sequence[str], columns: ClassColumns) -> torch.Tensor:
    place = {identifier: index for index, identifier in enumerate(columns.ids or ())}
    _refuse(folders, lambda name: name not in place, "folders whose class is not a column of the targets")
    _refuse_repeated(folders, columns.ids or (), "folders named like more than one class of the maps")
    return torch.tensor([place[name] for name in folders], dtype=torch.int64, device="cpu")


def _demand_equal(folders: Sequence[str], known: tuple[str, ...]) -> None:
    if tuple(folders) != known:
        difference = _difference("folder", folders, "maps", known)
        raise UsageError(
            f"the folder and the maps have other classes: {difference}. Say whose classes your model has: "
            "classes='maps', classes='folder', or a list of class ids in the order of its outputs"
        )


def _difference(first: str, ours: Sequence[str], second: str, theirs: Sequence[str]) -> str:
    """The counts where they differ, and the first places that do."""
    places = [
        f"class {place} is {mine!r} in the {first} and {other!r} in the {second}"
        for place, (mine, other) in enumerate(zip(ours, theirs, strict=False)) if mine != other
    ]
    if len(ours) != len(theirs):
        places.insert(0, f"{len(ours)} in the {first}, {len(theirs)} in the {second}")
    return "; ".join(places[:4])


def _refuse_repeated(ids: Sequence[str], among: Sequence[str], reason: str) -> None:
    times = Counter(among)
    _refuse(ids, lambda identifier: times[identifier] > 1, reason)


def _refuse(ids: Sequence[str], wrong: Callable[[str], bool], reason: str) -> None:
    found = [identifier for identifier in ids if wrong(identifier)]
    if found:
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        raise UsageError(f"{reason}: {', '.join(found[:10])}{more}")
