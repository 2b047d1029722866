"""What all Python tests share: the built tools and the sample data."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("RELABEL_BIN", ROOT / ".build" / "release"))
SAMPLES = ROOT / "samples"
# The writer, the fixtures and the oracle, which the conformance pack is made with.
sys.path.insert(0, str(ROOT / "spec" / "conformance" / "generator"))


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


@pytest.fixture(scope="session")
def sample_dataset(tmp_path_factory):
    """The folder of a dataset packed from the bundled samples."""
    folder = tmp_path_factory.mktemp("samples") / "dataset"
    result = pack(
        SAMPLES / "maps", "--output", folder, "--classes", SAMPLES / "classes.tsv",
        "--annotator", SAMPLES / "annotator.json", "--orientation", "yx",
    )
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="session")
def sample_shard(request):
    """The samples' shard, or the one that RELABEL_SHARD names."""
    if "RELABEL_SHARD" in os.environ:
        return pathlib.Path(os.environ["RELABEL_SHARD"])
    return request.getfixturevalue("sample_dataset") / "labels-00000.h5"
