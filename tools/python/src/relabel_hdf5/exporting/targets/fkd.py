"""Crops as FKD stores them, a file for each picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ..options import Options
from ..source import Source
from ..views import Rows, Views, in_groups, need
from .base import Job, OfViews
from .batch_lists import flips
from .files import created
from .torch_files import by_score, need_torch
from .view_facts import (
    narrowed,
    need_one_score,
    operations,
    score_type,
    source_facts,
    source_folder,
    unknown_losses,
)

_WIDTHS = (5, 10)
"""How many classes FKD's reader can spread the missing mass around."""
_FORM = "fkd"


class FKD:
    """FOLDER/KEY.tar for each picture: boxes, flips, and labels, arrays of NumPy in a list.

    `FKD_SLG/generate_soft_label.py` of szq0214/FKD writes them. Labels are [n, 2, k] of class ids, as floats, and
    probabilities; [n, 2] of one class and its probability (smoothing); or [n] class ids (hard). Names are cut at the
    first dot. Crops that have no label come last.
    """

    name = _FORM
    summary = "a folder of KEY.tar, lists of crop boxes, flips and labels of a picture, as FKD stores them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.NEEDED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses views without boxes, scores that are no probabilities, and ids that the source's type can't number."""
        views = source.views
        need(views, self.name, ("view_box",))
        need_one_score(views, self.name, "probability")
        header = views.header
        exact = 1 << 11 if score_type(header) is np.float16 else 1 << 24
        if header.num_classes > exact + 1 and not _is_hard(views):
            raise UsageError(
                f"fkd holds class ids as {np.dtype(score_type(header)).name}, which is exact up to {exact:,}, and there are "
                f"{header.num_classes:,} classes: export them to npz"
            )
        need_torch()

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        views = source.views
        found = unknown_losses(views, _box_type(views))
        width = views.header.top_k
        if views.header.fill == "uniform" and width not in (1, *_WIDTHS):
            found.append(
                f"what absent classes count as: FKD's reader knows that for 5 and 10 kept classes, and these are {width}"
            )
        return found

    def write(self, job: Job) -> None:
        """Writes a file for each picture."""
        import torch

        for rows in in_groups(job.views, job.views.image_order):
            with created(job.path, file_name(job.views, rows.keys[0]), rows.keys[0]) as file:
                torch.save(record(job.views, rows), file)
            job.progress(len(rows))

    def made(self, views: Views, name: str) -> Any:
        """The list of a picture, by the name of its file below the folder that names end with: n01443537/n01443537_00069.tar."""
        positions = views.picture(name.removesuffix(".tar"))
        return None if positions is None else record(views, views.rows(positions))

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """None: FKD's reader lists no folder."""
        return None


def file_name(views: Views, key: str) -> str:
    """The file of a picture, as FKD's reader looks for it: cut at the first dot."""
    folder = source_folder(views.header, "")
    return f"{folder}/{key}".partition(".")[0].lstrip("/") + ".tar"


def record(views: Views, rows: Rows) -> list[npt.NDArray[Any]]:
    """Boxes, flips and labels of a picture's crops."""
    kind = _box_type(views)
    unlabelled = [crop for entry in operations(rows) for crop in entry.get("unlabelled", [])]
    boxes, mirrored = rows.columns["view_box"].astype(kind), flips(rows, _FORM)
    if unlabelled:
        boxes = np.concatenate([boxes, np.array([crop[:4] for crop in unlabelled], kind)])
        mirrored = np.concatenate([mirrored, np.array([crop[4] for crop in unlabelled], np.bool_)])
    return [boxes, mirrored, _labels(views, rows)]


def _labels(views: Views, rows: Rows) -> npt.NDArray[Any]:
    header = views.header
    ids, scores = rows.single_cells()
    if _is_hard(views):
        return ids[:, 0].astype(np.int64)
    if header.cell_order == "class":
        ids, scores = by_score(header, ids, scores)
    kind = score_type(header)
    labels: npt.NDArray[Any] = np.stack([ids.astype(kind), narrowed(rows, scores, kind)], 1)
    return labels[..., 0] if header.top_k == 1 else labels


def _is_hard(views: Views) -> bool:
    facts = source_facts(views.header)
    return "hard" in (facts.get("labels"), facts.get("label_type"))


def _box_type(views: Views) -> type[np.floating[Any]]:
    return np.float16 if views.header.box_type == "float16" else np.float32
