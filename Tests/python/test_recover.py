"""relabel recover: what is saved of a damaged dataset, what is lost and how that is told.

Damage is made by shard_writer.py, and what the new shards hold is read with h5py and compared with the
arrays that went into the old ones, bit for bit.
"""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import fixtures_factors
import fixtures_views
import h5py
import numpy as np
import oracle
import pytest
from all_fixtures import BROKEN
from conftest import BIN, tool, verify
from h5py import h5o
from rule_fixtures import (
    COLUMNS,
    OPTIONAL,
    flip,
    flipped,
    only,
    recompressed,
    with_column,
    without_checksum,
)
from shard_writer import BUILD_ID, Shard, digest, two_shards, write_dataset, write_shard

OF_VIEWS = fixtures_views.FIXTURES.broken
OF_FACTORS = fixtures_factors.FIXTURES.broken
MAY_BE_UNKNOWN = {"image_sha256": 255, "source_label": -1}


# ------------------------------------------------------------------------------------------- helpers


def recover(source, output, *options, **how):
    """The exit code and the JSON report of relabel recover."""
    result = tool("relabel", "recover", source, "--output", output, "--format", "json", *options, **how)
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


def originals(*shards):
    """What went into some shards: for each row its values by HDF5 dataset, as bytes."""
    rows = []
    for shard in shards:
        columns = shard.columns()
        for row in range(shard.rows):
            rows.append({name: column.data[row].tobytes() for name, column in columns.items()})
    return rows


def rows_in(*paths):
    """The same of files, read with h5py."""
    rows = []
    for path in paths:
        with h5py.File(path) as file:
            columns = {name: file[name][:] for name in file}
        for row in range(len(columns["score"])):
            rows.append({name: values[row].tobytes() for name, values in columns.items()})
    return rows


def recovered(output):
    """All rows of a recovered dataset, which has to be sound."""
    code, report = verify(output)
    assert code == 0, report
    index = oracle.read_index(output)
    return rows_in(*[output / shard["path"] for shard in index["shards"]])


def keys(rows):
    return [row["image_key"].rstrip(b"\0").decode() for row in rows]


def lost(report):
    """Shard and row of each lost image, sorted."""
    images = []
    for loss in report["lost"]:
        rows = [loss["row"]] if loss["row"] is not None else range(*loss["rows"])
        images += [(loss["shard"], row) for row in rows]
    assert len(images) == report["lost_images"]
    return sorted(images)


def check_one(path, output, shard, rows_lost, reason="", options=(), code=None):
    """Recovers one shard and asserts that exactly some rows are lost, for this reason; gives the report."""
    returned, report = recover(path, output, *options)
    # No index says what bytes a shard alone had, and without compression its checksums do not see all damage.
    doubts = 1 if shard.compression == "none" else 0
    assert len(report["doubts"]) == doubts and all("fletcher32 alone" in doubt for doubt in report["doubts"])
    assert returned == (code if code is not None else 3 if rows_lost or doubts else 0), report
    assert lost(report) == [(path.name, row) for row in rows_lost]
    assert all(reason in image["reason"] for image in report["lost"]), report
    kept = [row for number, row in enumerate(originals(shard)) if number not in rows_lost]
    assert recovered(output) == kept
    index = oracle.read_index(output)
    assert index["sources"] == shard.rows and len(index["left_out"]) == len(rows_lost)
    assert all(reason in entry["reason"] for entry in index["left_out"])
    assert index["options"]["recovered_from"].get("doubts", []) == report["doubts"]
    return report


def shards_of(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".h5")


def damage(path, name, offset=10):
    """Flips a bit in the object header of one HDF5 dataset."""
    with h5py.File(path) as file:
        address = h5o.get_info(file[name].id).addr
    return flip(path, address + offset)


# ---------------------------------------------------------------------------------------- all is sound

KINDS = [
    dict(encoding=encoding, score_kind=kind)
    for encoding in ["fixed16", "fixed8", "float16", "float32"]
    for kind in ["logit", "probability", "log_probability"]
] + [
    dict(cell_order="class"), dict(compression="none"), dict(num_classes=70_000), dict(k=1), dict(rows=1),
    dict(images_per_chunk=7, rows_per_identity_chunk=3), dict(key_width=40), dict(largest_error=0.001),
    dict(keys=["é", "e\u0301", 'a"b', "日本/語", "a\\b"]), dict(optional=tuple(OPTIONAL)),
    dict(optional=("log_normalizer",), compression="none"), dict(step=1 / 64, offset=-16.0),
]


@pytest.mark.parametrize("changes", KINDS, ids=lambda changes: "-".join(map(str, changes.values()))[:40])
def test_a_sound_shard_keeps_every_bit(changes, tmp_path):
    shard = Shard(**changes)
    path = shard.write(tmp_path / "a.h5")
    check_one(path, tmp_path / "out", shard, [])
    with h5py.File(path) as old, h5py.File(tmp_path / "out" / "labels-00000.h5") as new:
        differing = {n for n in {*old.attrs, *new.attrs} if not same(old.attrs.get(n), new.attrs.get(n))}
        assert differing == {"build_id", "writer"}
        for name in old:
            assert old[name].dtype == new[name].dtype and dict_of(old[name]) == dict_of(new[name])
        assert old["score"].chunks == new["score"].chunks


def same(a, b):
    return a is not None and b is not None and np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype


def dict_of(dataset):
    return {name: np.asarray(value).tobytes() for name, value in dataset.attrs.items()}


