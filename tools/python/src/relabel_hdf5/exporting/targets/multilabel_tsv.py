"""Image-level labels as the lines of MultiLabel-ImageNet (2026)."""

from __future__ import annotations

from ...layout import SOURCE_LABEL
from ..options import Options
from ..source import Source
from .base import Job, OfViews
from .listed import TAKES, listed, lost


class MultilabelTSV:
    """A line FILE, GT, IDS, PROBS for each image, tabs between them, commas within: probabilities of four decimals.

    `multilabel/convert_labels.py` of jchen175/MultiLabel-ImageNet reads these files. It has no word for an image
    without a class of its own: GT is -1.
    """

    name = "multilabel-tsv"
    summary = "one .tsv, a line FILE, GT, IDS, PROBS for each image, as MultiLabel-ImageNet (2026) has them"
    is_folder = False
    takes = TAKES | {"extension"}
    of_views = OfViews.PICTURES

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps: no key holds a tab (spec, section 9.2)."""

    def losses(self, source: Source, options: Options) -> list[str]:
        """What a label for the whole image says nothing of."""
        found = lost(source, options, without=(SOURCE_LABEL,))
        if not options.extension:
            found.append("the extensions of the pictures' files, which keys don't have: --extension .JPEG adds one")
        if not source.has_labels:
            found.append("the class that the source gives, which the shards don't say: GT is -1")
        return [*found, "digits behind the fourth of a probability"]

    def write(self, job: Job) -> None:
        """Writes the lines."""
        with open(job.path, "x", encoding="utf-8", newline="\n") as file:
            for block in listed(job):
                for row in block:
                    label = -1 if row.label is None else row.label
                    ids = ",".join(map(str, row.ids.tolist()))
                    probabilities = ",".join(f"{value:.4f}" for value in row.probabilities.tolist())
                    file.write(f"{row.key}{job.options.extension}\t{label}\t{ids}\t{probabilities}\n")
