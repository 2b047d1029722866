"""Views as TinyViT saves them: a seed and the best classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import IO, Any, overload

import numpy as np
import numpy.typing as npt

from ...errors import InvalidDataError, UsageError
from ..options import Options
from ..source import Source
from ..views import Positions, Rows, Views, in_blocks, need
from .base import Job, OfViews
from .files import created
from .torch_files import by_score
from .view_facts import narrowed, need_one_score, source_facts, unknown_losses


class TinyViT:
    """`logits_topK_epochE/rankR-keys.txt`, a line for each view, and `rankR-values.bin`: seed, class ids, probabilities.

    A view's place in the replay is its epoch, its line and its rank. `save_logits.py` of TinyViT (microsoft/Cream) writes them. The seed makes crop, flip and augmentation again; the number
    of classes is nowhere.
    """

    name = "tinyvit"
    summary = "a folder of logits_topK_epochE with keys and values of each rank, as TinyViT saves them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.NEEDED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses views without seeds, and more classes than 16 bits number."""
        views = source.views
        need(views, self.name, ("view_seed", "replay"))
        need_one_score(views, self.name, "probability")
        if views.header.num_classes > 1 << 16:
            raise UsageError(
                f"tinyvit numbers classes by 16 bits, and there are {views.header.num_classes:,}: export them to npz"
            )

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        views = source.views
        found = unknown_losses(views, None)
        if views.header.num_classes > 1 << 15:
            found.append("ids above 32,767, which TinyViT's reader takes for negative ones: they are stored as such")
        if "view_box" in views.names:
            found.append("crop boxes and flips: TinyViT makes them again from the seed")
        return found

    def write(self, job: Job) -> None:
        """Writes the lines of one rank of an epoch after the other."""
        place: tuple[int, int] | None = None
        files: tuple[IO[bytes], ...] = ()
        line = 0
        try:
            for rows in in_blocks(job.views, job.views.slot_order):
                epoch, _, rank = rows.columns["replay"][0].tolist()
                if (epoch, rank) != place:
                    for file in files:
                        file.close()
                    place, line = (epoch, rank), 0
                    name = f"{folder(job.views, epoch)}/rank{rank}"
                    files = tuple(created(job.path, name + end, name) for end in ("-keys.txt", "-values.bin"))
                if (rows.columns["replay"][:, 1] != np.arange(line, line + len(rows))).any():
                    raise InvalidDataError(
                        f"rank {rank} of epoch {epoch} lacks a line at or behind {line}: name all shards of the dataset",
                        key=rows.keys[0],
                    )
                line += len(rows)
                files[0].write("".join(f"{key}\n" for key in keys(job.views, rows)).encode())
                files[1].write(values(job.views, rows).tobytes())
                job.progress(len(rows))
        finally:
            for file in files:
                file.close()

    def made(self, views: Views, name: str) -> Any:
        """The keys of a rank, a list of texts, or its records, which are read when they are asked for."""
        found = re.fullmatch(r"(logits_top\d+_epoch(\d+))/rank(\d+)-(keys\.txt|values\.bin)", name)
        positions = views.slot_order.group(int(found[2]), int(found[3])) if found else None
        if found is None or positions is None or found[1] != folder(views, int(found[2])):
            return None
        if found[4] == "values.bin":
            return Records(views, positions)
        size = 1 << 14
        blocks = (views.rows(positions[at : at + size]) for at in range(0, len(positions), size))
        return [key for rows in blocks for key in keys(views, rows)]

    def listed(self, views: Views, name: str) -> list[str] | None:
        """The folders of epochs, or the files of the ranks of one."""
        names = views.slot_order.names
        if not name:
            return [folder(views, epoch) for epoch in np.unique(names[:, 0]).tolist()]
        ranks = [rank for epoch, rank in names.tolist() if folder(views, epoch) == name]
        return [f"rank{rank}-{end}" for rank in ranks for end in ("keys.txt", "values.bin")] or None


class Records(Sequence[bytes]):
    """The records of a rank, by line."""

    def __init__(self, views: Views, positions: Positions) -> None:
        self._views, self._positions = views, positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, line: int) -> bytes: ...
    @overload
    def __getitem__(self, line: slice) -> Sequence[bytes]: ...
    def __getitem__(self, line: int | slice) -> bytes | Sequence[bytes]:
        """The bytes of one record, or some records."""
        if isinstance(line, slice):
            return Records(self._views, self._positions[line])
        return values(self._views, self._views.rows(self._positions[[line]])).tobytes()


def folder(views: Views, epoch: int) -> str:
    """The folder of an epoch."""
    return f"logits_top{views.header.top_k}_epoch{epoch}"


def keys(views: Views, rows: Rows) -> list[str]:
    """The lines of the file of keys: places of pictures, or names without their folders."""
    if source_facts(views.header).get("keys", "position") == "position":
        return [str(place) for place in rows.columns["image_index"].tolist()]
    return [key.rpartition("/")[2] for key in rows.keys]


def values(views: Views, rows: Rows) -> npt.NDArray[Any]:
    """The records of the file of values."""
    header = views.header
    ids, scores = rows.single_cells()
    if header.cell_order == "class":
        ids, scores = by_score(header, ids, scores)
    seeds = rows.columns["view_seed"]
    wrong = (seeds < -(1 << 31)) | (seeds >= 1 << 31)
    if wrong.any():
        place = int(wrong.argmax())
        raise UsageError(f"the seed {seeds[place]} has more than the 32 bits of tinyvit", key=rows.keys[place])
    found = np.empty(len(rows), [("seed", "<i4"), ("ids", "<u2", header.top_k), ("scores", "<f2", header.top_k)])
    found["seed"], found["ids"], found["scores"] = seeds, ids, narrowed(rows, scores, np.float16)
    return found
