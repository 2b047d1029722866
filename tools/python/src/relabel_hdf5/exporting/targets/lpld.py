"""Batches as LPLD relabels and prunes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import InvalidDataError
from ...layout import IMAGE_INDEX
from ..views import Rows, Views
from .base import Job
from .batch_lists import FOLDER, BatchLists, batches, place
from .view_facts import operations


class LPLD(BatchLists):
    """SRe2L's lists, and `sampler_indices_epoch.json`: the pictures of each epoch, in the order of the batches.

    `generate_soft_label_pruning.py` of he-y/soft-label-pruning-for-dataset-distillation writes them. For ImageNet-21k the
    second slot holds seven numbers of a cutout, and no view is mirrored.
    """

    name = "lpld"
    summary = "a folder labels of epoch_E/batch_B.tar and sampler_indices_epoch.json, as LPLD relabels"
    index = "sampler_indices_epoch.json"
    """The file that says which pictures are meant."""

    def write(self, job: Job) -> None:
        """Writes a file for each batch, and the index beside them."""
        (job.path / FOLDER).mkdir()
        with open(job.path / FOLDER / self.index, "x", encoding="ascii") as index:
            last: int | None = None
            for rows in batches(job):
                self.save(job, self.file(*place(rows)), self.record(job.views, rows))
                number = self.number(*place(rows))
                opening = ", " if number == last else f'{"{" if last is None else "], "}"{number}": ['
                index.write(opening + ", ".join(map(str, rows.columns["image_index"].tolist())))
                last = number
            index.write("]}")

    def made(self, views: Views, name: str) -> Any:
        """The list of a batch, or the index, by the name of the file."""
        return sampled(views, 0) if name == self.index else super().made(views, name)

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """The folders of epochs and the index, or the files of an epoch."""
        found = super().listed(views, folder)
        return found if folder or found is None else [*found, self.index]

    def number(self, epoch: int, batch: int) -> int:
        """Which member of the index a batch belongs to."""
        return epoch

    def second_slot(self, rows: Rows) -> Any:
        """Which views were mirrored, or the cutouts."""
        import torch

        cutouts = [entry.get("cutout") for entry in operations(rows)]
        if all(cutout is None for cutout in cutouts):
            return super().second_slot(rows)
        if any(cutout is None for cutout in cutouts):
            raise InvalidDataError(
                "some views of a batch have a cutout, and others don't", dataset="operations", key=rows.keys[0]
            )
        return torch.from_numpy(np.array(cutouts, np.float32))


def sampled(views: Views, column: int) -> dict[str, list[int]]:
    """The pictures of each epoch (column 0) or each batch (column 1), in the order of training."""
    positions, starts, names = views.replay_order
    images = views.columns(positions, (IMAGE_INDEX,))[IMAGE_INDEX]
    found: dict[str, list[int]] = {}
    for name, first, end in zip(names[:, column].tolist(), starts[:-1].tolist(), starts[1:].tolist()):
        found.setdefault(str(name), []).extend(images[first:end].tolist())
    return found
