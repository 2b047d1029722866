"""The Swift library and NumPy read the same maps, to the last bit, and refuse the same files alike."""

import ast
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from all_fixtures import BROKEN, SOUND
from conftest import ROOT
from oracle import CELL_ORDERS, ENCODINGS
from pooling_reference import opened_by_numpy
from rule_fixtures import made
from shard_writer import SCORE_KINDS, Shard, two_shards, write_dataset, write_shard
from test_package_lifetime import open_files

import relabel_hdf5
from relabel_hdf5 import CorruptError, RelabelError, UsageError
from relabel_hdf5.engines import library
from relabel_hdf5.engines.swift import SwiftEngine

ROWS = 11
PACK = ROOT / "spec" / "conformance" / "shards"
CASES = {case["name"]: PACK / case["path"] for case in json.loads((PACK / "cases.json").read_text())["cases"]}

pytestmark = pytest.mark.skipif(library.library() is None, reason="the Swift library is not built")


def outcome(read):
    """What is read, or the error."""
    try:
        return read()
    except RelabelError as error:
        return error


def assert_same(found, expected):
    """Maps, batches or errors that are the same to the last bit."""
    assert type(found) is type(expected)
    if isinstance(found, RelabelError):
        places = ("rule", "file", "dataset", "row", "key", "cell")
        assert [getattr(found, name) for name in places] == [getattr(expected, name) for name in places]
        return None if str(found) == str(expected) else pytest.fail(f"{found} / {expected}")
    for field in dataclasses.fields(found):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()
            assert one.flags.writeable
        elif field.name != "source":
            assert one == other and type(one) is type(other)


def assert_same_maps(path):
    """Every way to read all images of what lies at a path."""
    rng = np.random.default_rng(0)
    with relabel_hdf5.open(path) as swift, opened_by_numpy(path) as numpy:
        count = len(swift)
        some = rng.integers(0, count, 3 * count) if count else []
        for positions in (range(count), rng.permutation(count), some, [-1] * (count > 0), []):
            assert_same(outcome(lambda: swift.batch(positions)), outcome(lambda: numpy.batch(positions)))
        for position in [*range(count), *range(count - 1, -1, -1), *rng.permutation(count).tolist(), 0, 0]:
            assert_same(outcome(lambda: swift[position]), outcome(lambda: numpy[position]))


# --------------------------------------------------------------------------------------- separation


def test_the_swift_engine_does_not_load_h5py(tmp_path):
    path = write_dataset(tmp_path / "dataset", *two_shards())
    script = (
        "import sys, relabel_hdf5\n"
        "with relabel_hdf5.open(sys.argv[1]) as maps:\n"
        "    maps.batch(range(3)), maps[4], maps.targets([1], [[0.0, 0.0, 1.0, 1.0]]), maps.header, maps.chunks\n"
        "    maps.position(maps.key(2)), list(maps.keys()), maps.image_indexes(), maps[0].key\n"
        "print(relabel_hdf5.engine().split()[0], 'h5py' in sys.modules)\n"
    )
    source = pathlib.Path(relabel_hdf5.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source), "RELABEL_LIBRARY": library.library()._name}
    found = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, env=environment)
    assert found.stdout == "swift False\n", found.stderr


def test_the_numpy_engine_can_be_read_alone():
    """It imports itself and what both engines share, nothing of the Swift side."""
    package = pathlib.Path(relabel_hdf5.__file__).parent
    root, found = package / "engines" / "numpy", set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                place = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                if not place.is_relative_to(root):
                    found |= {place.name} if node.module else {alias.name for alias in node.names}
    shared = {"boxes", "cells", "errors", "factors", "gate", "geometry", "header", "keys", "labels", "layout", "open_files"}
    assert found == shared | {"target_error"}


# ---------------------------------------------------------------------------------------- equality


@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("cell_order", CELL_ORDERS)
@pytest.mark.parametrize("score_kind", SCORE_KINDS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding, score_kind, cell_order, compression, tmp_path):
    assert_same_maps(write_shard(
        tmp_path / "a.h5", encoding=encoding, score_kind=score_kind, cell_order=cell_order,
        compression=compression, rows=ROWS, images_per_chunk=4))


@pytest.mark.parametrize("images_per_chunk", [1, 2, ROWS, 20])
@pytest.mark.parametrize("num_classes", [10, 65_535, 70_000])
def test_chunks_and_wide_ids(images_per_chunk, num_classes, tmp_path):
    assert_same_maps(write_shard(
        tmp_path / "a.h5", num_classes=num_classes, rows=ROWS, images_per_chunk=images_per_chunk))


def test_extents(tmp_path):
    whole = {"map_extent": np.array([0.1, 0.25, 0.7, 0.5], "<f4")}
    assert_same_maps(write_shard(tmp_path / "whole.h5", attributes=whole))
    extents = np.random.default_rng(1).uniform(0.1, 0.5, (ROWS, 4)).astype("<f4")
    assert_same_maps(write_shard(
        tmp_path / "own.h5", attributes=whole, optional=("map_extent",), rows=ROWS,
        column_changes={"map_extent": {"data": extents}}))


def test_datasets(tmp_path):
    assert_same_maps(write_dataset(tmp_path / "dataset", *two_shards()))


def test_samples(sample_dataset):
    assert_same_maps(sample_dataset)


