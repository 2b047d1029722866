"""The Python package refuses what the specification forbids, by the rule's id, as the Swift reader does."""

import json
import re

import numpy as np
import pytest
from all_fixtures import BROKEN, SOUND
from conformance_python import read_views
from conftest import tool
from pooling_reference import with_numpy, with_swift
from rule_fixtures import flip, made
from shard_writer import Shard, encode_index, fletcher32, seal, two_shards, write_dataset, write_shard

import relabel_hdf5
from relabel_hdf5 import CorruptError, InvalidDataError, RelabelError, UnsafeError, UnsupportedError
from relabel_hdf5.engines.numpy import codec

RULES = {rule["id"]: rule for rule in json.loads(
    tool("relabel-verify", "list-rules", "--format", "json").stdout)}
CLASSES = {1: InvalidDataError, 4: UnsafeError, 5: CorruptError, 6: UnsupportedError}

# What is the verifier's to find. A reader does not look at it, or would have to read everything first.
NOT_READ = {
    "V004": "no reader relies on the order of a cell",
    "V005": "reading a score needs no sum of all",
    "V006": "the same",
    "V008": "padding rows are never handed out",
    "I001": "needs the pictures", "I002": "the same", "I003": "the same", "I004": "the same",
    "I005": "needs boxes", "I006": "needs the annotator",
    "V023": "a warning about all maps together",
    "V020": "source labels are not handed out", "V021": "nor are sizes", "V022": "nor are normalizers",
    "P001": "a note", "P002": "a note", "P003": "a note",
    ("C007", "optional"): "an HDF5 dataset that this package does not use",
    ("C008", "flip_optional"): "the same",
    ("V007", "image_size"): "the same",
    ("V007", "log_normalizer"): "the same",
    ("V009", "twice"): "indexes are not looked up",
    ("M004", "unlisted"): "the folder is not listed", ("M004", "unlisted_other_name"): "the same",
    ("M004", "unlisted_hidden"): "the same",
    ("M005", "exchanged_bytes"): "shards are not digested", ("M005", "digest"): "the same",
    ("M006", "score_min"): "scores are not summed up", ("M006", "score_max"): "the same",
    ("M006", "score_null"): "the same",
    ("M006", "largest_error"): "it is not used", ("M006", "largest_error_null"): "the same",
    ("M007", "index"): "indexes are not looked up",
    "V031": "no reader relies on the order of views", "P004": "a note",
    "V033": "numbers of factors are not read",
    ("V009", "another_index_in_another_view"): "indexes are not compared with keys",
    ("V010", "another_key_with_the_index"): "the same",
    ("M007", "another_index_of_the_image"): "the same", ("M007", "another_image_of_the_index"): "the same",
    ("M012", "partner_missing"): "a partner outside of the batch is not looked for",
}  # fmt: skip
# A reader may refuse a forged structure or not, and warnings are not its affair. These fixtures are in other
# modules, which another test may have imported before.
EITHER = {"C011", "C012", "C013", "M011", *(f"V01{n}" for n in range(1, 9))}
FIXTURES = [fixture for fixture in BROKEN if fixture[0] not in EITHER]
# Refused for another reason than the verifier's.
# h5py has no call for this; the chunk has no checksum. The Swift engine reads it in the structure.
REFUSED_AS = {("C003", "unfiltered_edges"): {"numpy": "C008"}}


@pytest.fixture(params=[with_numpy, with_swift], ids=["numpy", "swift"], autouse=True)
def engine(request, monkeypatch):
    """Every rule is looked for by both engines."""
    request.param(monkeypatch)
    return relabel_hdf5.engine().split()[0]


def read_all(path):
    """Everything that a shard or dataset has."""
    with relabel_hdf5.open(path) as maps:
        maps.header, maps.classes, maps.chunks
        maps.batch(range(len(maps)))
        list(maps.keys()), maps.image_indexes(), maps.positions(["a key"])
        if maps.header.has_views:
            read_views(maps)


def is_read(rule, variant):
    return rule in NOT_READ or (rule, variant) in NOT_READ


def ids(fixtures):
    return [pytest.param(*fixture, id=f"{fixture[0]}-{fixture[1]}") for fixture in fixtures]


