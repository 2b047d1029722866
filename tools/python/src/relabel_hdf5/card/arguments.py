"""The options of `relabel-card`."""

from __future__ import annotations

import argparse

from ..command_line import Parser, add_format, add_quiet
from ..exporting import Options
from ..exporting.image_labels import RULES
from ..versions import VERSION

_DESCRIPTION = """\
Write what a dataset needs to be published: README.md with the header that the
Hugging Face Hub reads, croissant.json (Croissant 1.0), which names every file with
its size and SHA-256, and preview.parquet, one label for each picture.

Licence, citation, source and annotator are those that the shards state. What
nobody has stated is printed, and the card says so.
"""
_EXIT_CODES = """\
Exit codes: 0 done, 1 a shard breaks a rule, 4 a shard is unsafe, 5 a shard is
damaged, 6 a newer version is needed, 64 usage (a file that is here already), 70
internal error, 74 input or output failed, 130 interrupted.
"""


def parser() -> argparse.ArgumentParser:
    """The parser; `--help` prints it."""
    found = Parser(
        "relabel-card", description=_DESCRIPTION, epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    defaults = Options()
    found.add_argument("--version", action="version", version=VERSION)
    found.add_argument("dataset", metavar="PATH", help="The dataset: the folder with index.json.")
    found.add_argument(
        "-o", "--output", metavar="FOLDER",
        help="Where the files go; the folder is made where it is not there. (default: the dataset's own folder, as the Hub wants it)",
    )  # fmt: skip
    found.add_argument(
        "--overwrite", action="store_true", help="Replace an earlier card. One that was changed by hand is never replaced."
    )
    said = found.add_argument_group("what only you can state")
    said.add_argument("--name", metavar="TEXT", help="What the dataset is called. (default: the name of its folder)")
    said.add_argument("--published", metavar="DAY", help="The day of publication, such as 2026-11-29.")
    said.add_argument("--dataset-version", metavar="VERSION", help="The dataset's version, such as 1.0.0.")
    said.add_argument("--url", metavar="ADDRESS", help="The dataset's page.")
    table = found.add_argument_group("the preview, as of relabel-export --to parquet")
    table.add_argument("--no-preview", action="store_true", help="Write none; nothing but the header of the shards is read then.")
    table.add_argument(
        "--rule", choices=tuple(RULES), default=defaults.rule,
        help=f"How a map becomes one probability of each class. (default: {defaults.rule})",
    )  # fmt: skip
    table.add_argument(
        "--threshold", type=float, default=defaults.threshold, metavar="P",
        help=f"List classes of at least this probability. (default: {defaults.threshold})",
    )  # fmt: skip
    table.add_argument("--extension", default=defaults.extension, metavar=".EXT", help="Added to keys, such as .JPEG.")
    add_format(found)
    add_quiet(found)
    return found
