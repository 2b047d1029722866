"""The built tools, run and looked at: what tests and checks share."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("RELABEL_BIN", ROOT / ".build" / "release"))
SAMPLES = ROOT / "samples"
# The writer, the fixtures and the oracle, which the conformance pack is made with.
sys.path.insert(0, str(ROOT / "spec" / "conformance" / "generator"))

import oracle  # noqa: E402


def tool(name, *arguments, **options):
    """Runs one of the built tools; the result has returncode, stdout and stderr as text."""
    options.setdefault("timeout", 120)
    return subprocess.run(
        [str(BIN / name), *map(str, arguments)], capture_output=True, text=True, **options
    )


def pack(*arguments, **options):
    return tool("relabel-pack", *arguments, **options)


def verify(*paths, **options):
    """The exit code and the JSON report of relabel-verify."""
    result = tool("relabel-verify", "--format", "json", *paths, **options)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def error_rules(report):
    """The ids of the broken rules, notes left out."""
    return sorted({f["rule"] for f in report["findings"] if f["severity"] == "error"})


def packed(*arguments, code=0, **options):
    """Runs the packer, expects an exit code, returns the JSON summary."""
    result = pack(*arguments, "--format", "json", **options)
    assert result.returncode == code, result.stderr
    return json.loads(result.stdout)


def sound(folder):
    """Asserts that a dataset verifies without errors and warnings."""
    code, report = verify(folder)
    assert code == 0 and report["verdict"] == "sound" and report["complete"], report
    assert {finding["severity"] for finding in report["findings"]} <= {"note", "warning"}


def same(folder, other):
    """Asserts that two datasets are the same byte for byte, index.json included."""
    one, two = oracle.folder_bytes(folder), oracle.folder_bytes(other)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
