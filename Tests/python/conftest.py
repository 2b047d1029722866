"""What all Python tests share: the built tools and the sample data."""

import os
import pathlib
import sys

import pytest

# Before torch is imported, here and in programs that tests start: tools/test has a process for each core, and threads of
# several processes wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What tests share with the checks in tools; it brings the writer, the fixtures and the oracle.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "checking"))

from browser import browser, chromium  # noqa: E402
from running import BIN, ROOT, SAMPLES, error_rules, pack, tool, verify  # noqa: E402

__all__ = ["BIN", "ROOT", "SAMPLES", "browser", "chromium", "error_rules", "pack", "tool", "turned_picture", "verify"]


def pytest_configure(config):
    config.addinivalue_line("markers", "long: is left to tools/check-long")


def pytest_collection_modifyitems(items):
    if "RELABEL_LONG_TESTS" in os.environ:
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long; tools/check-long runs it"))


@pytest.fixture(params=["swift", "numpy"])
def library(request, monkeypatch):
    """Either engine of the package, in turn."""
    from relabel_hdf5.engines.library import library

    if request.param == "numpy":
        monkeypatch.setenv("RELABEL_LIBRARY", "none")
    elif os.environ.get("RELABEL_LIBRARY") == "none":
        monkeypatch.delenv("RELABEL_LIBRARY")
    library.cache_clear()
    assert (library() is None) == (request.param == "numpy")
    yield request.param
    library.cache_clear()


def turned_picture(path):
    """Writes a JPEG of 60×30 pixels, blue on its left and red on its right, that wishes to be shown turned by 90 degrees."""
    from PIL import Image

    picture = Image.new("RGB", (60, 30), "red")
    picture.paste("blue", (0, 0, 30, 30))
    exif = Image.Exif()
    exif[0x0112] = 6
    path.parent.mkdir(exist_ok=True)
    picture.save(path, exif=exif, quality=95)


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
