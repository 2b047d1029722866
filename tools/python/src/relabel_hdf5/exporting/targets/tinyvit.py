"""Views as TinyViT saves them: a seed and the best classes."""

from __future__ import annotations

from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ...errors import InvalidDataError, UsageError
from ..options import Options
from ..source import Source
from ..views import Rows, Views, in_blocks, need
from .base import Job, OfViews
from .files import created
from .torch_files import by_score
from .view_facts import narrowed, need_one_score, source_facts, unknown_losses


class TinyViT:
    """`logits_topK_epochE/rankR-keys.txt`, a line for each view, and `rankR-values.bin`: seed, class ids, probabilities.

    `save_logits.py` of TinyViT (microsoft/Cream) writes them. The seed makes crop, flip and augmentation again; the number
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
        order, starts = job.views.replay_order
        place: tuple[int, int] | None = None
        files: tuple[IO[bytes], ...] = ()
        line = 0
        try:
            for rows in in_blocks(job.views, order, starts):
                epoch, rank, _ = rows.columns["replay"][0].tolist()
                if (epoch, rank) != place:
                    for file in files:
                        file.close()
                    place, line = (epoch, rank), 0
                    name = f"{folder(job.views, epoch)}/rank{rank}"
                    files = tuple(created(job.path, name + end, name) for end in ("-keys.txt", "-values.bin"))
                if (rows.columns["replay"][:, 2] != np.arange(line, line + len(rows))).any():
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


def folder(views: Views, epoch: int) -> str:
    """The folder of an epoch."""
    return f"logits_top{views.header.top_k}_epoch{epoch}"


def keys(views: Views, rows: Rows) -> list[str]:
    """The lines of the file of keys: places of pictures, or names."""
    if source_facts(views.header).get("keys", "position") == "position":
        return [str(place) for place in rows.columns["image_index"].tolist()]
    return rows.keys


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