def test_one_after_the_other_every_chunk_is_read_once(tmp_path, monkeypatch):
    path = write_shard(tmp_path / "a.h5", rows=ROWS, images_per_chunk=4)
    reads, read = [], SwiftEngine.maps
    monkeypatch.setattr(
        SwiftEngine, "maps", lambda self, *given: reads.append(given[0].tolist()) or read(self, *given))
    with relabel_hdf5.open(path) as maps:
        assert len(list(maps)) == ROWS
        assert reads == [[0], [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
        reads.clear()
        maps[2], maps[9], maps[8], maps[10], maps[1]
        assert reads == [[2], [9], [8, 9, 10], [1]]


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("make", [
    pytest.param(make, id=f"{rule}-{variant}") for rule, variant, make in BROKEN
    if rule[0] in "VM" or rule in ("C006", "C007", "C008", "C009")] + [
    pytest.param(make, id=name) for name, make in SOUND])
def test_odd_files(make, tmp_path):
    """Of files that break rules, or seem to, every map is read or refused alike."""
    path, _ = made(make, tmp_path)
    try:
        relabel_hdf5.open(path).header
    except RelabelError:
        return  # nothing of it is read
    assert_same_maps(path)


# The rules that the NumPy and the Swift engine name where they differ: only the Swift engine walks over the
# structure of the file before the HDF5 library opens it, which NumPy leaves to that library.
DIFFERENCES = {
    "invalid/C011-one-chunk-twice": ("C008", "C011"),  # the chunk's bytes are found wrong when it is read
    "invalid/C012-message-old-fill-value": (None, "C012"),  # the library passes over the message
}


def refusal(read):
    """The class of an error and what it names, or None where all is read."""
    error = outcome(read)
    if not isinstance(error, RelabelError):
        return None
    return {"class": type(error).__name__} | {
        name: getattr(error, name) for name in ("rule", "file", "dataset", "row", "key", "cell")}


def read_all(path, opened):
    with opened(path) as maps:
        maps.header, maps.chunks, maps.batch(range(len(maps)))
        list(maps.keys()), maps.image_indexes(), maps.positions(["a key"])


@pytest.mark.parametrize("name", CASES)
def test_the_conformance_pack_is_refused_alike(name):
    """By class, rule, file, HDF5 dataset, row, key and cell."""
    path = CASES[name]
    swift, numpy = (refusal(lambda: read_all(path, opened)) for opened in (relabel_hdf5.open, opened_by_numpy))
    if name in DIFFERENCES:
        assert (numpy and numpy["rule"], swift["rule"]) == DIFFERENCES[name]
    else:
        assert swift == numpy


@pytest.mark.parametrize("rows", [1, 3, 4, 9, 10, 11])
def test_sound_neighbours_of_a_broken_map(rows, tmp_path):
    """In whatever order they are asked for, those of its chunk are read, and it is refused by name."""
    ids = Shard(rows=12).labels()[0].copy()
    ids[rows, 1, 2, 1] = 10
    path = write_shard(tmp_path / "a.h5", rows=12, images_per_chunk=4, ids=ids)
    assert_same_maps(path)
    with relabel_hdf5.open(path) as maps:
        found = [outcome(lambda: maps[position]) for position in range(12)]
    assert [place for place, map in enumerate(found) if isinstance(map, RelabelError)] == [rows]
    assert (found[rows].rule, found[rows].row, found[rows].cell) == ("V001", rows, (1, 2))


def test_what_the_library_alone_refuses_is_refused(tmp_path, monkeypatch):
    def refuse(self, *_):
        raise CorruptError("the library does not like it")

    monkeypatch.setattr(SwiftEngine, "maps", refuse)
    with relabel_hdf5.open(write_shard(tmp_path / "a.h5")) as maps:
        for read in (lambda: maps[0], lambda: maps.batch([0]), lambda: list(maps)):
            with pytest.raises(CorruptError, match="does not like it"):
                read()


def test_closed_maps_are_not_opened_again(tmp_path):
    maps = relabel_hdf5.open(write_dataset(tmp_path / "dataset", *two_shards()))
    maps[0], maps.close()
    for read in (lambda: maps[0], lambda: maps.batch([0]), lambda: maps.targets([0], [[0.0, 0.0, 1.0, 1.0]])):
        with pytest.raises(UsageError, match="closed"):
            read()
    assert open_files(tmp_path) == 0


# -------------------------------------------------------------------------------- files that change


@pytest.fixture
def replaced(tmp_path):
    """A dataset whose first shard was opened here, not yet by the library, and then replaced by the second."""
    shards = [Shard(rows=8, first_index=8 * number, seed=number + 1, compression="none") for number in (0, 1)]
    folder = write_dataset(tmp_path / "dataset", *shards)
    maps = relabel_hdf5.open(folder)
    assert maps.key(0) == "train/n0000"
    shutil.copy(folder / "labels-00001.h5", tmp_path / "copy")
    os.replace(tmp_path / "copy", folder / "labels-00000.h5")
    return maps


def test_the_library_must_open_what_was_opened_here(replaced):
    for read in (
        lambda: replaced[3], lambda: replaced.batch([3]), lambda: replaced.targets([3], [[0.0, 0.0, 1.0, 1.0]])
    ):
        with pytest.raises(CorruptError, match="labels-00000.h5: the file was replaced"):
            read()
    assert replaced.key(3) == "train/n0003"  # of the file that is open
    assert replaced[11].key == "train/n0011"
