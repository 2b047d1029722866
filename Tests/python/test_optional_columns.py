"""Columns that the packer writes when asked: `log_normalizer` of dense logits, `map_extent` from a table."""

import json
import shutil

import h5py
import numpy as np
import pytest
from conftest import BIN, SAMPLES, pack, tool, verify
from running import packed

import relabel_hdf5

ENGINES = [pytest.param(BIN / "libRelabelC.so", id="swift"), pytest.param("none", id="numpy")]
KEYS = ["a", "b", "c"]


@pytest.fixture
def logits():
    """Three maps [C, H, W]; one cell has a class far above all others, one far below 0."""
    scores = np.random.default_rng(5).normal(0, 3, (3, 30, 3, 4)).astype(np.float32)
    scores[0, 7, 0, 0], scores[1, :, 1, 1] = 90, scores[1, :, 1, 1] - 100
    return scores


def expected(scores):
    scores = scores.astype(np.float64)
    highest = scores.max(-3)
    return (highest + np.log(np.exp(scores - highest[..., None, :, :]).sum(-3))).astype(np.float32)


def write(kind, logits, folder):
    """The maps as a dialect of dense arrays has them."""
    folder.mkdir()
    if kind == "npz":
        np.savez_compressed(folder / "all.npz", logits=logits, keys=np.array(KEYS))
    for key, scores in zip(KEYS, logits) if kind != "npz" else ():
        np.save(folder / f"{key}.npy", np.asfortranarray(scores) if kind == "fortran" else scores)
    return folder


@pytest.mark.parametrize("kind", ["npy", "fortran", "npz"])
@pytest.mark.parametrize("encoding", ["fixed16", "fixed8", "float32"])
def test_log_normalizer_of_dense_logits(kind, encoding, logits, tmp_path):
    maps = write(kind, logits.clip(-1.9, 61) if encoding == "fixed8" else logits, tmp_path / "maps")
    given = logits.clip(-1.9, 61) if encoding == "fixed8" else logits
    packed(
        maps, "-o", tmp_path / "out", "--score-kind", "logit", "--log-normalizer",
        "--score-encoding", encoding, "--images-per-chunk", 2,
    )  # fmt: skip
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as shard:
        column = shard["log_normalizer"]
        assert column.dtype == "<f4" and column.chunks == (2, 3, 4) and column.attrs["axes"] == b"image y x"
        rows = [KEYS.index(key.decode()) for key in shard["image_key"]]
        np.testing.assert_allclose(column[:], expected(given)[rows], rtol=2e-7, atol=0)
    assert json.loads((tmp_path / "out" / "index.json").read_text())["options"]["log_normalizer"] is True
    assert verify(tmp_path / "out")[0] == 0


def test_log_normalizer_of_a_batch(logits, tmp_path):
    np.save(tmp_path / "batch.npy", logits)
    packed(tmp_path / "batch.npy", "-o", tmp_path / "out", "--score-kind", "logit", "--log-normalizer")
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as shard:
        np.testing.assert_allclose(shard["log_normalizer"][:], expected(logits)[shard["image_index"][:]], rtol=2e-7)


def test_log_normalizer_needs_the_logits_of_all_classes(logits, tmp_path):
    result = pack(SAMPLES / "maps", "-o", tmp_path / "a", "--log-normalizer")
    assert result.returncode == 5 and "the sum over all is not known" in result.stderr
    np.save(tmp_path / "a.npy", np.full((4, 2, 2), 0.25, np.float32))
    result = pack(tmp_path / "a.npy", "-o", tmp_path / "b", "--score-kind", "probability", "--log-normalizer", "--top-k", 2)
    assert result.returncode == 64 and "only logits have" in result.stderr


