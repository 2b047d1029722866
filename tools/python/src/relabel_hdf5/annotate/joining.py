"""One dataset of what several programs have annotated, each its part of the pictures."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ..dataset import LabelMaps
from ..dataset import open as open_maps
from ..errors import InvalidDataError, UsageError
from ..layout import INDEX_NAME, OPTIONAL
from ..programs import program
from ..writing import Writer
from .documents import same_but_measured
from .pictures import Listing

_AT_ONCE = 512
_KEPT = ("cell_order", "compression", "images_per_chunk", "images_per_shard", "max_error", "score_encoding", "top_k")


def part_folder(output: str | os.PathLike[str], rank: int, ranks: int) -> str:
    """Where a rank writes its part."""
    return f"{os.fspath(output).rstrip('/')}.rank-{rank}-of-{ranks}"


def join(output: str | os.PathLike[str], ranks: int, *, listing: Listing, overwrite: bool = False) -> dict[str, Any]:
    """Packs the parts of all ranks into one dataset, in the order of their pictures; the packer's summary.

    Every part is verified before anything is read from it. Raises `UsageError` where a part is missing or was made
    otherwise than the first, `InvalidDataError` where one is not sound.
    """
    folders = [part_folder(output, rank, ranks) for rank in range(ranks)]
    indexes = [_verified(folder) for folder in folders]
    options = {name: indexes[0]["options"][name] for name in _KEPT}
    with tempfile.TemporaryDirectory(prefix="relabel-annotate-") as scratch:
        images = os.path.join(scratch, "images.txt")
        write_listing(images, listing.paths)
        parts = [open_maps(folder) for folder in folders]
        try:
            header = parts[0].header
            if header.annotator is None or header.annotator.get("listing", {}).get("sha256") != listing.sha256:
                raise UsageError(
                    "the pictures are not those that were annotated: some were added or removed", file=listing.root
                )
            for folder, part, index in zip(folders, parts, indexes):
                _demand_same(header, part.header, folder)
                if {name: index["options"][name] for name in _KEPT} != options:
                    raise UsageError("this part was packed with other options than the first", file=folder)
            with Writer(
                output, num_classes=header.num_classes, score_kind="logit", orientation="yx",
                classes=header.classes, annotator=header.annotator, images=images, on_bad_input="skip",
                overwrite=overwrite, **options,
            ) as writer:  # fmt: skip
                for folder, part, index in zip(folders, parts, indexes):
                    _copy(folder, part, index, writer)
            return complete(writer.close(), os.fspath(output))
        finally:
            for part in parts:
                part.close()


def complete(summary: dict[str, Any], output: str) -> dict[str, Any]:
    """The packer's summary; raises `InvalidDataError` where a picture has neither a map nor a reason for it."""
    if without := summary["images_without_map"]:
        raise InvalidDataError(f"{len(without)} pictures have no map: {', '.join(map(str, without[:3]))}", file=output)
    return summary


def write_listing(path: str, paths: Sequence[str]) -> None:
    """A list of images for the packer: a line for each."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in paths)


def _verified(folder: str) -> dict[str, Any]:
    if not os.path.exists(os.path.join(folder, INDEX_NAME)):
        raise UsageError("this part is not complete: run its rank again, it goes on where it stopped", file=folder)
    found = subprocess.run([program("relabel-verify"), folder], capture_output=True, text=True)
    if found.returncode:
        raise InvalidDataError((found.stdout + found.stderr).strip()[:1000], file=folder)
    with open(os.path.join(folder, INDEX_NAME), encoding="utf-8") as file:
        index: dict[str, Any] = json.load(file)
    return index


def _demand_same(first: Any, other: Any, folder: str) -> None:
    if first.classes != other.classes or first.shape != other.shape:
        raise UsageError("this part has other classes or another grid than the first", file=folder)
    if differing := same_but_measured(first.annotator, other.annotator):
        raise UsageError(f"this part was annotated otherwise than the first: {', '.join(differing)}", file=folder)


def _copy(folder: str, part: LabelMaps, index: dict[str, Any], writer: Writer) -> None:
    gaps = [(entry["key"], entry["reason"]) for entry in index["left_out"]]
    first = 0
    for shard in index["shards"]:
        with h5py.File(os.path.join(folder, shard["path"]), "r", locking=False) as file:
            columns = [column.name for column in OPTIONAL if column.name in file]
            for start in range(0, shard["rows"], _AT_ONCE):
                rows = np.arange(start, min(start + _AT_ONCE, shard["rows"]))
                batch = part.batch(first + rows)
                keys = [part.key(int(position)) for position in batch.positions]
                facts = {name: _values(file[name][rows[0] : rows[-1] + 1], name) for name in columns}
                writer.add_batch(keys, (batch.class_index, batch.score), **facts)
        first += shard["rows"]
    for key, reason in gaps:
        writer.leave_out(key, reason.removeprefix("its annotator has left it out: "))


def _values(values: Any, name: str) -> Any:
    return [bytes(row) for row in values] if name == "image_sha256" else values
