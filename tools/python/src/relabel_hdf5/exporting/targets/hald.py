"""Epochs as HALD relabels them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..views import Views
from .base import Job
from .batch_lists import BatchLists, batches, place
from .lpld import sampled
from .view_facts import source_folder

_INDEX = "sampler_indices_dict.pt"
"""The file that says which pictures are meant."""


class HALD(BatchLists):
    """`NAME/epoch_E.tar`, a list of SRe2L's lists, and `NAME/sampler_indices_dict.pt`: the pictures of each epoch.

    `relabel/relabel_slc.py` of Jiacheng8/HALD writes them. Scores are probabilities, whose temperature (20) is nowhere in
    the files; the batch size stands in the folder's name alone.
    """

    name = "hald"
    summary = "a folder of epoch_E.tar, lists of batches, and sampler_indices_dict.pt, as HALD relabels"
    score_kind = "probability"
    box_type = np.float16

    def write(self, job: Job) -> None:
        """Writes a file for each epoch, which memory holds, and the index beside them."""
        folder = source_folder(job.views.header, "FKD")
        indexes: dict[str, list[int]] = {}
        lists: list[Any] = []
        epoch: int | None = None
        for rows in batches(job):
            if place(rows)[0] != epoch:
                self._end(job, folder, epoch, lists)
                epoch, lists = place(rows)[0], []
            lists.append(self.record(job.views, rows))
            indexes.setdefault(str(epoch), []).extend(rows.columns["image_index"].tolist())
        self._end(job, folder, epoch, lists)
        self.save(job, f"{folder}/{_INDEX}", indexes)

    def made(self, views: Views, name: str) -> Any:
        """The lists of an epoch, or the index, by the name of the file."""
        if name == _INDEX:
            return sampled(views, 0)
        found = re.fullmatch(r"epoch_(\d+)\.tar", name)
        names = views.replay_order.names
        batches = names[names[:, 0] == int(found[1]), 1].tolist() if found else []
        return [self.batch(views, int(found[1]), batch) for batch in batches] if found and batches else None

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """The files of epochs, and the index."""
        epochs = np.unique(views.replay_order.names[:, 0]).tolist()
        return None if folder else [*(f"epoch_{epoch}.tar" for epoch in epochs), _INDEX]

    def _end(self, job: Job, folder: str, epoch: int | None, lists: list[Any]) -> None:
        if epoch is not None:
            self.save(job, f"{folder}/epoch_{epoch}.tar", lists)
