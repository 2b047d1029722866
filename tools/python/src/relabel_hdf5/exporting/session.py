"""An export, from shards to a published output."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..versions import VERSION
from .options import Options
from .output import SCHEMA, Output
from .source import Source
from .targets import TARGETS
from .targets.base import Job, OfViews, Target
from .view_images import Pictures


@dataclass(frozen=True)
class Summary:
    """What an export has done."""

    images: int
    """Images that were exported."""
    views: int | None
    """Views of them, where rows are views."""
    output: str
    """The file or folder."""
    losses: tuple[str, ...]
    """What the form could not hold; a sentence each."""


def export(
    paths: Sequence[str | os.PathLike[str]],
    target: str,
    output: str | os.PathLike[str],
    options: Options | None = None,
    *,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda text: None,
    progress: Callable[[int], Callable[[int], None]] = lambda total: lambda count: None,
) -> Summary:
    """Writes the labels of shards or datasets of one build in another form, and publishes it when it is whole.

    `say` hears what is lost, as soon as that is known. `progress` is called with the number of images, and what it
    returns with the number of each block. Raises `UsageError` for maps that the form can't hold, and what opening
    and reading raise.
    """
    options = options or Options()
    form = _target(target, options)
    place = Output(output, form.is_folder, overwrite)
    with Source(paths) as opened:
        source = _rows_for(form, opened)
        form.refuse(source, options)
        losses = form.losses(source, options)
        for text in losses:
            say(f"lost: {text}")
        about = described(source, form.name, options)
        with place.begun() as path:
            job = Job(source, options, path, about, progress(len(source)))
            form.write(job)
            for text in job.losses:
                say(f"lost: {text}")
            losses += job.losses
            place.publish({**about, "losses": losses})
        return Summary(source.images, len(opened) if opened.is_views else None, os.fspath(output), tuple(losses))


def _target(name: str, options: Options) -> Target:
    form = TARGETS.get(name)
    if form is None:
        raise UsageError(f"there is no target {name!r}: the targets are {', '.join(TARGETS)}")
    for option in options.chosen():
        if option not in form.takes:
            able = ", ".join(other.name for other in TARGETS.values() if option in other.takes)
            raise UsageError(f"--{option} says nothing about {name}; it is for {able}")
    return form


def _rows_for(form: Target, source: Source) -> Source:
    """The source as the form takes it; raises `UsageError` where it holds something else."""
    if not source.is_views:
        if form.of_views is OfViews.NEEDED:
            raise UsageError(f"these are maps of whole pictures, and {form.name} holds views: export them to {_names(OfViews.REFUSED)}")
        return source
    if form.of_views is OfViews.REFUSED:
        raise UsageError(
            f"these rows are views of images, and {form.name} holds a map for each whole picture: export them to "
            f"{_names(OfViews.NEEDED)} or {_names(OfViews.ROWS)}"
        )
    return Pictures(source) if form.of_views is OfViews.PICTURES else source


def _names(of_views: OfViews) -> str:
    return ", ".join(name for name, target in TARGETS.items() if target.of_views is of_views)


def described(source: Source, target: str, options: Options) -> dict[str, Any]:
    """What is known of an export and of its labels: enough to pack the same maps again."""
    header = source.header
    views = {"views": len(source.views)} if source.is_views else {}
    return {
        "schema": SCHEMA,
        "schema_version": "1.0",
        "writer": f"relabel-hdf5 {VERSION}",
        "target": target,
        "options": {name: getattr(options, name) for name in sorted(TARGETS[target].takes)},
        "images": source.images,
        "source": {
            "fingerprints": [maps.fingerprint for maps in source.parts],
            "build_id": header.build_id,
            "num_classes": header.num_classes,
            "score_kind": header.score_kind,
            "classes_are": header.classes_are,
            "fill": header.fill,
            "temperature": header.temperature,
            "orientation": header.orientation,
            "map_extent": list(header.map_extent),
            "cell_order": header.cell_order,
            "grid": [header.height, header.width],
            "top_k": header.top_k,
            "encoding": header.encoding,
            "step": header.step,
            "optional": list(source.optional),
            **views,
        },
        "metadata": header.metadata,
    }
