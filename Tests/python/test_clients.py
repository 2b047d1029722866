"""Readers that know nothing of the format open a shard without options (README, "Other readers")."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, **options)


@pytest.fixture(scope="module")
def expected(sample_shard):
    """Ids, decoded scores and keys through h5py."""
    with h5py.File(sample_shard) as shard:
        score = shard["score"]
        decoded = score[:].astype(np.float32) * score.attrs["scale_factor"] + score.attrs["add_offset"]
        return shard["class_index"][:], decoded, [key.decode() for key in shard["image_key"]]


def test_h5dump(sample_shard, expected):
    """h5dump decodes every value with the library's own filters."""
    result = run("h5dump", "-d", "/class_index", "-y", "-w", "0", sample_shard)
    assert result.returncode == 0, result.stderr
    body = result.stdout.split("DATA {")[1].split("}")[0]
    values = [int(value) for value in body.replace(",", " ").split()]
    assert values == expected[0].ravel().tolist()
    assert run("h5dump", "-H", sample_shard).returncode == 0


def test_ncdump(sample_shard, expected):
    """ncdump shows the header, and ids and stored scores in full."""
    header = run("ncdump", "-h", sample_shard)
    assert header.returncode == 0 and "ushort class_index(" in header.stdout
    data = run("ncdump", "-v", "class_index,score", sample_shard)
    assert data.returncode == 0, data.stderr
    ids = data.stdout.split(" class_index =")[1].split(";")[0]
    assert [int(value) for value in ids.replace(",", " ").split()] == expected[0].ravel().tolist()


XARRAY = """
import sys, numpy, xarray
with xarray.open_dataset(sys.argv[1], engine=sys.argv[2]) as dataset:
    assert dataset.class_index.dtype == numpy.uint16 and dataset.score.dtype == numpy.float32
    keys = [key.decode() if isinstance(key, bytes) else str(key) for key in dataset.image_key.values]
    numpy.savez(sys.argv[3], ids=dataset.class_index, scores=dataset.score, keys=keys)
"""


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray(sample_shard, expected, engine, tmp_path):
    """xarray decodes scores by itself and keeps ids whole numbers."""
    # In a process of its own: netCDF4 brings an HDF5 library that should not meet h5py's.
    result = run(sys.executable, "-W", "ignore", "-c", XARRAY, sample_shard, engine, tmp_path / "seen.npz")
    assert result.returncode == 0, result.stderr
    with np.load(tmp_path / "seen.npz") as seen:
        np.testing.assert_array_equal(seen["ids"], expected[0])
        np.testing.assert_array_equal(seen["scores"], expected[1])
        assert seen["keys"].tolist() == expected[2]


def test_hdf5r(sample_shard, expected, tmp_path):
    """R's hdf5r reads ids, keys and attributes; R counts from 1 and reverses the axes."""
    script = tmp_path / "read.R"
    script.write_text(
        "library(hdf5r)\n"
        'shard <- H5File$new(commandArgs(TRUE)[1], mode = "r")\n'
        'ids <- shard[["class_index"]]\n'
        'score <- shard[["score"]]\n'
        'cat(ids$dims, ids[, 2, 3, 4], shard[["image_key"]][4], "\\n")\n'
        'values <- score[, 2, 3, 4] * h5attr(score, "scale_factor") + h5attr(score, "add_offset")\n'
        'cat(format(values, digits = 17), "\\n")\n'
    )
    result = run("Rscript", script, sample_shard)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.strip().split("\n")
    shape = list(reversed(expected[0].shape))
    assert first.split() == [*map(str, shape), *map(str, expected[0][3, 2, 1]), expected[2][3]]
    assert [float(value) for value in second.split()] == expected[1][3, 2, 1].tolist()


def test_hugging_face(sample_shard, expected, tmp_path):
    """load_dataset("hdf5") takes a shard as it is, one row an image."""
    pytest.importorskip("datasets")
    script = (
        "import sys, json\n"
        "from datasets import load_dataset\n"
        "rows = load_dataset('hdf5', data_files=sys.argv[1], split='train')\n"
        "print(json.dumps([len(rows), rows[2]['image_key'].decode(), rows[2]['class_index']]))\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    result = run(sys.executable, "-c", script, sample_shard, env=environment)
    assert result.returncode == 0, result.stderr
    count, key, ids = json.loads(result.stdout.strip().split("\n")[-1])
    assert (count, key) == (len(expected[2]), expected[2][2])
    assert ids == expected[0][2].tolist()
