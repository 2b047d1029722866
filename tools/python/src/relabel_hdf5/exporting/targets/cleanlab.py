"""Image-level probabilities as cleanlab takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...layout import SOURCE_LABEL
from .. import losses
from ..options import Options
from ..source import Source
from .arrays import array_file
from .base import Job, OfViews
from .listed import image_bytes

_WARNING = """\
cleanlab finds wrong labels by comparing them with OUT-OF-SAMPLE probabilities: those of a network that was not trained
on the images that it judges. A network has learned the wrong labels of its own training images, and finds few of them
wrong. {annotator}

Pictures of several objects have one given label and several right answers: many of them are flagged though their label
is right. Look at what is flagged before you remove it.
"""

_README = """\
pred_probs.npy  float32 [{count}, {classes}]: the probability of each class (rule {rule})
labels.npy      int64 [{count}]: the class that the source gives, -1 where it gives none
keys.txt        the images, a line for each row
{extra}
"""


class Cleanlab:
    """`pred_probs.npy` [N, C], `labels.npy` [N], `keys.txt`, and a `README.txt` that warns of what misleads here."""

    name = "cleanlab"
    summary = "a folder with pred_probs.npy [N, C], labels.npy [N] and keys.txt, for cleanlab"
    is_folder = True
    takes = frozenset({"rule", "extension"})
    of_views = OfViews.PICTURES

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps."""

    def losses(self, source: Source, options: Options) -> list[str]:
        """What a probability for the whole image says nothing of."""
        found = [*losses.of_labels(source), *losses.of_columns(source, without=(SOURCE_LABEL,))]
        if not source.has_labels:
            found.append(
                "the class that the source gives, which the shards don't say: labels are -1, cleanlab needs them"
            )
        header = source.header
        if options.rule == "max" or (not header.has_softmax and header.fill == "zero"):
            found.append("probabilities that sum to 1: these don't")
        return [*found, "whether these are out-of-sample probabilities, which cleanlab needs: see README.txt"]

    def write(self, job: Job) -> None:
        """Writes the arrays row by row."""
        header, count = job.source.header, len(job.source)
        rule = job.options.rule
        unknown = 0
        with (
            array_file(job.path, "pred_probs", np.dtype(np.float32), (count, header.num_classes)) as probabilities,
            array_file(job.path, "labels", np.dtype(np.int64), (count,)) as labels,
            open(job.path / "keys.txt", "x", encoding="utf-8") as keys,
        ):
            for block in job.blocks(image_bytes(job.source)):
                probabilities.write(block.targets(rule).astype(np.float32, copy=False).tobytes())
                given = np.full(len(block), -1, np.int64) if block.labels is None else block.labels.astype(np.int64)
                labels.write(given.tobytes())
                unknown += int((given < 0).sum())
                keys.writelines(f"{key}{job.options.extension}\n" for key in block.keys)
        extra = f"\n{unknown:,} rows have the label -1: leave them out of both arrays.\n" if unknown else ""
        text = _README.format(count=count, classes=header.num_classes, rule=job.options.rule, extra=extra)
        warning = _WARNING.format(annotator=_annotator(header.annotator))
        (job.path / "README.txt").write_text(text + warning, encoding="utf-8")


def _annotator(document: dict[str, Any] | None) -> str:
    name = (document or {}).get("name")
    if not isinstance(name, str):
        return "These shards don't say which network made them, nor what it was trained on."
    return f"The network is {' '.join(name.split())!r}; the shards don't say what it was trained on."
