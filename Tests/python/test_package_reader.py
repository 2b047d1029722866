"""The Python package reads what is in a shard or dataset: labels, keys, positions, headers."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc

import h5py
import numpy as np
import pytest
import torch
from conftest import ROOT, SAMPLES, pack
from oracle import CELL_ORDERS, ENCODINGS, read_dataset, read_shards
from pooling_reference import with_numpy, with_swift
from shard_writer import (
    ANNOTATOR,
    BUILD_ID,
    SCORE_KINDS,
    WRITER,
    Shard,
    two_shards,
    write_dataset,
    write_shard,
)

import relabel_hdf5
from relabel_hdf5 import ClassEntry, NotFoundError, PositionError, RelabelError, UsageError, keys
from relabel_hdf5.engines.numpy import column


@pytest.fixture(params=[with_numpy, with_swift], ids=["numpy", "swift"], autouse=True)
def engine(request, monkeypatch):
    """Everything is read by NumPy and by the Swift library."""
    request.param(monkeypatch)


def assert_sample(map, expected, key):
    """One map against what h5py alone reads of it."""
    assert map.key == key
    assert map.class_index.dtype == np.uint16 and map.score.dtype == np.float32
    np.testing.assert_array_equal(map.class_index, expected[key].ids)
    np.testing.assert_array_equal(map.score, expected[key].scores)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A folder of three shards, in a shuffled order."""
    folder = tmp_path_factory.mktemp("reader") / "dataset"
    result = pack(
        SAMPLES / "maps", "--output", folder, "--classes", SAMPLES / "classes.tsv", "--orientation", "yx",
        "--images-per-shard", 7, "--images-per-chunk", 3)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def maps(dataset):
    with relabel_hdf5.open(dataset) as maps:
        yield maps


# ---------------------------------------------------------------------------------------- equality