def test_vendor_attributes_and_spelling_stay(tmp_path):
    """Attributes that nobody knows, and a metadata document whose numbers are spelled in another way."""
    text = b'{"annotator":{"name":"a","std":[2.50e-1]},"classes":null}'
    shard = Shard(document=text, attributes={
        "x-text": "größe", "x-half": np.float16(1.5), "x-list": np.arange(5, dtype="<u8"),
    })
    shard.column_changes = {"score": {"attributes": shard.columns()["score"].attributes | {"x-a": np.int8(-3)}}}
    path = shard.write(tmp_path / "a.h5")
    check_one(path, tmp_path / "out", shard, [])
    with h5py.File(path) as old, h5py.File(tmp_path / "out" / "labels-00000.h5") as new:
        for name in ["x-text", "x-half", "x-list", "metadata_0000", "metadata_sha256"]:
            assert same(old.attrs[name], new.attrs[name]), name
        assert new["score"].attrs["x-a"] == -3


def test_a_sound_dataset(tmp_path):
    shards = two_shards(optional=tuple(OPTIONAL))

    def change(index):
        index["left_out"] = [{"image_index": 90, "key": "bad", "reason": "empty"}]
        index["sources"] += 1

    folder = write_dataset(tmp_path / "dataset", *shards, change=change)
    for number, path in enumerate([folder, folder / "index.json"]):
        code, report = recover(path, tmp_path / f"out{number}")
        assert (code, report["complete"], report["lost"], report["doubts"]) == (0, True, [], [])
        assert recovered(tmp_path / f"out{number}") == originals(*shards)
    before, after = oracle.read_index(folder), oracle.read_index(tmp_path / "out0")
    assert after["left_out"] == before["left_out"] and after["sources"] == before["sources"]
    assert after["build_id"] == report["build_id"] != BUILD_ID == report["recovered_from"]
    assert after["options"] == before["options"] | {
        "recovered_from": {"build_id": BUILD_ID, "writer": before["writer"]}
    }
    assert oracle.folder_bytes(tmp_path / "out0") == oracle.folder_bytes(tmp_path / "out1")


def test_what_the_packer_made(sample_dataset, tmp_path):
    code, report = recover(sample_dataset, tmp_path / "out")
    assert code == 0 and report["images"] == 18
    assert recovered(tmp_path / "out") == rows_in(sample_dataset / "labels-00000.h5")


def test_recovering_twice(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    assert recover(folder, tmp_path / "a")[0] == 0
    assert recover(tmp_path / "a", tmp_path / "b")[0] == 0
    assert recovered(tmp_path / "b") == originals(*two_shards())
    first, second = (oracle.read_index(tmp_path / name) for name in "ab")
    assert first["build_id"] != second["build_id"]


# -------------------------------------------------------------------------------------- damaged chunks

# Rows of a shard of five with 2 images in a chunk of labels and 4 in the others: those of chunk 1.
SECOND_CHUNK = {"class_index": [2, 3], "score": [2, 3]} | dict.fromkeys(["image_index", "image_key"], [4])

FAULTS = {
    "flipped": (flipped, "its checksum is wrong"),
    "missing": (lambda data: None, "never written"),
    "unchecked": (lambda data: without_checksum(data, 4), "skips fletcher32"),
    "cut": (lambda data: data[:3], "too short"),
    "bomb": (lambda data: recompressed(data, lambda body: bytes(100_000)), "exact size"),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_chunk_loses_its_images(name, fault, tmp_path):
    change, told = FAULTS[fault]
    if fault == "unchecked" and name in ("class_index", "image_key"):
        change = lambda data: without_checksum(data, 2)  # noqa: E731 (a chain of two filters)
    shard = Shard(**with_column(name, stored=only(1, change)))
    path = shard.write(tmp_path / "a.h5")
    report = check_one(path, tmp_path / "out", shard, SECOND_CHUNK[name], told)
    assert all(name in image["reason"] for image in report["lost"])
    names = shard.image_keys()
    for image in report["lost"]:  # what is known of an image is told
        assert image["key"] == (None if name == "image_key" else names[image["row"]])
        assert image["image_index"] == (None if name == "image_index" else image["row"])


@pytest.mark.parametrize("name", COLUMNS)
def test_uncompressed_chunks(name, tmp_path):
    shard = Shard(compression="none", **with_column(name, stored=only(1, flipped)))
    check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, SECOND_CHUNK[name], name)


def test_left_out_names_what_is_known(tmp_path):
    changes = {"image_key": {"stored": only(0, flipped)}, "score": {"stored": only(2, flipped)}}
    path = Shard(column_changes=changes).write(tmp_path / "a.h5")
    assert recover(path, tmp_path / "out")[0] == 5  # four keys and the fifth map
    assert not (tmp_path / "out" / "index.json").exists()
    path = Shard(rows=9, column_changes=changes).write(tmp_path / "b.h5")
    assert recover(path, tmp_path / "out")[0] == 3
    left_out = oracle.read_index(tmp_path / "out")["left_out"]
    assert [(entry["key"], entry["image_index"]) for entry in left_out] == [
        *((f"row {row} of b.h5", row) for row in range(4)), ("train/n0004", 4), ("train/n0005", 5),
    ]
    assert keys(recovered(tmp_path / "out")) == ["train/n0006", "train/n0007", "train/n0008"]


# --------------------------------------------------------------------------------------- source listing


def listing(tmp_path, shard):
    path = tmp_path / "images.txt"
    path.write_text("".join(f"{key}.jpg\n" for key in shard.image_keys()))
    return path


@pytest.mark.parametrize("name", ["image_key", "image_index"])
@pytest.mark.parametrize("change", [flipped, lambda data: None])
def test_a_listing_restores_keys_and_indexes(name, change, tmp_path):
    shard = Shard(rows=6, **with_column(name, stored=only(0, change)))
    options = ["--images", listing(tmp_path, shard)]
    check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, [], options=options)


