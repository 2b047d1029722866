"""Batches as EDC relabels them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..options import Options
from ..source import Source
from ..views import Rows, Views, need
from .batch_lists import BatchLists, Record
from .sre2l import pictures
from .view_facts import operations, pixel_boxes, unknown_losses


class EDC(BatchLists):
    """`epoch_E/batch_B.tar`: SRe2L's six slots, places of pictures, and the order of patches.

    `relabel/generate_soft_label_with_db.py` of shaoshitong/EDC divides top and height by the picture's *width*, left and
    width by its height, and so does its reader.
    """

    name = "edc"
    summary = "a folder labels of epoch_E/batch_B.tar, lists of eight, as EDC relabels"

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses views of pictures whose size isn't known: boxes depend on it."""
        need(source.views, self.name, ("view_box", "image_size", "replay"))
        super().refuse(source, options)

    def losses(self, source: Source, options: Options) -> list[str]:
        """What lists say nothing of; boxes are made again from whole pixels."""
        return unknown_losses(source.views, None)

    def boxes(self, views: Views, rows: Rows) -> npt.NDArray[Any]:
        """Top and height by width, left and width by height."""
        height, width = rows.columns["image_size"].astype(np.float64).T
        found: npt.NDArray[Any] = pixel_boxes(rows, self.name) / np.stack([width, height, width, height], 1)
        return found.astype(np.float32)

    def record(self, views: Views, rows: Rows) -> Record:
        """The list of a batch."""
        import torch

        patches = [entry.get("permutation", [[0, 0], [0, 0]]) for entry in operations(rows)]
        return [*super().record(views, rows), pictures(rows), torch.tensor(patches, dtype=torch.int32)]
