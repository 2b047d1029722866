"""A writer's options as those of `relabel-pack`."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import UsageError


def arguments(**options: Any) -> list[str]:
    """Options of `relabel-pack`; what is None or False is left to it."""
    found: list[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        found.append("--" + name.replace("_", "-"))
        if value is not True:
            found.append(os.fspath(value) if isinstance(value, os.PathLike) else str(value))
    return found


_MAPS = re.compile(r"topk|factors(?::[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:B|KL))?")


def has_factors(maps: str) -> bool:
    """Whether this form of maps is factors, with a budget or without; raises `UsageError` for what is no form."""
    if not _MAPS.fullmatch(maps):
        raise UsageError(f"maps is '{maps}', not topk, factors, factors:1300B (bytes an image) or factors:0.02KL (nats)")
    return maps.startswith("factors")


@contextlib.contextmanager
def documents(**given: Any) -> Iterator[tuple[list[str], list[int]]]:
    """Options for documents, and the open files that a packer inherits for those which have no file of their own."""
    options: list[str] = []
    with contextlib.ExitStack() as files:
        numbers: list[int] = []
        for name, value in given.items():
            if value is None:
                continue
            if isinstance(value, (str, os.PathLike)):
                options += [f"--{name}", os.fspath(value)]
                continue
            text = _json(value) if isinstance(value, Mapping) else _table(value)
            number = os.memfd_create(name)
            files.callback(os.close, number)
            with open(number, "w", encoding="utf-8", closefd=False) as file:
                file.write(text)
            numbers.append(number)
            options += [f"--{name}", f"/dev/fd/{number}"]
        yield options, numbers


def _json(document: Mapping[str, Any]) -> str:
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the annotator document is no JSON: {error}") from error


def _table(classes: Iterable[Any]) -> str:
    """A line ID<TAB>NAME for each class."""
    lines = []
    for entry in classes:
        parts = [entry] if isinstance(entry, str) else list(entry)
        if len(parts) != 2 or not all(isinstance(part, str) and not set(part) & set("\t\r\n") for part in parts):
            raise UsageError(f"a class is a pair (id, name) of texts without tabs and line ends, not {entry!r}")
        lines.append("\t".join(parts) + "\n")
    return "".join(lines)