def test_a_listing_does_not_restore_both(tmp_path):
    shard = Shard(rows=6, column_changes=dict.fromkeys(["image_key", "image_index"], {"stored": only(1, flipped)}))
    options = ["--images", listing(tmp_path, shard)]
    check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, [4, 5], "image_key", options)


@pytest.mark.parametrize("lines", [["train/n0001.jpg", "train/n0000.jpg"], ["train/n0000.jpg"]])
def test_a_listing_of_another_dataset_is_refused(lines, tmp_path):
    shard = Shard(rows=6, **with_column("image_key", stored=only(1, flipped)))
    path, images = shard.write(tmp_path / "a.h5"), tmp_path / "images.txt"
    images.write_text("\n".join(lines + [f"x{row}" for row in range(len(lines), 6)]))
    result = tool("relabel", "recover", path, "-o", tmp_path / "out", "--images", images)
    assert result.returncode == 64 and "not packed from this list" in result.stderr
    assert not list(tmp_path.glob("out/*.h5"))


def test_a_key_that_is_too_long_is_not_restored(tmp_path):
    shard = Shard(rows=6, **with_column("image_key", stored=only(1, flipped)))
    path, images = shard.write(tmp_path / "a.h5"), listing(tmp_path, shard)
    images.write_text(images.read_text().replace("train/n0005", "train/n0005-and-more"))
    check_one(path, tmp_path / "out", shard, [5], "image_key", ["--images", images])


# ------------------------------------------------------------------------------ optional HDF5 datasets


@pytest.mark.parametrize("name", OPTIONAL)
def test_damaged_optional_values(name, tmp_path):
    """A value may be unknown only where the format has a word for that; no other is made up."""
    shard = Shard(optional=tuple(OPTIONAL), **with_column(name, stored=only(0, flipped)))
    path, output = shard.write(tmp_path / "a.h5"), tmp_path / "out"
    rows = range(2) if shard.columns()[name].chunk[0] == 2 else range(4)
    if name not in MAY_BE_UNKNOWN:
        report = check_one(path, output, shard, list(rows), name)
        return
    code, report = recover(path, output)
    assert (code, report["lost"]) == (3, [])
    assert report["unknown_values"] == [{"shard": "a.h5", "dataset": name, "images": 4}]
    expected = originals(shard)
    for row in rows:
        expected[row][name] = b"\xff" * len(expected[row][name])
    assert recovered(output) == expected


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_damaged_header_of_an_optional_dataset(name, tmp_path):
    shard = Shard(optional=tuple(OPTIONAL))
    path = damage(shard.write(tmp_path / "a.h5"), name)
    code, report = recover(path, tmp_path / "out")
    if name not in MAY_BE_UNKNOWN:
        assert (code, len(report["lost"])) == (5, 5) and name in report["lost"][0]["reason"]
        assert report["lost"][0]["key"] == "train/n0000"
    else:
        assert code == 3 and report["unknown_values"][0]["images"] == 5
        expected = [row | {name: b"\xff" * len(row[name])} for row in originals(shard)]
        assert recovered(tmp_path / "out") == expected


@pytest.mark.parametrize("rule, name, value", [
    ("V019", "map_extent", [0, 0, 0, 1]), ("V020", "source_label", 10), ("V020", "source_label", -2),
    ("V021", "image_size", [3, 0]), ("V022", "log_normalizer", -9)])
def test_a_value_that_breaks_a_rule(rule, name, value, tmp_path):
    """The verifier refuses the shard, recovery saves all that it may: the new dataset is sound."""
    shard = Shard(optional=(name,))
    data = shard.columns()[name].data.copy()
    data[2] = value
    shard = Shard(optional=(name,), **with_column(name, data=data))
    path = shard.write(tmp_path / "a.h5")
    assert [finding["rule"] for finding in verify(path)[1]["findings"]] == [rule]
    code, report = recover(path, tmp_path / "out")
    expected = originals(shard)
    if name in MAY_BE_UNKNOWN:
        assert report["unknown_values"] == [{"shard": "a.h5", "dataset": name, "images": 1}]
        expected[2][name] = b"\xff" * len(expected[2][name])
    else:
        (lost,) = report["lost"]
        assert (lost["row"], f"[{rule}]" in lost["reason"]) == (2, True)
        del expected[2]
    assert recovered(tmp_path / "out") == expected and code in (3, 5)


@pytest.mark.parametrize("name", [name for name in OPTIONAL if name != "map_extent"])
@pytest.mark.parametrize("where", ["chunk", "header"])
def test_without_a_damaged_dataset(name, where, tmp_path):
    changes = with_column(name, stored=only(0, flipped)) if where == "chunk" else {}
    shard = Shard(optional=tuple(OPTIONAL), **changes)
    path = shard.write(tmp_path / "a.h5")
    if where == "header":
        damage(path, name)
    code, report = recover(path, tmp_path / "out", "--without", name)
    assert (code, report["lost"], report["unknown_values"]) == (0, [], [])
    expected = originals(shard)
    for row in expected:
        del row[name]
    assert recovered(tmp_path / "out") == expected


@pytest.mark.parametrize("name, told", [("map_extent", "would mean something else"), ("score", "no optional dataset")])
def test_without_what_is_needed(name, told, tmp_path):
    path = write_shard(tmp_path / "a.h5")
    result = tool("relabel", "recover", path, "-o", tmp_path / "out", "--without", name)
    assert result.returncode == 64 and told in result.stderr


