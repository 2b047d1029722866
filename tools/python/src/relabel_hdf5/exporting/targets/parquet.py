"""Image-level labels as a Parquet table, which the Hugging Face Hub shows."""

from __future__ import annotations

import json
from typing import Any

from ...layout import SOURCE_LABEL
from ...versions import demand
from ..options import Options
from ..source import Source
from .base import Job, OfViews
from .listed import TAKES, Listed, listed, lost

_ROWS = 10_000
"""Rows of a row group: a viewer reads one for the rows that it shows."""


class Parquet:
    """A row for each image, with the columns of k3999/multilabel-imagenet-1k and the names of classes."""

    name = "parquet"
    summary = "one .parquet: filename, gt_index, label_indices, label_probs, and names of classes; what the Hub shows"
    is_folder = False
    takes = TAKES | {"extension"}
    of_views = OfViews.PICTURES

    def refuse(self, source: Source, options: Options) -> None:
        """Takes all maps."""
        import pyarrow.parquet  # noqa: F401

        demand("pyarrow")

    def losses(self, source: Source, options: Options) -> list[str]:
        """What a label for the whole image says nothing of."""
        return lost(source, options, without=(SOURCE_LABEL,), has_names=True)

    def write(self, job: Job) -> None:
        """Writes the rows in groups; memory holds one group."""
        import pyarrow
        import pyarrow.parquet

        classes = job.source.header.classes
        schema = _schema(pyarrow, classes is not None, job.about)
        with pyarrow.parquet.ParquetWriter(
            job.path, schema, compression="zstd", write_page_index=True, store_schema=True
        ) as writer:
            rows: list[Listed] = []
            for block in listed(job):
                rows += block
                while len(rows) >= _ROWS:
                    writer.write_table(_table(pyarrow, schema, rows[:_ROWS], classes, job.options.extension))
                    del rows[:_ROWS]
            if rows:
                writer.write_table(_table(pyarrow, schema, rows, classes, job.options.extension))


def _schema(pyarrow: Any, has_names: bool, about: dict[str, Any]) -> Any:
    fields = [
        ("filename", pyarrow.string()), ("gt_index", pyarrow.int32()),
        ("label_indices", pyarrow.list_(pyarrow.int32())), ("label_probs", pyarrow.list_(pyarrow.float32())),
    ]  # fmt: skip
    if has_names:
        fields += [("gt_name", pyarrow.string()), ("label_names", pyarrow.list_(pyarrow.string()))]
    return pyarrow.schema(fields, metadata={"relabel_export": json.dumps(about, ensure_ascii=False)})


def _table(pyarrow: Any, schema: Any, rows: list[Listed], classes: Any, extension: str) -> Any:
    columns: dict[str, list[Any]] = {
        "filename": [row.key + extension for row in rows],
        "gt_index": [row.label for row in rows],
        "label_indices": [row.ids.tolist() for row in rows],
        "label_probs": [row.probabilities.tolist() for row in rows],
    }
    if classes is not None:
        columns["gt_name"] = [None if row.label is None else classes[row.label].name for row in rows]
        columns["label_names"] = [[classes[place].name for place in row.ids.tolist()] for row in rows]
    return pyarrow.table(columns, schema=schema)