def test_a_resumed_run_compares_the_columns(logits, tmp_path):
    maps = write("npy", logits, tmp_path / "maps")
    (tmp_path / "extents.csv").write_text("key,top,left,height,width\n" + "".join(f"{key},0,0.25,1,0.5\n" for key in KEYS))
    options = (
        maps, "-o", tmp_path / "out", "--score-kind", "logit", "--log-normalizer", "--map-extents",
        tmp_path / "extents.csv", "--images-per-shard", 2,
    )  # fmt: skip
    packed(*options)
    whole = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "index.json").unlink()
    assert packed(*options)["kept_shards"] == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == whole
    # Another score of a class that no cell keeps: the same map, another sum.
    (tmp_path / "out" / "index.json").unlink()
    logits[:, 20] = -90
    for key, scores in zip(KEYS, logits):
        np.save(maps / f"{key}.npy", scores)
    packed(*options)
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as shard:
        rows = [KEYS.index(key.decode()) for key in shard["image_key"]]
        np.testing.assert_allclose(shard["log_normalizer"][:], expected(logits)[rows], rtol=2e-7)


@pytest.mark.parametrize("library", ENGINES)
def test_extents_from_a_table(library, logits, tmp_path, monkeypatch):
    maps = write("npy", logits, tmp_path / "maps")
    (tmp_path / "extents.csv").write_text(
        "\ufeffkey,image_height,image_width,top,left,height,width\r\n"
        "b.jpg,100,200,0,50,100,100\r\na.npy,10,10,1,0,9,10\r\n./c,4,4,0,0,4,4\r\n"
    )
    packed(maps, "-o", tmp_path / "out", "--score-kind", "logit", "--map-extents", tmp_path / "extents.csv")
    assert verify(tmp_path / "out")[0] == 0
    monkeypatch.setenv("RELABEL_LIBRARY", str(library))
    with relabel_hdf5.open(tmp_path / "out") as labels:
        sides = {"a": (0.1, 0, 0.9, 1), "b": (0, 0.25, 1, 0.5), "c": (0, 0, 1, 1)}
        for key, side in sides.items():
            np.testing.assert_array_equal(labels[key].extent, np.float32(side))
    inside = tool("relabel", "pool", tmp_path / "out", "--key", "b", "--box", "0,0.25,1,0.5")
    assert inside.returncode == 0
    beyond = tool("relabel", "pool", tmp_path / "out", "--key", "b", "--box", "0,0,1,1")
    assert beyond.returncode == 64 and "leaves what the map covers" in beyond.stderr
    recovered = tool("relabel", "recover", tmp_path / "out", "--output", tmp_path / "again")
    assert recovered.returncode == 0, recovered.stderr


@pytest.mark.parametrize(
    "table, code, message",
    [
        ("key,top,left,height\n", 64, "there is no column 'width'; needed are key,top,left,height,width"),
        ("key,top,left,height,width\na,0,0,1,1\na.jpg,0,0,1,1\n", 64, "line 3: the image 'a' has another line before this one"),
        ("key,top,left,height,width\na,0,0,300,400\n", 64, "pixels need the columns"),
        ("key,top,left,height,width\na,0,0,1,1\nb,0,0,1,1\n", 5, "no line in the table of map extents"),
        ("", 64, "no column names"),
    ],
)
def test_tables_of_extents_that_are_wrong(table, code, message, logits, tmp_path):
    maps = write("npy", logits, tmp_path / "maps")
    (tmp_path / "extents.csv").write_text(table)
    result = pack(maps, "-o", tmp_path / "out", "--score-kind", "logit", "--map-extents", tmp_path / "extents.csv")
    assert result.returncode == code and message in result.stderr, result.stderr
    assert not (tmp_path / "out" / "index.json").exists()


def test_without_the_options_bytes_stay(logits, tmp_path):
    maps = write("npy", logits, tmp_path / "maps")
    packed(maps, "-o", tmp_path / "a", "--score-kind", "logit")
    with h5py.File(tmp_path / "a" / "labels-00000.h5") as shard:
        assert sorted(shard) == ["class_index", "image_index", "image_key", "score"]
    options = json.loads((tmp_path / "a" / "index.json").read_text())["options"]
    assert not {"log_normalizer", "map_extents"} & options.keys()
    shutil.rmtree(tmp_path / "a")
