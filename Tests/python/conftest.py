"""What all Python tests share: the built tools and the sample data."""

import os
import pathlib
import sys

import pytest

# What tests share with the checks in tools; it brings the writer, the fixtures and the oracle.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "checking"))

from browser import browser, chromium  # noqa: E402
from running import BIN, ROOT, SAMPLES, error_rules, pack, tool, verify  # noqa: E402

__all__ = ["BIN", "ROOT", "SAMPLES", "browser", "chromium", "error_rules", "pack", "tool", "verify"]


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
