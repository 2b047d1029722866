"""A card, from a dataset to published files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ..dataset import open as open_maps
from ..errors import UsageError
from ..exporting import Options
from .croissant import croissant
from .place import CROISSANT, NAMES, README, Place, marked
from .preview import Preview, write_preview
from .readme import readme
from .stated import Described, Stated


@dataclass(frozen=True)
class Summary:
    """What was written."""

    output: str
    """The folder."""
    files: tuple[str, ...]
    """The names of the files in it."""
    missing: tuple[str, ...]
    """What nobody has stated, with the way to state it."""
    preview_refused: str | None
    """Why there is no preview; None where there is one, or none was asked for."""


def card(
    dataset: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    stated: Stated | None = None,
    options: Options | None = None,
    *,
    preview: bool = True,
    overwrite: bool = False,
    progress: Callable[[int], Callable[[int], None]] = lambda total: lambda count: None,
) -> Summary:
    """Writes the card of a dataset into a folder, which is the dataset's own unless `output` names another.

    `options` are those of the preview. `progress` is called with the number of images of the preview, and what it returns
    with the number of each block. Raises `UsageError` for files that may not be replaced, and what opening and reading raise.
    """
    import yaml  # noqa: F401  # before anything is written

    options = options or Options()
    if unfit := sorted(options.chosen().keys() - {"rule", "threshold", "extension"}):
        raise UsageError(f"--{unfit[0]} says nothing about a preview")
    with open_maps(dataset) as maps:
        described = Described(maps, stated or Stated())
        header = described.header
        place = Place(maps.path if output is None else output, overwrite)
        with place.begun() as partial:
            if preview:
                table = write_preview(maps.path, partial, options, header.has_views, header.classes is not None, progress)
            else:
                table = Preview(refused="none was asked for")
            key = maps.key(0) if described.rows else "FOLDER/NAME"
            _write(partial / CROISSANT, croissant(described, table))
            _write(partial / README, marked(readme(described, table, key)))
            files = tuple(name for name in NAMES if (partial / name).exists())
            place.publish(partial)
    refused = table.refused if preview else None
    return Summary(str(place.folder), files, tuple(described.missing), refused)


def _write(path: os.PathLike[str], text: str) -> None:
    with open(path, "x", encoding="utf-8", newline="\n") as file:
        file.write(text)