@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("cell_order", CELL_ORDERS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_equals_what_h5py_reads(encoding, cell_order, compression, tmp_path):
    result = pack(
        SAMPLES / "maps", "--output", tmp_path / "d", "--score-encoding", encoding,
        "--cell-order", cell_order, "--compression", compression, "--images-per-shard", 16)
    assert result.returncode == 0, result.stderr
    expected, shards = read_dataset(tmp_path / "d"), read_shards(tmp_path / "d")
    order = np.random.default_rng(0).permutation(len(expected))
    with relabel_hdf5.open(tmp_path / "d") as maps:
        assert len(shards) > 1 and len(maps) == len(expected)
        names = list(maps.keys())
        assert names == [key for shard in shards for key in shard.keys]
        batch = maps.batch(order)
        np.testing.assert_array_equal(batch.positions, order)
        for row, position in enumerate(order.tolist()):
            assert_sample(maps[position], expected, names[position])
            np.testing.assert_array_equal(batch.class_index[row], maps[position].class_index)
            np.testing.assert_array_equal(batch.score[row], maps[position].score)
        assert maps.image_indexes().tolist() == [index for shard in shards for index in shard.indexes]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("score_kind", SCORE_KINDS)
def test_scores_are_decoded_to_the_last_bit(encoding, score_kind, tmp_path):
    shard = Shard(encoding=encoding, score_kind=score_kind, rows=9, images_per_chunk=4)
    maps = relabel_hdf5.open(shard.write(tmp_path / "a.h5"))
    batch = maps.batch(range(9))
    np.testing.assert_array_equal(batch.class_index, shard.labels()[0])
    np.testing.assert_array_equal(batch.score.view(np.uint32), shard.decoded().astype("<f4").view(np.uint32))


def test_wide_ids(tmp_path):
    shard = Shard(num_classes=70_000, seed=3)
    batch = relabel_hdf5.open(shard.write(tmp_path / "a.h5")).batch([4, 0])
    assert batch.class_index.dtype == np.uint32
    np.testing.assert_array_equal(batch.class_index, shard.labels()[0][[4, 0]])
    assert batch.class_index.max() > 65_535


def test_extents_of_images_come_first(tmp_path):
    attributes = {"map_extent": np.array([0, 0.25, 1, 0.5], "<f4")}
    plain = relabel_hdf5.open(write_shard(tmp_path / "plain.h5", attributes=attributes))
    assert plain[1].extent == (0, 0.25, 1, 0.5)
    np.testing.assert_array_equal(plain.batch([1, 2]).extent, [[0, 0.25, 1, 0.5]] * 2)
    extents = np.linspace(0, 0.5, 20, dtype="<f4").reshape(5, 4)[:, ::-1].copy() + np.float32(0.1)
    own = relabel_hdf5.open(write_shard(
        tmp_path / "own.h5", attributes=attributes, optional=("map_extent",),
        column_changes={"map_extent": {"data": extents}}))
    batch = own.batch([3, 0])
    assert batch.extent.dtype == np.float64
    np.testing.assert_array_equal(batch.extent, extents[[3, 0]])
    assert own[3].extent == tuple(extents[3].tolist())


# ----------------------------------------------------------------------------------- what is opened


def test_header(tmp_path):
    path = write_shard(tmp_path / "a.h5", attributes={"temperature": np.float64(1.5)}, cell_order="class")
    maps = relabel_hdf5.open(path)
    header = maps.header
    assert (header.format_version, header.writer, header.build_id) == ("1.0", WRITER, BUILD_ID)
    assert (header.num_classes, header.score_kind, header.fill) == (10, "logit", "zero")
    assert header.temperature == 1.5
    assert (header.cell_order, header.row_order, header.orientation) == ("class", "source", "yx")
    assert (header.map_extent, header.shape) == ((0, 0, 1, 1), (3, 4, 3))
    assert (header.height, header.width, header.top_k) == (3, 4, 3)
    assert (header.encoding, header.step, header.offset) == ("fixed16", 1 / 256, -128)
    assert header.annotator == ANNOTATOR and header.metadata["licence"] == "CC0-1.0"
    assert maps.classes[3] == ClassEntry("n00000003", "class 3 é") and len(maps.classes) == 10


def test_a_changed_header_is_its_own(tmp_path):
    """The shards of a dataset have one document; who changes his copy changes no other."""
    path = write_shard(tmp_path / "a.h5")
    with relabel_hdf5.open(path) as first, relabel_hdf5.open(path) as second:
        first.header.metadata["annotator"] = "changed"
        assert second.header.metadata["annotator"] != "changed"


def test_header_of_floats_without_classes(tmp_path):
    document = {"annotator": None, "classes": None}
    maps = relabel_hdf5.open(write_shard(tmp_path / "a.h5", encoding="float16", document=document))
    assert maps.header.step is maps.header.offset is maps.header.annotator is maps.classes is None


def test_every_way_to_name_a_dataset(dataset, monkeypatch):
    monkeypatch.chdir(dataset)
    for path in (dataset, str(dataset), dataset / "index.json", "index.json", ".", f"{dataset}/"):
        maps = relabel_hdf5.open(path)
        assert maps.path == str(dataset)
        monkeypatch.chdir(dataset.parent)  # a folder of its own is no part of what was opened
        assert maps[0].key == relabel_hdf5.open(dataset)[0].key
        monkeypatch.chdir(dataset)
    shard = relabel_hdf5.open("labels-00001.h5")
    assert len(shard) == 7 and shard[0].key == relabel_hdf5.open(dataset)[7].key
    assert repr(shard) == f"<LabelMaps of 7 images in '{dataset / 'labels-00001.h5'}'>"


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.h5"):
        relabel_hdf5.open(tmp_path / "nowhere.h5")
    with pytest.raises(RelabelError, match=r"index.json.*\[M001\]"):
        relabel_hdf5.open(tmp_path)


@pytest.mark.parametrize("name", ["a.h5", "dataset/index.json", "dataset/labels-00001.h5"])
def test_a_pipe_is_not_waited_for(name, tmp_path):
    write_dataset(tmp_path / "dataset", *two_shards())
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(RelabelError, match="not a regular file"):
        relabel_hdf5.open(tmp_path / name.split("/")[0]).batch([6])


def test_zero_rows(tmp_path):
    maps = relabel_hdf5.open(write_shard(tmp_path / "a.h5", rows=0))
    assert len(maps) == 0 and list(maps) == [] and maps.chunks.tolist() == [0]
    batch = maps.batch([])
    assert batch.class_index.shape == batch.score.shape == (0, 3, 4, 3) and batch.extent.shape == (0, 4)
    assert maps.image_indexes().tolist() == list(maps.keys()) == []
    with pytest.raises(NotFoundError):
        maps["a"]


def test_reading_takes_neither_torch_nor_xarray():
    script = "import relabel_hdf5, sys; print(sorted({'torch', 'xarray', 'timm'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools" / "python" / "src")}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert result.stdout == "[]\n", result.stderr


