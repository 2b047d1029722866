"""`relabel-card`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial

from ..command_line import clear_line, finish, say
from ..errors import printable
from ..exporting import Options
from ..exporting.command import STATUSES
from ..exporting.progress import Progress
from .arguments import parser
from .session import card
from .stated import Stated


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status; errors are printed as one line."""
    options = parser().parse_args(arguments)
    return finish(
        "relabel-card", partial(_run, options), STATUSES, extra="card", as_json=options.format == "json",
        stopped="nothing was written",
    )  # fmt: skip


def run() -> None:
    """The entry point of the installed program."""
    sys.exit(main())


def _run(options: argparse.Namespace) -> int:
    stated = Stated(name=options.name, published=options.published, version=options.dataset_version, url=options.url)
    chosen = Options(rule=options.rule, threshold=options.threshold, extension=options.extension)
    done = card(
        options.dataset, options.output, stated, chosen, preview=not options.no_preview, overwrite=options.overwrite,
        progress=lambda total: Progress(total, None if options.quiet else sys.stderr).add,
    )  # fmt: skip
    clear_line()
    for text in done.missing:
        say(f"not stated: {text}")
    if done.preview_refused is not None:
        say(f"no preview: {printable(done.preview_refused)}")
    if options.format == "json":
        document = {
            "schema_version": "1.0", "output": done.output, "files": done.files, "missing": done.missing,
            "preview_refused": done.preview_refused,
        }  # fmt: skip
        print(json.dumps(document))
    else:
        print(f"{printable(done.output)}: {', '.join(done.files)}")
    return 0
