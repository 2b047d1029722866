"""The options of `relabel-export`."""

from __future__ import annotations

import argparse

from ..command_line import Parser, add_format, add_quiet
from ..versions import VERSION
from .image_labels import RULES
from .options import Options
from .targets import TARGETS

_DESCRIPTION = """\
Write the labels of shards in a form that others read.

What a form can't hold is printed, and stored in export.json (in a folder of the
output, or beside a file as NAME.export.json) with all that the shards say. The
output appears under its name when it is whole.
"""
_EXIT_CODES = """\
Exit codes: 0 done, 1 a shard breaks a rule, 4 a shard is unsafe, 5 a shard is
damaged, 6 a newer version is needed, 64 usage (an output that is here already,
or maps that the form can't hold), 70 internal error, 74 input or output failed,
130 interrupted.
"""


def parser() -> argparse.ArgumentParser:
    """The parser; `--help` prints it."""
    found = Parser(
        "relabel-export", description=_DESCRIPTION, epilog=f"{_forms()}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    defaults = Options()
    found.add_argument("--version", action="version", version=VERSION)
    found.add_argument("shards", nargs="+", metavar="SHARDS", help="A dataset, or shards of one build.")
    found.add_argument("--to", required=True, choices=tuple(TARGETS), metavar="FORM", help="One of the forms below.")
    found.add_argument("-o", "--output", required=True, metavar="PATH", help="The file or folder to make.")
    found.add_argument("--overwrite", action="store_true", help="Replace an earlier export.")
    found.add_argument(
        "--dense", action="store_true",
        help=f"Scores of all classes; absent ones are filled in as pooling does. ({_takers('dense')})",
    )  # fmt: skip
    found.add_argument(
        "--rule", choices=tuple(RULES), default=defaults.rule,
        help="How a map becomes one probability of each class. mean-softmax: the mean over its cells, which is the share "
        "of the picture that shows the class. max: the highest of a cell. pooled-softmax: the target of the whole "
        f"picture, where the largest object hides the others. ({_takers('rule')}; default: {defaults.rule})",
    )  # fmt: skip
    found.add_argument(
        "--threshold", type=float, default=defaults.threshold, metavar="P",
        help="List classes of at least this probability. With mean-softmax, 0.1 is a class that a tenth of the cells "
        f"are sure of; max needs 0.5 or more. ({_takers('threshold')}; default: {defaults.threshold})",
    )  # fmt: skip
    found.add_argument(
        "--extension", default=defaults.extension, metavar=".EXT",
        help=f"Added to keys where names of picture files are wanted. ({_takers('extension')})",
    )  # fmt: skip
    add_quiet(found)
    add_format(found)
    return found


def _takers(option: str) -> str:
    return ", ".join(target.name for target in TARGETS.values() if option in target.takes)


def _forms() -> str:
    width = max(map(len, TARGETS))
    return "Forms:\n" + "".join(f"  {name:{width}}  {target.summary}\n" for name, target in TARGETS.items())
