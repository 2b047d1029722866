#!/usr/bin/env python3
"""Makes the folder shards/: files to test readers, writers and verifiers with, and what is expected of them.

    ./generate_shards.py [FOLDER]

Needs h5py and NumPy. The files come from the independent writer beside this (generator/shard_writer.py),
the contents beside them are read with h5py alone (content.py), the verdicts follow from spec/rules.md.
"""

import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "generator"))

from content import compact, content, text  # noqa: E402
from invalid_cases import invalid, set_times  # noqa: E402
from rule_fixtures import made  # noqa: E402
from valid_cases import PAIRS, valid  # noqa: E402

VERDICTS = {0: "sound", 1: "findings", 4: "unsafe", 5: "corrupt", 6: "unsupported"}
VERSION = "1.0"
WRITTEN = ("1.0", "1.1")  # versions of valid cases that writers are tested with


def verdict(exit_code):
    return {"exit_code": exit_code, "verdict": VERDICTS[exit_code]}


def make_valid(root):
    """Makes the valid cases and describes them."""
    for name, make in valid().items():
        folder = root / "valid" / name
        folder.mkdir(parents=True)
        path = make(folder)
        held = content(path)
        (folder / "content.json").write_text(text(held))
        yield {
            "name": f"valid/{name}",
            "path": str(path.relative_to(root)),
            "content": f"valid/{name}/content.json",
            "reader": "reads",
            "write": path.is_file() and held["header"]["format_version"] in WRITTEN,
            "verify": verdict(0) | {"errors": [], "notices": []},
        }


def make_invalid(root):
    """Makes the invalid cases and describes them."""
    for rule, variant, make in invalid():
        name = f"invalid/{rule.id}-{variant.replace('_', '-')}"
        folder = root / name
        folder.mkdir(parents=True)
        path, options = made(make, folder)
        if rule.id == "C013":
            set_times(path)
        is_error = rule.severity == "error"
        found = {"errors": [rule.id] * is_error, "notices": [rule.id] * (not is_error)}
        yield {
            "name": name,
            "path": str(path.relative_to(root)),
            "options": [option.replace(f"{root}/", "") for option in options],
            "reader": rule.reader,
            "verify": verdict(rule.exit_code) | found,
        }


def generate(root):
    """Makes everything in an empty folder."""
    cases = [*make_valid(root), *make_invalid(root)]
    paths = {case["name"]: case["path"] for case in cases}
    pairs = [{"paths": [paths[f"valid/{a}"], paths[f"valid/{b}"]], "equal": equal} for a, b, equal in PAIRS]
    parts = [",\n  ".join(map(compact, part)) for part in (cases, pairs)]
    document = '{{"cases": [\n  {}],\n "pairs": [\n  {}]}}\n'.format(*parts)
    (root / "cases.json").write_text(document)


def emptied(folder):
    """The folder without what an earlier run made; refuses one that holds anything else."""
    for name in ["valid", "invalid"]:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "cases.json").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    return folder


if __name__ == "__main__":
    generate(emptied(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "shards"))