# -------------------------------------------------------------------------------- positions and keys


@pytest.mark.parametrize("index", [-1, -18, np.int64(3), np.uint8(3), np.array(4), True])
def test_positions_are_those_of_lists(maps, index):
    assert maps[index].position == range(len(maps))[index]
    assert maps.key(index) == maps[index].key and maps.image_index(index) == maps[index].image_index


@pytest.mark.parametrize("index", [18, -19, 10**30, np.int64(18)])
def test_positions_beyond_the_end(maps, index):
    for read in (lambda: maps[index], lambda: maps.batch([0, int(index)]), lambda: maps.key(index)):
        with pytest.raises(PositionError, match=rf"no image at position {index}; there are 18 images"):
            read()
    with pytest.raises(IndexError):
        maps[index]


@pytest.mark.parametrize("index", [1.0, None, slice(3), (1, 2)])
def test_what_is_no_position(maps, index):
    with pytest.raises(TypeError):
        maps[index]


@pytest.mark.parametrize("indices", [
    [3, 16, 4], (3, 16, 4), np.array([3, 16, 4]), np.array([3, 16, 4], np.uint8), [3, -3, np.int32(4)],
    range(5), range(17, 3, -5), [5, 5, 5], [], np.array([], np.float64), np.arange(18)[::-1], {4, 2},
])
def test_batches_keep_the_order_asked_for(maps, indices):
    wanted = [range(18)[index] for index in indices]
    batch = maps.batch(indices)
    assert len(batch) == len(wanted) and batch.positions.tolist() == wanted
    assert batch.positions.dtype == np.int64 and batch.header is maps.header
    for row, position in enumerate(wanted):
        np.testing.assert_array_equal(batch.class_index[row], maps[position].class_index)


def test_batches_of_keys(maps):
    names = list(maps.keys())
    for several in ([names[3], 15, names[4]], np.array([names[3], names[15], names[4]]), (3, names[-3], -14)):
        assert maps.batch(several).positions.tolist() == [3, 15, 4]
    with pytest.raises(NotFoundError, match="image 'b'"):
        maps.batch([names[0], "b", "c"])


@pytest.mark.parametrize("indices", [
    np.ones(3, bool), np.ones((2, 2), int), np.array([1.5]), np.array(3), "a key"])
def test_what_is_no_list_of_positions(maps, indices):
    with pytest.raises(UsageError):
        maps.batch(indices)


def test_every_key_is_found(maps):
    names = list(maps.keys())
    assert maps.positions(names).tolist() == list(range(18))
    assert maps.positions([*names[:2], "nowhere", "", "\udc80", names[5]]).tolist() == [0, 1, -1, -1, -1, 5]
    with pytest.raises(UsageError, match="several keys"):
        maps.positions(names[0])
    assert maps.positions([]).tolist() == [] and maps.positions(names).dtype == np.int64
    for position, key in enumerate(names):
        assert maps.position(key) == maps[key].position == position and maps.key(position) == key


def test_an_unknown_key_says_what_may_have_been_meant(maps):
    key = maps.key(3)
    for other in (f"{key}.JPEG", f"./{key}", f"train/{key}", f"train/{key}.png", key.replace("/", "\\")):
        with pytest.raises(NotFoundError, match=f"did you mean '{re.escape(key)}'") as caught:
            maps[other]
        assert caught.value.key == other and caught.value.file == maps.path
    with pytest.raises(KeyError) as caught:
        maps.position("n0/never")
    assert str(caught.value) == (
        f"{maps.path}, image 'n0/never': there is no such image; keys are relative paths without extension")


def test_keys_are_bytes(tmp_path):
    """Composed and decomposed accents are two keys."""
    names = ["é", "e\u0301", "a b", "日本/語", "x" * 1024]
    maps = relabel_hdf5.open(write_shard(tmp_path / "a.h5", keys=names))
    assert list(maps.keys()) == names and maps.positions(names).tolist() == list(range(5))


def test_chunks(maps, dataset):
    assert maps.chunks.tolist() == [0, 3, 6, 7, 10, 13, 14, 17, 18]
    assert relabel_hdf5.open(dataset / "labels-00000.h5").chunks.tolist() == [0, 3, 6, 7]
    assert maps.chunks.dtype == np.int64


