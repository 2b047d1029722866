"""What a network's outputs stand for, and whether a class list says the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import UsageError
from ..header import ClassEntry

Table = tuple[ClassEntry, ...]


def of_timm(module: Any) -> Table | None:
    """The classes of a timm network that was trained on a list that timm knows, else None."""
    try:
        from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
    except ImportError as error:
        raise UsageError("this timm is too old: annotating needs timm 1.0 or later") from error
    subset = infer_imagenet_subset(module)
    return None if not subset else _info(ImageNetInfo(subset))


def of_names(names: Sequence[str] | None) -> Table | None:
    """The classes of names in the order of ImageNet-1k, with their WNIDs; the names alone for others."""
    if not names:
        return None
    try:
        from timm.data.imagenet_info import ImageNetInfo
    except ImportError:
        return tuple(ClassEntry(name, name) for name in names)
    known = _info(ImageNetInfo("imagenet-1k"))
    if len(known) == len(names) and _agreeing(known, tuple(ClassEntry(name, name) for name in names)) > 0.9:
        return known
    return tuple(ClassEntry(name, name) for name in names)


def read(path: str | os.PathLike[str]) -> Table:
    """The classes of a list: a line ID<TAB>NAME for each."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the class list can't be read: {error}", file=os.fspath(path)) from error
    if lines and not lines[-1]:
        lines.pop()
    found = []
    for number, line in enumerate(lines, 1):
        identifier, separator, name = line.rstrip("\r").partition("\t")
        if not identifier:
            raise UsageError(f"line {number} of the class list is no ID<TAB>NAME: {line!r}", file=os.fspath(path))
        found.append(ClassEntry(identifier, name if separator else identifier))
    return tuple(found)


def agreed(given: Table | None, models: Table | None, outputs: int) -> Table | None:
    """The class table to store: the one given, where the network's own does not contradict it.

    Raises `UsageError` where their numbers or their order differ: a wrong order ruins every label.
    """
    for table, whose in ((given, "the class list"), (models, "the network's class table")):
        if table is not None and len(table) != outputs:
            background = (
                "; networks that come from TensorFlow have one for background in front: take it off in a function of "
                "your own (--model MODULE:FUNCTION)"
                if outputs == len(table) + 1
                else ""
            )
            raise UsageError(f"the network has {outputs:,} outputs, and {whose} has {len(table):,} classes{background}")
    if given is None or models is None:
        return given if models is None else models
    both_have_ids = _has_ids(given) and _has_ids(models)
    # Lists name a few classes differently; another order differs nearly everywhere, two swapped classes by their ids.
    same = (lambda one, other: one.id == other.id) if both_have_ids else _is_same
    places = [place for place, (one, other) in enumerate(zip(given, models)) if not same(one, other)]
    if places and (both_have_ids or len(places) > len(given) / 20):
        shown = "; ".join(
            f"output {place} is {models[place].id} ({models[place].name}), in the list {given[place].id} "
            f"({given[place].name})"
            for place in places[:3]
        )
        raise UsageError(f"the class list is not the network's: {len(places)} of {outputs} differ: {shown}")
    return given


def _info(info: Any) -> Table:
    names = info.label_names()
    return tuple(ClassEntry(name, info.index_to_description(place)) for place, name in enumerate(names))


def _has_ids(table: Table) -> bool:
    return all(re.fullmatch(r"n\d{8}", entry.id) for entry in table)


def _is_same(one: ClassEntry, other: ClassEntry) -> bool:
    return one.id == other.id or bool(_words(one) & _words(other))


def _words(entry: ClassEntry) -> set[str]:
    """The synonyms of a class, in lower case."""
    return {word.strip().lower() for word in entry.name.split(",")}


def _agreeing(one: Iterable[ClassEntry], other: Sequence[ClassEntry]) -> float:
    return sum(_is_same(first, second) for first, second in zip(one, other)) / max(1, len(other))
