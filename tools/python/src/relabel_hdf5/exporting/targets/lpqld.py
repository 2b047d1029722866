"""Batches as LPQLD relabels, quantizes and prunes them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...errors import UsageError
from ..views import Rows, Views
from .batch_lists import FOLDER, Record, mix
from .lpld import LPLD, sampled
from .torch_files import by_score
from .view_facts import class_scores, narrowed, operations, score_type


class LPQLD(LPLD):
    """`batch_N.tar`, counted through all epochs, and `sampler_indices_batch.json`: the pictures of each batch.

    `generate_soft_label_pruning_batch.py` of he-y/soft-label-pruning-for-dataset-distillation writes six to eight slots:
    boxes, flips, [parameters of RandAugment], partners' slots, lambda, box, logits, [classes of the logits].
    """

    name = "lpqld"
    summary = "a folder labels of batch_N.tar and sampler_indices_batch.json, lists of six to eight, as LPQLD relabels"
    index = "sampler_indices_batch.json"
    box_type = np.float16

    def refuse_width(self, views: Views) -> None:
        """Refuses classes that 16 bits can't number."""
        if views.header.num_classes > 1 << 16:
            raise UsageError(
                f"lpqld numbers classes by 16 bits, and there are {views.header.num_classes:,}: export them to npz"
            )

    def made(self, views: Views, name: str) -> Any:
        """The list of a batch, or the index, by the name of the file."""
        if name == self.index:
            return sampled(views, 1)
        found = re.fullmatch(r"batch_(\d+)\.tar", name)
        return self.batch(views, 0, int(found[1])) if found else None

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """The files of batches, and the index."""
        names = views.replay_order.names
        return (
            None if folder else [*(f"batch_{batch}.tar" for batch in names[names[:, 0] == 0, 1].tolist()), self.index]
        )

    def file(self, epoch: int, batch: int) -> str:
        """The name of a batch's file."""
        if epoch:
            raise UsageError(
                f"lpqld counts batches through all epochs, and these shards count them in epoch {epoch} anew"
            )
        return f"{FOLDER}/batch_{batch}.tar"

    def number(self, epoch: int, batch: int) -> int:
        """Which member of the index a batch belongs to."""
        return batch

    def record(self, views: Views, rows: Rows) -> Record:
        """The list of a batch."""
        import torch

        mixed = mix(rows)
        if max(mixed.box or [0]) > 255 or (mixed.partners is not None and (mixed.partners > 255).any()):
            raise UsageError("lpqld holds slots and edges up to 255, and this batch has higher ones", key=rows.keys[0])
        return [
            torch.from_numpy(self.boxes(views, rows)),
            self.second_slot(rows),
            *_augmentation(rows),
            None if mixed.partners is None else torch.from_numpy(mixed.partners.astype(np.uint8)),
            mixed.share,
            None if mixed.box is None else [torch.tensor(edge, dtype=torch.uint8) for edge in mixed.box],
            *_scores(views, rows),
        ]


def _scores(views: Views, rows: Rows) -> list[Any]:
    """Logits of all classes, or those that are kept and their classes, the highest first."""
    import torch

    header = views.header
    if header.top_k == header.num_classes:
        return [torch.from_numpy(class_scores(views, rows))]
    ids, scores = rows.single_cells()
    if header.cell_order == "class":
        ids, scores = by_score(header, ids, scores)
    kept = narrowed(rows, scores, score_type(header))
    return [torch.from_numpy(kept), torch.from_numpy(ids.astype(np.uint16).view(np.int16))]


def _augmentation(rows: Rows) -> list[Any]:
    """For each operation of RandAugment its number, what was drawn and its level, for all views; nothing without it."""
    import torch

    found = operations(rows)
    drawn: list[list[list[float]]] = [entry.get("rand_augment", []) for entry in found]
    if not any(drawn):
        return []
    if len({len(entry) for entry in drawn}) > 1:
        raise UsageError(
            "the views of a batch have different numbers of operations, and lpqld has one", key=rows.keys[0]
        )
    steps = []
    for step, types in enumerate(_level_types(found, drawn)):
        numbers, draws, levels = (np.array([entry[step][place] for entry in drawn]) for place in range(3))
        steps.append([
            torch.from_numpy(numbers.astype(np.int64)),
            torch.from_numpy(draws.astype(np.float16)),
            torch.from_numpy(levels.astype(types)),
        ])  # fmt: skip
    return [steps]


def _level_types(found: list[dict[str, Any]], drawn: list[list[list[float]]]) -> list[type[np.generic]]:
    """Levels are whole numbers in batches where all of them are; the shards say so, or write them without a point."""
    said = found[0].get("level_type")
    if said is None:
        whole = [all(isinstance(entry[step][2], int) for entry in drawn) for step in range(len(drawn[0]))]
        said = ["int64" if is_whole else "float16" for is_whole in whole]
    return [np.int64 if name == "int64" else np.float16 for name in said]