def test_a_batch_reads_every_chunk_once(maps, monkeypatch):
    with_numpy(monkeypatch)
    reads = []
    read = column.StoredColumn._read
    counted = lambda self, number: reads.append((self, number)) or read(self, number)  # noqa: E731
    monkeypatch.setattr(column.StoredColumn, "_read", counted)
    relabel_hdf5.open(maps.path).batch([0, 17, 1, 8, 2, 7, 0])
    assert len(reads) == len(set(reads)) == 2 * 3


@pytest.fixture(scope="module")
def long_shard(tmp_path_factory):
    """200,000 images of one cell."""
    rows, shape = 200_000, (200_000, 1, 1, 1)
    return write_shard(
        tmp_path_factory.mktemp("long") / "a.h5", rows=rows, height=1, width=1, k=1,
        ids=(np.arange(rows) % 10).astype("<u2").reshape(shape), stored=np.full(shape, 40_000, "<u2"),
        images_per_chunk=8192, rows_per_identity_chunk=1024)


def test_an_image_takes_13_bytes(long_shard):
    tracemalloc.start()
    with relabel_hdf5.open(long_shard) as maps:
        before = tracemalloc.get_traced_memory()[0]
        assert maps.position("train/n177777") == 177_777
        after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 13.5 * 200_000 and most < 17 * 200_000


def test_all_keys_of_a_long_shard(long_shard):
    with relabel_hdf5.open(long_shard) as maps:
        some = np.random.default_rng(0).integers(0, 200_000, 5000)
        names = [f"train/n{position:04}" for position in some]
        np.testing.assert_array_equal(maps.positions(names), some)
        assert (maps.positions([f"{name}x" for name in names]) == -1).all()
        np.testing.assert_array_equal(maps.batch(some).class_index.ravel(), some % 10)


def test_repeated_keys_across_blocks():
    names = [f"{number:05}" for number in range(5000)]
    chunks = [np.array(names[:3000], "S5"), np.array(names[3000:], "S5")]
    assert keys.KeyTable(5000, chunks).repeated() is None
    chunks[1][-1] = names[2]
    assert keys.KeyTable(5000, chunks).repeated() == (2, 4999)
    chunks[0][:3] = chunks[1][-1] = "same"
    assert keys.KeyTable(5000, chunks).repeated() == (0, 1)


@pytest.mark.parametrize("repeated", [None, 14])
def test_digests_that_meet_by_chance_are_no_repeated_keys(repeated, tmp_path, monkeypatch):
    """Of 16 keys, 2 in 5 secrets make two of the 256 digests equal."""
    monkeypatch.setattr(keys, "_DIGEST", 1)
    names = [f"n{number}" for number in range(16)]
    if repeated:
        names[repeated] = names[3]
    path = write_shard(tmp_path / "a.h5", rows=16, keys=names)
    for _ in range(20):
        with relabel_hdf5.open(path) as maps:
            if not repeated:
                assert maps.positions(names).tolist() == list(range(16))
                continue
            with pytest.raises(RelabelError, match="positions 3 and 14 have the same key .*V010"):
                maps.positions(names)


# ------------------------------------------------------------------------------------------ results


def test_maps_are_the_users_own(maps):
    first, batch = maps[0], maps.batch([0, 1])
    first.class_index[:], first.score[:], batch.class_index[:] = 7, 0, 7
    assert (maps[0].class_index != 7).any() and (maps[0].score != 0).any()


def test_tensors(maps):
    batch = maps.batch([3, 1])
    for tensors in (batch.torch(), batch.to("cpu"), batch.torch().to(torch.device("cpu"))):
        assert (tensors.class_index.dtype, tensors.score.dtype) == (torch.int32, torch.float32)
        assert (tensors.extent.dtype, tensors.positions.dtype) == (torch.float64, torch.int64)
        np.testing.assert_array_equal(tensors.class_index.numpy(), batch.class_index)
        np.testing.assert_array_equal(tensors.score.numpy(), batch.score)
        np.testing.assert_array_equal(tensors.extent.numpy(), batch.extent)
        assert tensors.positions.tolist() == [3, 1] and tensors.header is batch.header and len(tensors) == 2
    assert batch.to("meta").class_index.device.type == "meta"


def test_ids_that_no_tensor_holds(tmp_path):
    most = {"num_classes": np.int64(2**31 + 1)}
    path = write_shard(tmp_path / "a.h5", attributes=most, num_classes=70_000)
    with pytest.raises(UsageError, match="int32"):
        relabel_hdf5.open(path).batch([0]).torch()


