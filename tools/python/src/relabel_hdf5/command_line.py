"""What the commands of this package share: arguments, exit statuses, and how an error is printed."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from .errors import RelabelError, printable

USAGE, INTERNAL, INTERRUPTED = 64, 70, 130

Statuses = Sequence[tuple[type[Exception], int]]
"""The exit status of each kind of error, the first that fits."""


class Parser(argparse.ArgumentParser):
    """A parser whose exit status for usage is that of the other programs."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def add_format(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Adds `--format`."""
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="How to print the summary, or the error. (default: text)",
    )


def add_quiet(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Adds `--quiet`."""
    parser.add_argument("-q", "--quiet", action="store_true", help="Show no progress.")


def positive(text: str) -> int:
    """The whole number of at least 1 that an option gives."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def finish(
    program: str, work: Callable[[], int], statuses: Statuses, *, extra: str, stopped: str, as_json: bool
) -> int:
    """Does a command's work and returns its exit status; errors are printed as one line.

    `extra` is the extra of the package that brings what may be missing, `stopped` what an interruption says.
    """
    try:
        return work()
    except KeyboardInterrupt:
        say(f"{program}: stopped; {stopped}")
        return INTERRUPTED
    except (RelabelError, OSError) as error:
        status = next(status for kind, status in statuses if isinstance(error, kind))
        if as_json:
            print(json.dumps({"schema_version": "1.0", "error": printable(str(error)), "status": status}))
        say(f"{program}: {printable(str(error))}")
        return status
    except ImportError as error:
        say(f"{program}: {error}: pip install 'relabel-hdf5[{extra}]'")
        return USAGE
    except Exception as error:  # an error of ours, or of a library that says it in no form that is known here
        say(_trace(error))
        say(f"{program}: internal error: {type(error).__name__}: {printable(str(error))[:500]}")
        return INTERNAL


def say(text: str) -> None:
    """Prints a line for people at once, apart from the results."""
    clear_line()
    print(text, file=sys.stderr, flush=True)


def clear_line() -> None:
    """Clears the line of a terminal that shows progress."""
    if sys.stderr.isatty():
        print("\r\x1b[K", file=sys.stderr, end="", flush=True)


def _trace(error: Exception) -> str:
    """Where an internal error came from, for who mends it."""
    return "\n".join(map(printable, "".join(traceback.format_exception(error)).splitlines()))