def test_an_optional_dataset_damaged_in_one_shard_of_two(tmp_path):
    """The other shard and its values stay; both have the same HDF5 datasets still."""
    shards = two_shards(optional=tuple(OPTIONAL))
    folder = write_dataset(tmp_path / "dataset", *shards)
    damage(folder / "labels-00001.h5", "source_label")
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and report["unknown_values"] == [
        {"shard": "labels-00001.h5", "dataset": "source_label", "images": 3}
    ]
    rows = recovered(tmp_path / "out")
    expected = originals(*shards)
    for row in expected[5:]:
        row["source_label"] = b"\xff" * 4
    assert rows == expected


# ------------------------------------------------------------------------------------- values and names

# All that "not finite" and "never written" can look like, and each other rule once.
# Those of views are in test_views_tools.py, those of factors in test_factors.py.
VALUES = [
    case for case in BROKEN
    if case[0] in ("V003", "V007") and case[1] not in OPTIONAL and case not in OF_VIEWS and case not in OF_FACTORS
] + [
    next(case for case in BROKEN if case[0] == rule) for rule in ("V001", "V002", "V004", "V005", "V006")
] + [case for case in BROKEN if case[1] == "zeroed_chunk"]


@pytest.mark.parametrize("rule, variant, make", VALUES, ids=[f"{rule}-{variant}" for rule, variant, _ in VALUES])
def test_an_image_that_breaks_a_rule_is_lost(rule, variant, make, tmp_path):
    path, output = make(tmp_path), tmp_path / "out"
    before = rows_in(path)
    code, report = recover(path, output)
    assert code == 3 and all(rule in image["reason"] for image in report["lost"])
    gone = {image["row"] for image in report["lost"]}
    assert gone and (variant in ("zeroed_chunk", "whole_row") or gone == {3})
    assert recovered(output) == [row for number, row in enumerate(before) if number not in gone]
    assert all(image["cell"] for image in report["lost"])


@pytest.mark.parametrize("name", ["image_size", "map_extent", "log_normalizer"])
def test_values_that_were_never_written(name, tmp_path):
    (make,) = [make for rule, variant, make in BROKEN if (rule, variant) == ("V007", name)]
    path = make(tmp_path)
    code, report = recover(path, tmp_path / "out")
    assert code == 3 and lost(report) == [("a.h5", 2)] and name in report["lost"][0]["reason"]


def test_an_extent_outside_the_picture(tmp_path):
    data = np.tile(np.array([0, 0, 1, 1], "<f4"), (5, 1))
    data[1] = [0.5, 0, 1, 1]
    data[2] = [np.inf, 0, 1, 1]
    shard = Shard(optional=("map_extent",), **with_column("map_extent", data=data))
    check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, [1, 2], "map_extent")


@pytest.mark.parametrize("key", ["a/../b", "/etc/passwd", "", "a\nb", b"caf\xe9"])
def test_keys_that_are_none(key, tmp_path):
    shard = Shard(keys=["a", key, "c", "d", "e"])
    report = check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, [1], "V010")
    assert report["lost"][0]["key"] is None


@pytest.mark.parametrize("indexes, row, told", [
    ([0, 1, -1, 3, 4], 2, "negative"), ([0, 1, 2, 3, 1], 4, "same image index"),
])
def test_image_indexes(indexes, row, told, tmp_path):
    shard = Shard(image_indexes=indexes)
    check_one(shard.write(tmp_path / "a.h5"), tmp_path / "out", shard, [row], told)


def test_of_two_equal_keys_the_first_sound_one_is_kept(tmp_path):
    names = ["b", "b", "c", "d", "c"]
    shard = Shard(keys=names, **with_column("score", stored=only(1, flipped)))  # loses rows 2 and 3
    path = shard.write(tmp_path / "a.h5")
    code, report = recover(path, tmp_path / "out")
    assert code == 3 and lost(report) == [("a.h5", 1), ("a.h5", 2), ("a.h5", 3)]
    assert recovered(tmp_path / "out") == [originals(shard)[row] for row in (0, 4)]


# -------------------------------------------------------------------------------------------- datasets


def no_index(folder):
    (folder / "index.json").unlink()


def damaged_index(folder):
    flip(folder / "index.json", 40)


def truncated(folder):
    path = folder / "labels-00001.h5"
    path.write_bytes(path.read_bytes()[:-1])


def deleted(folder):
    (folder / "labels-00001.h5").unlink()


def superblock(folder):
    flip(folder / "labels-00001.h5", 36)


def root_header(folder):
    with h5py.File(folder / "labels-00001.h5") as file:
        address = h5o.get_info(file["/"].id).addr
    flip(folder / "labels-00001.h5", address + 30)


def required_header(folder):
    damage(folder / "labels-00001.h5", "score")


def text(folder):
    (folder / "labels-00001.h5").write_text("not HDF5\n" * 30)


def empty(folder):
    (folder / "labels-00001.h5").write_bytes(b"")


def folder_in_place(folder):
    deleted(folder)
    (folder / "labels-00001.h5").mkdir()


def link_in_place(folder):
    shutil.move(folder / "labels-00001.h5", folder.parent / "elsewhere.h5")
    with open(folder.parent / "elsewhere.h5", "ab") as file:
        file.write(b"\0")
    (folder / "labels-00001.h5").symlink_to(folder.parent / "elsewhere.h5")


def other_build(folder):
    shard = two_shards(attributes={"build_id": digest(b"another")})[1]
    shard.write(folder / "labels-00001.h5")


def other_grid(folder):
    two_shards(height=4)[1].write(folder / "labels-00001.h5")


LOST_SHARDS = [truncated, deleted, superblock, root_header, required_header, text, empty, link_in_place, other_build,
               other_grid]