def test_targets_are_pooled_batches(maps):
    boxes = np.array([[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1]])
    expected = relabel_hdf5.label_pooling(maps.batch([5, 2]), boxes)
    np.testing.assert_allclose(maps.targets([5, 2], boxes), expected, atol=1e-6)
    np.testing.assert_allclose(maps.targets([maps.key(5), 2], boxes, threads=2), expected, atol=1e-6)
    turned = relabel_hdf5.label_pooling(maps.batch([5, 2]), boxes, profile="relabel-2021")
    np.testing.assert_allclose(maps.targets([5, 2], boxes, profile="relabel-2021"), turned, atol=1e-6)
    boxes[0, 0] = np.nan
    with pytest.raises(relabel_hdf5.BoxError):
        maps.targets([5, 2], boxes)


def test_errors_are_one_printable_line():
    place = {"file": "a\tb.h5", "dataset": "score", "row": 3, "cell": (1, 2)}
    error = RelabelError("no\nsuch \x1b[31m", rule="L001", **place)
    assert str(error) == r"a\tb.h5, score, row 3, cell (1, 2): no\nsuch \x1b[31m [L001]"
    assert str(RelabelError("plain é")) == "plain é"


def test_tracebacks_of_workers_keep_their_lines():
    """PyTorch raises a worker's error again with the traceback as its message."""
    assert str(RelabelError("Original Traceback:\n  File\x1b[31m")) == "Original Traceback:\n  File\\x1b[31m"


def test_metadata_of_several_pieces(tmp_path):
    document = {"annotator": {**ANNOTATOR, "note": "é" * 70_000, "rate": 1e-07}, "classes": None}
    path = write_shard(tmp_path / "a.h5", document=document)
    assert relabel_hdf5.open(path).header.metadata == document
    text = Shard(document=document).metadata()
    for spelling in (b"1e-7", b"0.0000001", b"1.0e-7"):  # no reader depends on how a fraction is written
        respelled = text.replace(b"1e-07", spelling)
        assert respelled != text or spelling in text
        path = write_shard(tmp_path / "a.h5", document=respelled)
        assert relabel_hdf5.open(path).header.annotator["rate"] == 1e-7


def test_threads_share_maps(maps):
    expected = maps.batch(range(18)).class_index
    failures = []

    def read(seed):
        for order in np.random.default_rng(seed).permuted(np.tile(np.arange(18), (20, 1)), axis=1):
            same = np.array_equal(maps.batch(order).class_index, expected[order])
            same &= np.array_equal(maps[order[0]].class_index, expected[order[0]])
            failures.extend([] if same else [seed])

    threads = [threading.Thread(target=read, args=[seed]) for seed in range(4)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert not failures


def test_index_members_are_read(dataset):
    index = json.loads((dataset / "index.json").read_bytes())
    with relabel_hdf5.open(dataset) as maps:
        assert len(maps) == index["count"] and maps.header.build_id == index["build_id"]
    with h5py.File(dataset / "labels-00000.h5") as other, relabel_hdf5.open(dataset) as maps:
        np.testing.assert_array_equal(maps[2].class_index, other["class_index"][2])  # both have it open


def test_targets_name_what_is_wrong(sample_dataset, tmp_path):
    """Rule, file and image are the error's own, whichever code pools."""
    folder = tmp_path / "dataset"
    shutil.copytree(sample_dataset, folder)
    shard = folder / "labels-00000.h5"
    with h5py.File(shard) as file:
        chunk = file["score"].id.get_chunk_info(2)
    with shard.open("r+b") as file:
        file.seek(chunk.byte_offset + 9)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 4]))
    box = [0.0, 0.0, 1.0, 1.0]
    with relabel_hdf5.open(folder) as damaged:
        with pytest.raises(relabel_hdf5.CorruptError) as caught:
            damaged.targets([1, 9], [box, box])
        assert (caught.value.rule, caught.value.file) == ("C008", str(shard))
        with pytest.raises(relabel_hdf5.BoxError, match="divide pixels") as caught:
            damaged.targets([1, 2], [box, [0.0, 0.0, 224.0, 224.0]])
        assert (caught.value.key, caught.value.file) == (damaged.key(2), str(folder))
        for threads in (0, -1, "2", 2.5, True):
            with pytest.raises(relabel_hdf5.UsageError, match="threads"):
                damaged.targets([1], [box], threads=threads)
