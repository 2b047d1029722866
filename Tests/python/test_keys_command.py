"""relabel keys: which keys, in which order, and on what."""

import json
import subprocess

import numpy as np
import oracle
import pytest
import view_shards
from conftest import BIN, SAMPLES, pack, tool
from shard_writer import two_shards, write_dataset, write_shard
from test_view_command import on_terminal


def keys(path, *options):
    result = tool("relabel", "keys", path, *options)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_order_of_the_source(sample_dataset, tmp_path):
    """Whatever the order of the rows: packed as they come, and shuffled."""
    wanted = sorted(oracle.read_dataset(sample_dataset))
    assert keys(sample_dataset) == wanted
    packed = pack(SAMPLES / "maps", "--output", tmp_path / "ordered", "--row-order", "source", "--orientation", "yx")
    assert packed.returncode == 0, packed.stderr
    assert keys(tmp_path / "ordered") == wanted
    assert keys(tmp_path / "ordered" / "labels-00000.h5") == wanted


def test_class(sample_dataset):
    """Those whose target has the class at its top, by name, id or index, as relabel show prints it."""
    every = keys(sample_dataset)
    best = {}
    for key in every:
        top = json.loads(tool("relabel", "show", sample_dataset, "--key", key, "--format", "json").stdout)["top"]
        best[key] = [entry["class_index"] for entry in top]
    for name in ("1", "n01443537", "goldfish, Carassius auratus"):
        assert keys(sample_dataset, "--class", name) == [key for key in every if best[key][0] == 1]
    for top in (2, 5):
        found = keys(sample_dataset, "--class", 1, "--top", top)
        assert found == [key for key in every if 1 in best[key][:top]]


@pytest.mark.parametrize("options, words", [
    (["--class", "no such class"], "no class is called"), (["--class", "1000"], "no class is called"), (["--top", "2"], "--class"),
    (["--class", "1", "--top", "0"], "at least 1"),
])  # fmt: skip
def test_refusals(sample_dataset, options, words):
    result = tool("relabel", "keys", sample_dataset, *options)
    assert (result.returncode, result.stdout) == (64, "") and words in result.stderr


def test_shards_and_json(tmp_path):
    write_dataset(tmp_path / "two", *two_shards())
    lines = [line.split("\t") for line in keys(tmp_path / "two", "--shard")]
    assert len({shard for _, shard in lines}) == 2
    documents = [json.loads(line) for line in keys(tmp_path / "two", "--shard", "--format", "json")]
    assert [[document["key"], document["shard"]] for document in documents] == lines


def test_views(tmp_path):
    """Each view is a line: its key and its number."""
    rows = view_shards.crops(images=2, views=3)
    rows.shard().write(tmp_path / "a.h5")
    assert keys(tmp_path / "a.h5") == [f"{key}\t{view}" for key, view in zip(rows.keys, rows.columns["view"])]


def test_extent(tmp_path):
    """A map of a part of its picture counts with all that it covers."""
    ids = np.zeros((2, 2, 2, 1), "<u2")
    ids[1] = 7
    extent = {"map_extent": np.array([0.25, 0.25, 0.5, 0.5], "<f4")}
    write_shard(tmp_path / "a.h5", rows=2, keys=["a", "b"], height=2, width=2, k=1, ids=ids, attributes=extent)
    assert keys(tmp_path / "a.h5", "--class", 7) == ["b"]


def test_hostile_keys(tmp_path):
    """A program gets keys as they are, a terminal what can't steer it."""
    hostile = ["a\u202eb", "::error::c", "d\u2028e"]
    write_shard(tmp_path / "a.h5", rows=3, keys=hostile)
    result = tool("relabel", "keys", tmp_path / "a.h5")
    assert result.stdout == "".join(f"{key}\n" for key in hostile)
    _, output, _ = on_terminal(["keys", tmp_path / "a.h5"])
    assert output.count("\n") == 3 and "\u202e" not in output and "\u2028" not in output
    assert [json.loads(line)["key"] for line in keys(tmp_path / "a.h5", "--format", "json")] == hostile


def test_reader_that_has_enough(tmp_path):
    """head ends the list without a word."""
    count = 20_000
    write_shard(tmp_path / "a.h5", rows=count, keys=[f"folder/{place:06}" for place in range(count)], height=1, width=1,
                k=1, images_per_chunk=500, rows_per_identity_chunk=5000)  # fmt: skip
    script = f"'{BIN / 'relabel'}' keys '{tmp_path / 'a.h5'}' | head -n 1"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ("folder/000000\n", "")
    assert len(keys(tmp_path / "a.h5")) == count


def test_many_shuffled_keys(tmp_path):
    """Sorted without reading a chunk again for each key."""
    count = 60_000
    order = np.random.default_rng(0).permutation(count)
    write_shard(tmp_path / "a.h5", rows=count, keys=[f"folder/{place:06}" for place in order], image_indexes=order.tolist(),
                height=1, width=1, k=1, images_per_chunk=1000, rows_per_identity_chunk=4096,
                attributes={"row_order": "shuffled:0"})  # fmt: skip
    result = tool("relabel", "keys", tmp_path / "a.h5", timeout=30)
    assert result.stdout == "".join(f"folder/{place:06}\n" for place in range(count))