@pytest.mark.parametrize("rule, variant, make", ids([b for b in FIXTURES if not is_read(*b[:2])]))
def test_refused_by_its_rule(rule, variant, make, tmp_path, engine):
    path, _ = made(make, tmp_path)
    expected = REFUSED_AS.get((rule, variant), {}).get(engine, rule)
    with pytest.raises(RelabelError) as caught:
        read_all(path)
    assert caught.value.rule == expected, caught.value
    assert type(caught.value) is CLASSES[RULES[expected]["exit_code"]]
    assert str(caught.value).endswith(f"[{expected}]") and "\n" not in str(caught.value)
    assert caught.value.file.startswith(str(tmp_path))
    # Where opening alone makes the Swift reader name a rule, it is this one; family S it leaves to HDF5.
    named = re.search(r"\[([CLM]\d{3})\]$", tool("relabel", "info", path).stderr.strip())
    assert not named or named[1] == rule or rule[0] == "S", named[0]


@pytest.mark.parametrize("rule, variant, make", ids([b for b in FIXTURES if is_read(*b[:2])]))
def test_what_only_the_verifier_finds_is_read(rule, variant, make, tmp_path):
    path, _ = made(make, tmp_path)
    read_all(path)
    result = tool("relabel", "info", path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name, make", [pytest.param(*sound, id=sound[0]) for sound in SOUND])
def test_odd_but_sound(name, make, tmp_path):
    path = make(tmp_path)
    if name == "dataset_of_nothing":
        assert len(relabel_hdf5.open(path)) == 0  # and there is nothing to say of its maps
    else:
        read_all(path)


@pytest.mark.parametrize("rule, variant, make", ids(
    [b for b in FIXTURES if b[0] == "C008" and not is_read(*b[:2])]))
def test_the_other_images_of_a_damaged_shard_can_be_read(rule, variant, make, tmp_path):
    maps = relabel_hdf5.open(make(tmp_path))
    with pytest.raises(CorruptError, match=r"row|rows \d+ to \d+") as caught:
        maps.batch([2]), maps.key(4), maps.image_index(4)
    assert caught.value.rule == "C008" and caught.value.row in (2, 4)
    assert maps[0].key == "train/n0000"


def test_a_broken_cell_is_named(tmp_path):
    ids, stored = (array.copy() for array in Shard().labels())
    ids[3, 1, 2, 1] = 10
    maps = relabel_hdf5.open(write_shard(tmp_path / "a.h5", ids=ids, stored=stored))
    for read in (lambda: maps[3], lambda: maps.batch([4, 3]), lambda: maps.batch(range(5))):
        with pytest.raises(InvalidDataError) as caught:
            read()
        error = caught.value
        assert (error.rule, error.key, error.cell, error.row) == ("V001", "train/n0003", (1, 2), 3)
        place = f"{tmp_path / 'a.h5'}, class_index, image 'train/n0003', cell (1, 2): "
        assert str(error).startswith(place + "class ids [")
    assert maps[2].key == "train/n0002"  # the sound image of the same chunk


@pytest.mark.parametrize("repeated", [False, True])
def test_distinct_ids_of_large_cells(repeated, tmp_path):
    ids = np.argsort(np.random.default_rng(1).random((2, 3, 3, 40)), axis=-1).astype("<u2")
    if repeated:
        ids[1, 2, 0, 37] = ids[1, 2, 0, 3]
    path = write_shard(tmp_path / "a.h5", rows=2, height=3, width=3, k=40, num_classes=100, ids=ids)
    maps = relabel_hdf5.open(path)
    if not repeated:
        return np.testing.assert_array_equal(maps.batch([0, 1]).class_index, ids)
    with pytest.raises(InvalidDataError, match=r"cell \(2, 0\).*distinct \[V002\]"):
        maps.batch([0, 1])


@pytest.mark.parametrize("row, rule", [
    ([0, 0, np.inf, 1], "V003"), ([np.nan, 0, 1, 1], "V007"), ([0, 0, 0, 1], "V019"),
    ([0.5, 0, 0.75, 1], "V019")])
def test_extents_of_images(row, rule, tmp_path):
    shard = Shard(optional=("map_extent",))
    data = shard.columns()["map_extent"].data.copy()
    data[2] = row
    maps = relabel_hdf5.open(write_shard(
        tmp_path / "a.h5", optional=("map_extent",), column_changes={"map_extent": {"data": data}}))
    for read in (lambda: maps[2], lambda: maps.batch([1, 2])):
        with pytest.raises(InvalidDataError, match="map_extent, row 2: the extent") as caught:
            read()
        assert caught.value.rule == rule
    np.testing.assert_array_equal(maps[1].extent, data[1])


# ---------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize("attributes, words", [
    ({"format_version": "2.3"}, ["format version 2.3", "acme-pack 7", "version 2;"]),
    ({"features_required": "depth-maps"}, ["'depth-maps'", "acme-pack 7", "1.0 or newer"])])
