"""Batches of views as lists of tensors: what SRe2L writes, and what others made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidDataError, UsageError
from ..options import Options
from ..source import Source
from ..views import Rows, Views, in_groups, need
from .base import Job, OfViews
from .files import created
from .torch_files import need_torch
from .view_facts import class_scores, need_one_score, rounded_boxes, unknown_losses

Record = list[Any]

FOLDER = "labels"
"""Where the files lie: readers count all that is in their folder as epochs, so `export.json` stands outside."""


@dataclass(frozen=True)
class Mix:
    """How the pictures of a batch were mixed; None each where they weren't, as the lists have it."""

    partners: npt.NDArray[np.int64] | None
    """The slot of each view's partner."""
    share: float | None
    """Lambda."""
    box: list[int] | None
    """Top, left, bottom, right in pixels of the view; None for mixup, too."""


class BatchLists:
    """One file of `torch.save` for each batch. Subclasses say what its slots are."""

    name = ""
    summary = ""
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.NEEDED
    score_kind = "logit"
    """What readers take scores for."""
    box_type: type[np.floating[Any]] = np.float32
    """What boxes are in the lists."""

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses views that such lists can't hold."""
        views = source.views
        need(views, self.name, ("view_box", "replay"))
        need_one_score(views, self.name, self.score_kind)
        self.refuse_width(views)
        need_torch()

    def refuse_width(self, views: Views) -> None:
        """Refuses scores of some classes only: these lists name no classes."""
        header = views.header
        if header.top_k != header.num_classes:
            raise UsageError(
                f"{self.name} holds scores of all classes, and these shards keep {header.top_k} of "
                f"{header.num_classes}: export them to lpqld"
            )

    def losses(self, source: Source, options: Options) -> list[str]:
        """What lists say nothing of."""
        return unknown_losses(source.views, self.box_type)

    def write(self, job: Job) -> None:
        """Writes a file for each batch."""
        for rows in batches(job):
            self.save(job, self.file(*place(rows)), self.record(job.views, rows))

    def save(self, job: Job, name: str, record: Any) -> None:
        """Writes one file."""
        import torch

        with created(job.path, name, name) as file:
            torch.save(record, file)

    def made(self, views: Views, name: str) -> Any:
        """The list of a batch, by the name of its file."""
        found = re.fullmatch(r"epoch_(\d+)/batch_(\d+)\.tar", name)
        return self.batch(views, int(found[1]), int(found[2])) if found else None

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """The folders of epochs, or the files of one."""
        names = views.replay_order.names
        if not folder:
            return [f"epoch_{epoch}" for epoch in np.unique(names[:, 0]).tolist()]
        found = re.fullmatch(r"epoch_(\d+)", folder)
        batches = names[names[:, 0] == int(found[1]), 1].tolist() if found else []
        return [f"batch_{batch}.tar" for batch in batches] or None

    def batch(self, views: Views, epoch: int, batch: int) -> Record | None:
        """The list of a batch, or None where there is no such batch."""
        positions = views.replay_order.group(epoch, batch)
        return None if positions is None else self.record(views, whole(views.rows(positions)))

    def file(self, epoch: int, batch: int) -> str:
        """The name of a batch's file."""
        return f"{FOLDER}/epoch_{epoch}/batch_{batch}.tar"

    def record(self, views: Views, rows: Rows) -> Record:
        """The list of a batch."""
        import torch

        mixed = mix(rows)
        return [
            torch.from_numpy(self.boxes(views, rows)),
            self.second_slot(rows),
            None if mixed.partners is None else torch.from_numpy(mixed.partners),
            mixed.share,
            None if mixed.box is None else [np.int64(edge) for edge in mixed.box],
            torch.from_numpy(class_scores(views, rows)),
        ]

    def boxes(self, views: Views, rows: Rows) -> npt.NDArray[Any]:
        """The crop boxes, as these lists have them."""
        return rounded_boxes(rows, self.box_type)

    def second_slot(self, rows: Rows) -> Any:
        """What stands behind the boxes: which views were mirrored."""
        import torch

        return torch.from_numpy(flips(rows, self.name))


def batches(job: Job) -> Iterator[Rows]:
    """The rows of each batch by slot, with progress."""
    order = job.views.replay_order
    if left := len(job.views) - len(order.positions):
        job.losses.append(f"{left:,} views that are in no batch")
    for rows in in_groups(job.views, order):
        yield whole(rows)
        job.progress(len(rows))


def place(rows: Rows) -> tuple[int, int]:
    """The epoch and the number of a batch."""
    epoch, batch, _ = rows.columns["replay"][0].tolist()
    return epoch, batch


def whole(rows: Rows) -> Rows:
    """The rows of a batch; raises `InvalidDataError` where it lacks a slot."""
    wrong = np.flatnonzero(rows.columns["replay"][:, 2] != np.arange(len(rows)))
    if len(wrong):
        epoch, batch = place(rows)
        message = f"batch {batch} of epoch {epoch} has no slot {wrong[0]}: name all shards of the dataset"
        raise InvalidDataError(message, key=rows.keys[0])
    return rows


def flips(rows: Rows, form: str) -> npt.NDArray[np.bool_]:
    """Which views were mirrored; refuses views of which that isn't known."""
    found = rows.columns.get("view_flip")
    if found is None or (found > 1).any():
        row = 0 if found is None else int((found > 1).argmax())
        raise UsageError(
            f"it is not known whether this view was mirrored, which {form} says of each", key=rows.keys[row]
        )
    return found.astype(np.bool_)


def mix(rows: Rows) -> Mix:
    """How the pictures of a batch were mixed; a list says it once for all of them."""
    columns = rows.columns
    shares = {
        way: columns[f"{way}_lambda"] for way in ("mixup", "cutmix")
        if f"{way}_lambda" in columns and not np.isnan(columns[f"{way}_lambda"]).all()
    }  # fmt: skip
    if not shares:
        return Mix(None, None, None)
    way, share = next(iter(shares.items()))
    partners = columns[f"{way}_partner"][:, 1]
    box = columns["cutmix_box"] if way == "cutmix" else np.zeros((len(rows), 4), np.int32)
    if len(shares) > 1 or (share != share[0]).any() or (partners < 0).any() or (box != box[0]).any():
        epoch, batch = place(rows)
        message = f"the views of batch {batch} of epoch {epoch} weren't all mixed in one way, and a list says but one"
        raise InvalidDataError(message, key=rows.keys[0])
    return Mix(partners.astype(np.int64), float(share[0]), box[0].tolist() if way == "cutmix" else None)
