"""The programs of this package: `relabel`, `relabel-pack` and `relabel-verify`, wherever they are installed.

A wheel brings them along, beside its Python's own programs. `RELABEL_BIN` names another folder that holds them.
Without either, those of the checkout that this package lies in are used, then those on `PATH`.
"""

from __future__ import annotations

import csv
import functools
import os
import pathlib
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator

from .engines.library import CHECKOUT, FOLDER, REPAIR, bundled
from .errors import UsageError
from .versions import VERSION

NAMES = ("relabel", "relabel-pack", "relabel-verify")


def program(name: str) -> str:
    """The path of a program, which is of this package's version.

    Raises `UsageError` where there is none, and for one of another version, which is never used in its place.
    """
    if name not in NAMES:
        raise UsageError(f"there is no program {name!r}: the programs are {', '.join(NAMES)}")
    folder = os.environ.get("RELABEL_BIN")
    if folder:
        return _checked(os.path.join(folder, name), f"let RELABEL_BIN name the folder of version {VERSION}")
    if bundled():
        return _bundled(name)
    checkout = pathlib.Path(CHECKOUT)
    if (checkout / "Package.swift").exists() and (built := checkout / ".build" / "release" / name).exists():
        return _checked(str(built), "run tools/build to build it again")
    if found := shutil.which(name):
        return _checked(found, f"install version {VERSION} of it, or name its folder in RELABEL_BIN")
    raise UsageError(
        f"{name} is not installed: this is relabel_hdf5 without its programs, which the wheels for Linux hold "
        "(pip install relabel-hdf5). Elsewhere build them with tools/build in a checkout, and name their folder "
        "in RELABEL_BIN"
    )


def _bundled(name: str) -> str:
    """The program that the same wheel installed as this package."""
    for path in _places(name):
        if path.is_file():
            return _checked(str(path), REPAIR)
    raise UsageError(f"{name} was installed together with {FOLDER} and is no longer there: {REPAIR}")


def _places(name: str) -> Iterator[pathlib.Path]:
    """Where the program may lie: where pip has noted it, as with `--user`, and where pip puts programs otherwise."""
    site = pathlib.Path(FOLDER).parent
    for record in site.glob("relabel_hdf5-*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as lines:
            yield from (site / row[0] for row in csv.reader(lines) if row and row[0].endswith(f"/{name}"))
    yield site / "bin" / name  # pip install --target
    yield pathlib.Path(sysconfig.get_path("scripts")) / name


@functools.cache
def _checked(path: str, repair: str) -> str:
    """The path, once the program there has said that it is of this package's version."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"the program can't be run: {error}. Mend it: {repair}", file=path) from error
    if answer.returncode:
        why = (answer.stderr.strip().splitlines() or [f"it ended with status {answer.returncode}"])[0]
        raise UsageError(f"the program does not say its version: {why}. Mend it: {repair}", file=path)
    version = (answer.stdout.split() or ["none"])[0]
    if version != VERSION:
        raise UsageError(f"the program is of version {version}, this package of {VERSION}: {repair}", file=path)
    return path