@pytest.mark.parametrize("change", [*LOST_SHARDS, folder_in_place], ids=lambda change: change.__name__)
def test_a_lost_shard_with_a_sound_index(change, tmp_path):
    """Its rows are known by number."""
    shards = two_shards()
    folder = write_dataset(tmp_path / "dataset", *shards)
    change(folder)
    output = tmp_path / "out"
    code, report = recover(folder, output)
    assert code == 3 and lost(report) == [("labels-00001.h5", row) for row in range(3)], report
    assert recovered(output) == originals(shards[0])
    index = oracle.read_index(output)
    assert index["sources"] == 8 and len(index["left_out"]) == 3
    if change not in (other_build, other_grid):
        assert [entry["key"] for entry in index["left_out"]] == [f"row {n} of labels-00001.h5" for n in range(3)]


@pytest.mark.parametrize("change", [c for c in LOST_SHARDS if c not in (deleted, link_in_place)],
                         ids=lambda change: change.__name__)
def test_a_lost_shard_without_an_index(change, tmp_path):
    """Nobody knows how many rows it had."""
    shards = two_shards()
    folder = write_dataset(tmp_path / "dataset", *shards)
    change(folder)
    no_index(folder)
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and "index.json is missing" in report["doubts"][0]
    assert recovered(tmp_path / "out") == originals(shards[0])
    assert {image["shard"] for image in report["lost"]} == {"labels-00001.h5"}


@pytest.mark.parametrize("change", [no_index, damaged_index])
def test_a_dataset_without_a_sound_index(change, tmp_path):
    """All is saved, but nobody can say whether that is all: exit code 3."""
    shards = two_shards()
    folder = write_dataset(tmp_path / "dataset", *shards)
    change(folder)
    code, report = recover(folder, tmp_path / "out")
    assert (code, report["lost"], report["complete"]) == (3, [], False)
    (doubt,) = report["doubts"]
    assert ("missing" if change is no_index else "damaged") in doubt and "number" not in doubt
    assert "nor that 'labels-00000.h5', 'labels-00001.h5' are of one build" in doubt
    assert recovered(tmp_path / "out") == originals(*shards)
    assert oracle.read_index(tmp_path / "out")["options"]["recovered_from"]["doubts"] == [doubt]
    # Who saves what was saved does not make it certain.
    assert recover(tmp_path / "out", tmp_path / "again")[0] == 0
    assert oracle.read_index(tmp_path / "again")["options"]["recovered_from"]["doubts"] == [doubt]


def test_shards_with_the_same_images_are_doubted(tmp_path):
    """Two builds of one id: what is lost of one is found in the other, and may hold other labels."""
    one, two = Shard(**with_column("score", stored=only(0, flipped))), Shard(seed=5)
    folder = write_dataset(tmp_path / "dataset", one)
    two.write(folder / "labels-00001.h5")
    no_index(folder)
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and any(
        "'labels-00000.h5' and 'labels-00001.h5' hold the same images" in doubt for doubt in report["doubts"])
    assert len(recovered(tmp_path / "out")) == 5


@pytest.mark.parametrize("change", [no_index, damaged_index])
def test_an_uncompressed_shard_that_no_index_confirms(change, tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards(compression="none"))
    change(folder)
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and [f"'labels-0000{n}.h5'" in report["doubts"][n + 1] for n in (0, 1)] == [True, True]
    assert all("fletcher32 alone" in doubt for doubt in report["doubts"][1:])


def test_a_full_disk_names_what_is_written(tmp_path):
    """Not the damaged source, which can be read."""
    path = write_shard(tmp_path / "a.h5", rows=400)
    bound = 20_000  # bytes of a file: as a full disk, in the middle of the copy

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))

    result = tool("relabel", "recover", path, "--output", tmp_path / "out", preexec_fn=limited)
    assert result.returncode == 74, result.stderr
    assert f"{tmp_path}/out/labels-00000.h5: " in result.stderr and "a.h5" not in result.stderr
    assert not (tmp_path / "out" / "index.json").exists()


