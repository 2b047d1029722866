"""`relabel-export`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial

from ..command_line import USAGE, Statuses, clear_line, finish, say
from ..errors import (
    CorruptError,
    InvalidDataError,
    RelabelError,
    UnsafeError,
    UnsupportedError,
    UsageError,
)
from .arguments import parser
from .options import Options
from .progress import Progress
from .session import export

STATUSES: Statuses = (
    (UsageError, USAGE),
    (UnsafeError, 4),
    (CorruptError, 5),
    (UnsupportedError, 6),
    (InvalidDataError, 1),
    (OSError, 74),
    (RelabelError, 74),
)
"""The exit status of each error, for the programs that read shards and write something else."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status; errors are printed as one line."""
    options = parser().parse_args(arguments)
    return finish(
        "relabel-export", partial(_run, options), STATUSES, extra="export", as_json=options.format == "json",
        stopped="nothing was written",
    )  # fmt: skip


def run() -> None:
    """The entry point of the installed program."""
    sys.exit(main())


def _run(options: argparse.Namespace) -> int:
    chosen = Options(rule=options.rule, threshold=options.threshold, dense=options.dense, extension=options.extension)
    done = export(
        options.shards, options.to, options.output, chosen, overwrite=options.overwrite, say=say,
        progress=lambda total: Progress(total, None if options.quiet else sys.stderr).add,
    )  # fmt: skip
    clear_line()
    if options.format == "json":
        document = {
            "schema_version": "1.0", "target": options.to, "output": done.output, "images": done.images,
            "losses": done.losses, **({} if done.views is None else {"views": done.views}),
        }  # fmt: skip
        print(json.dumps(document))
    else:
        views = "" if done.views is None else f"{done.views:,} views of "
        print(f"{done.output}: {views}{done.images:,} images as {options.to}")
    return 0