def test_a_newer_shard_says_what_it_needs(attributes, words, tmp_path):
    path = write_shard(tmp_path / "a.h5", attributes={"writer": "acme-pack 7", **attributes})
    with pytest.raises(UnsupportedError) as caught:
        relabel_hdf5.open(path)
    assert all(word in str(caught.value) for word in [*words, str(path)])


def test_a_newer_index_says_what_it_needs(tmp_path):
    newer = {"format_version": "3.0", "writer": "acme 7"}
    folder = write_dataset(tmp_path, *two_shards(), change=lambda index: index.update(newer))
    with pytest.raises(UnsupportedError, match="index.json: format version 3.0, written by acme 7, .* 3;"):
        relabel_hdf5.open(folder)


def test_a_newer_minor_version_is_read(tmp_path):
    attributes = {"format_version": "1.7", "novel": "nothing to know", "features_optional": "novel"}
    path = write_shard(tmp_path / "a.h5", attributes=attributes)
    assert relabel_hdf5.open(path).header.format_version == "1.7"


# -------------------------------------------------------------------------------- damage and bombs


@pytest.mark.parametrize("compression", ["deflate", "none"])
def test_flipped_bits_are_found_or_change_nothing(compression, tmp_path):
    path = write_shard(
        tmp_path / "sound.h5", rows=2, height=1, width=2, k=2, images_per_chunk=1, rows_per_identity_chunk=2,
        compression=compression)
    content, sound, found = path.read_bytes(), everything(path), 0
    for number, at in enumerate(range(0, len(content), 61)):
        copy = tmp_path / "copy.h5"
        copy.write_bytes(content)
        try:
            assert everything(flip(copy, at, 1 << number % 8)) == sound, f"changed by byte {at}"
        except RelabelError as error:
            found += error.rule is not None
    assert found > len(content) / 61 / 2  # most of the file is structure and labels


def everything(path):
    with relabel_hdf5.open(path) as maps:
        batch = maps.batch(range(len(maps)))
        arrays = batch.class_index, batch.score, batch.extent, maps.image_indexes(), maps.chunks
        return [array.tobytes() for array in arrays], list(maps.keys()), maps.header, maps.header.metadata


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000, 16_384, 16_385, 50_001])
@pytest.mark.parametrize("fill", [None, 0, 255])
def test_fletcher32(size, fill):
    data = np.random.default_rng(size).bytes(size) if fill is None else bytes([fill]) * size
    assert codec.fletcher32(memoryview(data)) == fletcher32(data)


@pytest.mark.parametrize("depth", [64, 1000, 200_000])
def test_deep_json_does_no_harm(depth, tmp_path):
    folder = write_dataset(tmp_path, *two_shards())
    document = json.loads((folder / "index.json").read_bytes())
    nested = b"[" * (depth - 2) + b"]" * (depth - 2)  # within `options` of the document
    text = encode_index(document)[:-78].replace(b'"options":{', b'"options":{"a":' + nested + b",") + b"}"
    (folder / "index.json").write_bytes(seal(text))
    if depth == 64:
        return read_all(folder)
    with pytest.raises(CorruptError, match="M002"):
        relabel_hdf5.open(folder)


def test_a_giant_index_is_not_read(tmp_path):
    (tmp_path / "index.json").touch()
    with open(tmp_path / "index.json", "r+") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UnsafeError, match="over the limit"):
        relabel_hdf5.open(tmp_path)