def test_a_gap_is_told(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    no_index(folder)
    (folder / "labels-00000.h5").unlink()
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and "no shard has the number 0" in report["doubts"][0]
    assert shards_of(tmp_path / "out") == ["labels-00001.h5"]


def test_shards_keep_their_numbers(tmp_path):
    """A row order says which part of it a shard is, by number (spec, section 9.3)."""
    shards = [*two_shards(), Shard(largest_error=2**-9, first_index=20, rows=2)]
    folder = write_dataset(tmp_path / "dataset", *shards)
    deleted(folder)
    assert recover(folder, tmp_path / "out")[0] == 3
    assert shards_of(tmp_path / "out") == ["labels-00000.h5", "labels-00002.h5"]


def test_names_that_are_no_numbers(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, shard in zip("ab", two_shards()):
        shard.write(folder / f"{name}.h5")
    assert recover(folder, tmp_path / "out")[0] == 3
    assert shards_of(tmp_path / "out") == ["labels-00000.h5", "labels-00001.h5"]
    assert recovered(tmp_path / "out") == originals(*two_shards())


def test_the_same_image_in_two_shards(tmp_path):
    """The first is kept, the other named."""
    first, second = two_shards()
    second.keys = ["train/n0002", "x", "y"]
    second.image_indexes = [20, 21, 4]
    folder = write_dataset(tmp_path / "dataset", first, second)
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and lost(report) == [("labels-00001.h5", 0), ("labels-00001.h5", 2)]
    assert [("same key" in i["reason"], i["key"]) for i in report["lost"]] == [(True, "train/n0002"), (False, "y")]
    assert recovered(tmp_path / "out") == originals(first) + originals(second)[1:2]


def test_a_copy_of_a_shard(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    no_index(folder)
    shutil.copy(folder / "labels-00000.h5", folder / "labels-00007.h5")
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and lost(report) == [("labels-00007.h5", row) for row in range(5)]
    assert recovered(tmp_path / "out") == originals(*two_shards())


def test_a_shard_that_is_not_listed_is_left_alone(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    write_shard(folder / "labels-00009.h5", first_index=50)
    code, report = recover(folder, tmp_path / "out")
    assert code == 0 and "labels-00009.h5" in report["notes"][0] and report["images"] == 8


def test_a_shard_of_which_rows_are_missing(tmp_path):
    """Whole chunks and rows are gone and all checksums right: only the index tells."""
    shards = two_shards()
    folder = write_dataset(tmp_path / "dataset", *shards)
    Shard(largest_error=0.001953125, rows=3).write(folder / "labels-00000.h5")
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and lost(report) == [("labels-00000.h5", 3), ("labels-00000.h5", 4)]
    assert "not the file that index.json lists" in report["doubts"][0]


def test_damage_that_checksums_do_not_see(tmp_path):
    """Two exchanged chunks of an uncompressed shard (spec, section 15.2): only the digest tells."""
    shards = two_shards(compression="none")
    folder = write_dataset(tmp_path / "dataset", *shards)
    one, other = ([data for _, data in shards[0].columns()["score"].chunks()][n] for n in (0, 1))
    path = folder / "labels-00000.h5"
    content = path.read_bytes()
    path.write_bytes(content.replace(one, b"?" * len(one)).replace(other, one).replace(b"?" * len(one), other))
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and "fletcher32 alone" in report["doubts"][0]


def test_half_the_shards_of_another_dataset(tmp_path):
    """Without an index the most images that belong together are saved."""
    folder = tmp_path / "folder"
    folder.mkdir()
    large = Shard(rows=5, attributes={"orientation": "xy"})
    Shard(rows=4).write(folder / "labels-00000.h5")
    large.write(folder / "labels-00001.h5")
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and lost(report) == [("labels-00000.h5", row) for row in range(4)]
    assert "differs from 'labels-00001.h5' in orientation" in report["lost"][0]["reason"]
    assert recovered(tmp_path / "out") == originals(large)


@pytest.mark.parametrize("rows, parts", [(80_000, 4), (300_000, 0), (2**39, 0)], ids=["long", "many", "absurd"])
def test_so_many_losses_that_no_reader_would_take_the_index(rows, parts, tmp_path):
    """Then equal losses of a shard are one entry."""
    path = "/".join([*["x" * 200] * parts, "labels-00001.h5"])

    def change(index):
        index["shards"].append(index["shards"][0] | {"path": path, "rows": rows})
        index["count"] += rows
        index["sources"] += rows

    folder = write_dataset(tmp_path / "dataset", Shard(), change=change)
    code, report = recover(folder, tmp_path / "out")
    assert code == 3 and report["lost_images"] == rows
    assert recovered(tmp_path / "out") == originals(Shard())
    (entry,) = oracle.read_index(tmp_path / "out")["left_out"]
    assert entry["key"] == path and f"{rows} images lost" in entry["reason"]


def test_nothing_can_be_saved(tmp_path):
    folder = write_dataset(tmp_path / "dataset", Shard())
    truncated_path = folder / "labels-00000.h5"
    truncated_path.write_bytes(truncated_path.read_bytes()[:100])
    code, report = recover(folder, tmp_path / "out")
    assert code == 5 and report["images"] == 0 and len(lost(report)) == 5 and report["build_id"] is None
    assert os.listdir(tmp_path / "out") == []


def test_a_newer_shard_is_not_cut_to_what_is_known(tmp_path):
    path = write_shard(tmp_path / "a.h5", attributes={"format_version": "1.7"})
    code, report = recover(path, tmp_path / "out")
    assert code == 5 and "1.7" in report["lost"][0]["reason"]


# ------------------------------------------------------------------------------------------- the report


def test_the_report_for_people(tmp_path):
    settings = dict(largest_error=2**-9, images_per_chunk=20)
    damaged = Shard(rows=40, **settings, **with_column("score", stored=only(0, flipped)))
    folder = write_dataset(tmp_path / "dataset", damaged, Shard(first_index=50, rows=3, **settings))
    (folder / "labels-00001.h5").unlink()
    result = tool("relabel", "recover", folder, "-o", tmp_path / "out")
    assert result.returncode == 3 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'out'}: 20 images saved in 1 shard"
    assert lines[1] == "  lost      23 images"
    text = result.stdout
    assert "labels-00000.h5: 20 images: its chunk of score is damaged: its checksum is wrong" in text
    assert "train/n0000, train/n0001, train/n0002, train/n0003, train/n0004 and 15 more" in text
    assert "labels-00001.h5: 3 images: the file is missing" in text
    assert "row 0 of labels-00001.h5, row 1 of labels-00001.h5, row 2 of labels-00001.h5\n" in text + "\n"


def test_the_report_of_a_sound_dataset(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    result = tool("relabel", "recover", path, "-o", tmp_path / "out")
    assert result.returncode == 0
    assert result.stdout == f"{tmp_path / 'out'}: 5 images saved in 1 shard, nothing is lost\n"


# ------------------------------------------------------------------------------------- the output folder


def test_a_finished_dataset_is_not_replaced_unasked(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    output = write_dataset(tmp_path / "out", Shard(rows=3))
    before = oracle.folder_bytes(output)
    result = tool("relabel", "recover", path, "-o", output)
    assert result.returncode == 64 and "--overwrite" in result.stderr
    assert oracle.folder_bytes(output) == before
    assert recover(path, output, "--overwrite")[0] == 0
    assert recovered(output) == originals(Shard())


def test_the_damaged_dataset_is_never_written_to(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    no_index(folder)
    before = oracle.folder_bytes(folder)
    (tmp_path / "link").symlink_to(folder)
    for source in (folder, folder / "index.json", folder / "labels-00000.h5"):
        for output in (folder, tmp_path / "link", f"{folder}/../dataset"):
            result = tool("relabel", "recover", source, "-o", output, "--overwrite")
            assert result.returncode == 64 and "another folder" in result.stderr
    assert oracle.folder_bytes(folder) == before


@pytest.mark.parametrize("path, code", [("nowhere", 74), ("empty", 66), ("nowhere/index.json", 66)])
def test_no_dataset(path, code, tmp_path):
    (tmp_path / "empty").mkdir()
    result = tool("relabel", "recover", tmp_path / path, "-o", tmp_path / "out")
    assert result.returncode == code and len(result.stderr.splitlines()) == 1, result.stderr


def damaged_dataset(folder, copies=4, rows=120):
    """Some shards, each with a damaged chunk."""
    shards = [
        Shard(rows=rows, first_index=rows * n, seed=n, largest_error=2**-9, height=8, width=8,
              optional=tuple(OPTIONAL), **with_column("score", stored=only(n, flipped)))
        for n in range(copies)
    ]
    return write_dataset(folder, *shards)


@pytest.mark.parametrize("options", [["--jobs", 1], ["--jobs", 5], ["--no-isolation"]], ids=str)
def test_bytes_depend_on_the_damage_alone(options, tmp_path):
    """Not on threads or processes, nor on where the damaged dataset lies."""
    folder = damaged_dataset(tmp_path / "dataset", 3)
    truncated(folder)
    assert recover(folder, tmp_path / "a")[0] == 3
    folder = folder.rename(tmp_path / "moved")
    assert recover(folder, tmp_path / "b", *options)[0] == 3
    assert oracle.folder_bytes(tmp_path / "a") == oracle.folder_bytes(tmp_path / "b")


def test_a_killed_run_leaves_nothing_that_looks_finished(tmp_path):
    """And the same run again gives the bytes of an undisturbed one."""
    folder = damaged_dataset(tmp_path / "dataset")
    start = time.monotonic()
    assert recover(folder, tmp_path / "whole")[0] == 3
    duration = time.monotonic() - start
    expected = oracle.folder_bytes(tmp_path / "whole")
    chance = random.Random(1)
    unfinished = 0
    for number in range(6):
        output = tmp_path / f"killed{number}"
        process = subprocess.Popen(
            [BIN / "relabel", "recover", folder, "-o", output], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)  # a helper may live a little longer
        names = set(os.listdir(output)) if output.exists() else set()
        if "index.json" in names:
            assert oracle.folder_bytes(output) == expected
            continue
        unfinished += 1
        shards = {name for name in names if not name.startswith(".")}
        assert all((output / name).read_bytes() == expected[name] for name in shards)
        assert all(name.endswith(".partial") for name in names - shards)
        assert recover(folder, output)[0] == 3
        assert oracle.folder_bytes(output) == expected
    assert unfinished > 1


@pytest.mark.parametrize("size", [0, 3000, 40_000, 90_000])
def test_writes_that_fail(size, tmp_path):
    folder = damaged_dataset(tmp_path / "dataset", 2)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    output = tmp_path / "out"
    result = tool("relabel", "recover", folder, "-o", output, preexec_fn=limit)
    assert result.returncode == 74 and len(result.stderr.splitlines()) == 1, result
    assert "index.json" not in os.listdir(output)
    assert all(not name.startswith(".") for name in os.listdir(output))


# ------------------------------------------------------------------------------------------- isolation


def stand_in(folder, body):
    """A helper that is the real one but for what `body` does; `task` and `request` are its arguments."""
    real = str(BIN / "relabel")
    path = folder / "helper"
    path.write_text(
        f"#!{sys.executable}\nimport os, signal, sys, time\n_, _, task, limits, request = sys.argv\n{body}\n"
        f"os.execv({real!r}, [{real!r}] + sys.argv[1:])\n"
    )
    path.chmod(0o755)
    return path


CRASH = "os.kill(os.getpid(), signal.SIGSEGV)"


def test_a_shard_that_crashes_the_library_is_lost_alone(tmp_path):
    shards = two_shards()
    folder = write_dataset(tmp_path / "dataset", *shards)
    helper = stand_in(tmp_path, f"if '00000' in request and task == 'survey-shard': {CRASH}")
    code, report = recover(folder, tmp_path / "out", "--helper", helper)
    assert code == 3 and lost(report) == [("labels-00000.h5", row) for row in range(5)]
    assert "Segmentation fault" in report["lost"][0]["reason"]
    assert recovered(tmp_path / "out") == originals(shards[1])


def test_a_shard_that_hangs_the_library_is_lost_alone(tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    helper = stand_in(tmp_path, "if '00001' in request and task == 'survey-shard': time.sleep(60)")
    code, report = recover(folder, tmp_path / "out", "--helper", helper, "--time-limit", 1)
    assert code == 3 and "stood still" in report["lost"][0]["reason"]
    assert recovered(tmp_path / "out") == originals(two_shards()[0])


@pytest.mark.parametrize("body", [CRASH, "sys.exit(0)", "print('nonsense'); time.sleep(9)"])
def test_a_helper_that_dies_while_it_copies(body, tmp_path):
    folder = write_dataset(tmp_path / "dataset", *two_shards())
    helper = stand_in(tmp_path, f"if task == 'copy-rows': {body}")
    result = tool("relabel", "recover", folder, "-o", tmp_path / "out", "--helper", helper)
    assert result.returncode == 5 and len(result.stderr.splitlines()) == 1
    assert os.listdir(tmp_path / "out") == []


def test_a_copy_that_is_not_what_was_ordered(tmp_path):
    """A helper that was taken over writes a sound shard of another dataset."""
    folder = write_dataset(tmp_path / "dataset", Shard())
    other = write_shard(tmp_path / "other.h5", seed=9, first_index=3)
    body = f"""
if task == 'copy-rows':
    import json, shutil
    order = json.load(open(json.loads(request)["order"]))
    shutil.copy({str(other)!r}, order["target"])
    sys.stdout.buffer.write(bytes([4, 0, 0, 0, 0])); sys.stdout.flush(); time.sleep(9)
"""
    result = tool("relabel", "recover", folder, "-o", tmp_path / "out", "--helper", stand_in(tmp_path, body))
    assert result.returncode == 70 and "rows it should" in result.stderr
    assert os.listdir(tmp_path / "out") == []


def test_a_helper_that_can_not_start(tmp_path):
    path = write_shard(tmp_path / "a.h5")
    result = tool("relabel", "recover", path, "-o", tmp_path / "out", "--helper", tmp_path / "nowhere")
    assert result.returncode == 74 and "--no-isolation" in result.stderr


class Large(Shard):
    """A shard that draws no labels beside those it is given."""

    def labels(self):
        return self.ids, self.stored


def test_chunks_of_the_largest_size(tmp_path):
    """Within the memory that a helper may have."""
    side, k, rows = 512, 32, 3
    ids = np.broadcast_to(np.arange(k, dtype="<u2"), (rows, side, side, k))
    stored = np.broadcast_to(np.arange(k, 0, -1).astype("<u2") * 300, (rows, side, side, k)).copy()
    stored[1, 5, 5] += 7
    shard = Large(rows=rows, height=side, width=side, k=k, num_classes=1000, images_per_chunk=1,
                  ids=np.ascontiguousarray(ids), stored=stored, optional=("log_normalizer",),
                  **with_column("score", stored=only(2, flipped)))
    path = shard.write(tmp_path / "a.h5")
    code, report = recover(path, tmp_path / "out", "--jobs", 4)
    assert code == 3 and lost(report) == [("a.h5", 2)]
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as new:
        assert (new["score"][:] == stored[:2]).all() and (new["class_index"][:] == ids[:2]).all()


# --------------------------------------------------------------------------------------- any damage at all


@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("seed", range(3))
def test_any_flipped_bits(compression, seed, tmp_path):
    """Whatever is flipped: what is saved is bit for bit what it was, and the rest is named."""
    chance = random.Random(seed)
    shards = two_shards(optional=("source_label", "log_normalizer"), compression=compression)
    source = write_dataset(tmp_path / "dataset", *shards)
    rows = {key: row for key, row in zip(keys(originals(*shards)), originals(*shards))}
    for trial in range(12):
        folder, output = tmp_path / f"d{trial}", tmp_path / f"o{trial}"
        shutil.copytree(source, folder)
        for _ in range(chance.choice([1, 1, 3])):
            victim = folder / chance.choice(["labels-00000.h5", "labels-00001.h5"])
            flip(victim, chance.randrange(victim.stat().st_size), 1 << chance.randrange(8))
        code, report = recover(folder, output)
        assert code in (0, 3, 5), report
        saved = recovered(output) if code != 5 else []
        assert len(saved) + len(lost(report)) == 8
        unknown = sum(entry["images"] for entry in report["unknown_values"])
        for row in saved:
            expected = rows[row["image_key"].rstrip(b"\0").decode()]
            if row != expected:
                unknown -= 1
                assert row == expected | {"source_label": b"\xff" * 4}
        assert unknown <= 1  # the first image of the shards has no label anyway
        assert (code == 0) == (report["complete"] and len(saved) == 8)
        assert code != 0 or verify(folder)[0] == 0 or saved == originals(*shards)


# ------------------------------------------------------------------- names that lead out of the output


@pytest.mark.parametrize("name", ["./{}/victim", "../{}/victim", "{}/victim", "..", "../victim"])
def test_a_name_of_the_index_leads_nowhere(name, tmp_path):
    """An index, its digest right, whose name would put shards into another folder."""
    victim = tmp_path / "victim-00000.h5"
    victim.write_text("precious")
    source = write_dataset(tmp_path / "source", Shard(), change=lambda index: index.update(
        name=name.format("../" * 30 + str(tmp_path).lstrip("/"))))
    (source / "labels-00000.h5").rename(source / "x.h5")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    code, report = recover(source, tmp_path / "out" / "deep")
    assert code == 3 and "'name' is not a valid name" in report["doubts"][0], report
    after = {path for path in tmp_path.rglob("*") if path.is_file()} - set(before)
    assert victim.read_text() == "precious"
    assert {str(path.relative_to(tmp_path / "out" / "deep")) for path in after} == {"labels-00000.h5", "index.json"}
    assert verify(tmp_path / "out" / "deep")[0] == 0


@pytest.mark.parametrize("file", ["a\\b-00000.h5", "a\nb-00000.h5"])
def test_names_of_files_do_not_become_names_of_an_index(file, tmp_path):
    """Without an index the new dataset is called as its shards are, unless no dataset may be called so."""
    (tmp_path / "source").mkdir()
    write_shard(tmp_path / "source" / file)
    recover(tmp_path / "source", tmp_path / "out")
    assert verify(tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "labels-00000.h5").exists()
