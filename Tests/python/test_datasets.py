"""One dataset, one truth: the verifier, the tools, the C interface and both engines say the same of it."""

import ctypes
import json
import os
import re
from dataclasses import replace

import pytest
from conftest import BIN, error_rules, tool, verify
from pooling_reference import with_numpy, with_swift
from shard_writer import Shard, digest, encode_index, two_shards, write_dataset

import relabel_hdf5
from relabel_hdf5 import NotFoundError, RelabelError
from relabel_hdf5.engines import library

FIRST, SECOND = "train/n0001", "train/n0006"
"""A key of the first shard of two, and one of the second."""


@pytest.fixture(params=[with_numpy, with_swift], ids=["numpy", "swift"])
def engine(request, monkeypatch):
    request.param(monkeypatch)


def changed(folder, change):
    """The dataset with another index, sealed."""
    index = folder / "index.json"
    document = json.loads(index.read_bytes())
    change(document)
    index.write_bytes(encode_index(document))


def refused(work):
    """What `work` is refused with: the rule and the whole text."""
    with pytest.raises(RelabelError) as caught:
        work()
    return caught.value.rule, str(caught.value)


def found_by_c(folder, key):
    """What `relabel_find` gives: a position, or the rule and text of its failure."""
    loaded = library.loaded(str(BIN / "libRelabelC.so"))
    loaded.relabel_find.restype = ctypes.c_int64
    loaded.relabel_find.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    maps = loaded.relabel_open(os.fsencode(folder))
    position = loaded.relabel_find(maps, key.encode()) if maps else -1
    if position >= 0:
        outcome = position
    else:
        failure = library.failure(loaded)
        outcome = failure.rule, str(failure)
    loaded.relabel_close(maps)
    return outcome


def shown(folder, key):
    """What `relabel show` gives: its exit code, and the rule and text of what it refuses."""
    result = tool("relabel", "show", folder, "--key", key)
    rule = re.search(r"\[([A-Z]\d{3})\]$", result.stderr.strip())
    return result.returncode, rule and rule[1], result.stderr


# ------------------------------------------------------------------------------ what is compared

DIFFERENCES = {
    "bytes": ("M005", lambda d: d["shards"][0].update(bytes=1)),
    "rows": ("M006", lambda d: (d["shards"][0].update(rows=6), d.update(count=9, sources=9))),
    "metadata_sha256": ("M006", lambda d: d["shards"][0].update(metadata_sha256=digest(b""))),
    "build_id": ("M006", lambda d: d.update(build_id=digest(b""))),
    "num_classes": ("M006", lambda d: d.update(num_classes=11)),
    "score_kind": ("M006", lambda d: d.update(score_kind="probability")),
    "writer": ("M006", lambda d: d.update(writer="somebody else")),
    "annotator": ("M006", lambda d: d.update(annotator=None)),
    "classes_sha256": ("M006", lambda d: d.update(classes_sha256=None)),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_index_and_shard_differ(name, tmp_path, engine):
    """The verifier reports, and everybody else refuses, by one rule and with one text."""
    rule, change = DIFFERENCES[name]
    folder = write_dataset(tmp_path / "d", *two_shards(), change=change)
    code, report = verify(folder)
    assert code == (5 if rule == "M005" else 1) and error_rules(report) == [rule]
    found = refused(lambda: relabel_hdf5.open(folder)[0])
    assert found[0] == rule and f"'{name}' is " in found[1]
    shown_code, shown_rule, text = shown(folder, FIRST)
    assert (shown_code, shown_rule) == (code, rule) and f"'{name}' is " in text
    # One text: the verifier's says in which shard.
    message = report["findings"][0]["message"] if name != "bytes" else next(
        finding["message"] for finding in report["findings"] if finding["rule"] == rule)
    assert message.replace("'labels-00000.h5'", "the shard") in found[1]
    assert message.replace("'labels-00000.h5'", "the shard") in text


SHARED = {
    "orientation": {"attributes": {"orientation": "xy"}}, "row_order": {"attributes": {"row_order": "shuffled:1"}},
    "top_k": {"k": 2}, "key_bytes": {"key_width": 20}, "images_per_chunk": {"images_per_chunk": 1},
    "filters": {"compression": "none"}, "datasets": {"optional": ("image_size",)}, "step": {"step": 1 / 128},
}


@pytest.mark.parametrize("name", SHARED)
def test_shards_differ(name, tmp_path, engine):
    first, second = two_shards()
    folder = write_dataset(tmp_path / "d", first, replace(second, **SHARED[name]))
    code, report = verify(folder)
    assert code == 1 and error_rules(report) == ["M008"]
    maps = relabel_hdf5.open(folder)
    assert maps[0].key == "train/n0000"
    rule, text = refused(lambda: maps[6])
    assert rule == "M008" and "labels-00001.h5: " in text
    message = next(finding["message"] for finding in report["findings"] if finding["rule"] == "M008")
    assert message.startswith(f"'{name}' is ")
    seen = message.replace("'labels-00001.h5'", "the shard").replace("'labels-00000.h5'", f"{folder}/labels-00000.h5")
    assert seen in text
    with relabel_hdf5.open(folder) as maps:  # the other one may as well be opened first
        maps[6]
        assert refused(lambda: maps[0])[0] == "M008"


# ------------------------------------------------------------------------ what can't be read, and the rest


def lose(path):
    path.unlink()


def damage_header(path):
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("harm, rule", [(lose, "M004"), (damage_header, "S002"), (cut, "S004")])
@pytest.mark.parametrize("bad", [0, 1])
def test_a_shard_that_cant_be_read_hides_its_own_images_only(bad, harm, rule, tmp_path, engine):
    folder = write_dataset(tmp_path / "d", *two_shards())
    path = folder / f"labels-{bad:05}.h5"
    harm(path)
    good, lost = (SECOND, FIRST) if bad == 0 else (FIRST, SECOND)
    with relabel_hdf5.open(folder) as maps:
        assert maps[good].key == good and maps.position(good) == int(good[-1])
        assert maps.header.num_classes == 10 and len(maps.chunks) > 2
        for name in (lost, "no/such/key"):
            found = refused(lambda name=name: maps.positions([good, name]))
            assert found[0] == rule and str(path) in found[1], found
    code, _, text = shown(folder, good)
    assert code == 0, text
    code, shown_rule, text = shown(folder, lost)
    assert code in (1, 5) and shown_rule == rule and str(path) in text
    assert found_by_c(folder, good) == int(good[-1]) and str(path) in found_by_c(folder, lost)[1]
    assert tool("relabel", "pool", folder, "--key", good, "--box", "0,0,1,1").returncode == 0
    refusal = tool("relabel", "pool", folder, "--key", lost, "--box", "0,0,1,1")
    assert refusal.returncode == code and str(path) in refusal.stderr


def test_a_shard_that_comes_back_is_found(tmp_path, engine):
    folder = write_dataset(tmp_path / "d", *two_shards())
    path, away = folder / "labels-00001.h5", tmp_path / "away"
    path.rename(away)
    with relabel_hdf5.open(folder) as maps:
        assert refused(lambda: maps[SECOND])[0] == "M004"
        away.rename(path)
        assert maps[SECOND].key == SECOND
        with pytest.raises(NotFoundError):
            maps["no/such/key"]


# ------------------------------------------------------------------------------------ what occurs twice


@pytest.mark.parametrize("rule", ["V010", "M007"])
def test_a_key_twice(rule, tmp_path, engine):
    """Asked for a key that two images have, nobody gives one of the two."""
    if rule == "V010":
        shards = [Shard(rows=4, keys=["a/k1", "a/k2", "a/k2", "a/k3"])]
    else:
        shards = two_shards()
        shards[1] = replace(shards[1], keys=["a/k1", FIRST, "a/k3"])
    key = "a/k2" if rule == "V010" else FIRST
    folder = write_dataset(tmp_path / "d", *shards)
    assert error_rules(verify(folder)[1]) == [rule]
    found = refused(lambda: relabel_hdf5.open(folder)[key])
    assert found[0] == rule and "have the same key" in found[1]
    code, shown_rule, text = shown(folder, key)
    assert (code, shown_rule) == (1, rule)
    assert found[1].rsplit(" [", 1)[0] in text
    assert found_by_c(folder, key) == found


def test_a_shard_listed_twice(tmp_path, engine):
    def change(document):
        document["shards"].append(dict(document["shards"][0]))
        document.update(count=10, sources=10)

    folder = write_dataset(tmp_path / "d", two_shards()[0], change=change)
    assert error_rules(verify(folder)[1]) == ["M007"]
    rule, found = refused(lambda: relabel_hdf5.open(folder))
    assert rule == "M007" and "shard 'labels-00000.h5' is listed twice" in found
    code, shown_rule, text = shown(folder, FIRST)
    assert (code, shown_rule) == (1, "M007") and "shard 'labels-00000.h5' is listed twice" in text
    assert found_by_c(folder, FIRST) == (rule, found)


# ------------------------------------------------------------------------------------ where a shard lies


@pytest.mark.parametrize("path", ["sub/labels-00001.h5", "tables-00001.h5", "labels-1.h5"])
def test_a_shard_elsewhere_or_by_another_name(path, tmp_path, engine):
    """Nobody follows the path (spec, section 11.1), and what lies there can be saved."""
    folder = write_dataset(tmp_path / "d", *two_shards(), change=lambda d: d["shards"][1].update(path=path))
    (folder / "sub").mkdir()
    (folder / "labels-00001.h5").rename(folder / path)
    code, report = verify(folder)
    assert code == 4 and error_rules(report) == ["M009"]
    rule, text = refused(lambda: relabel_hdf5.open(folder))
    assert rule == "M009" and f"shard path '{path}': it " in text
    code, shown_rule, shown_text = shown(folder, FIRST)
    assert (code, shown_rule) == (4, rule) and text.rsplit(" [", 1)[0] in shown_text
    assert found_by_c(folder, FIRST) == (rule, text)
    assert tool("relabel", "recover", folder, "-o", tmp_path / "out").returncode == 0
    with relabel_hdf5.open(tmp_path / "out") as maps:
        assert [maps.key(0), maps.key(5)] == ["train/n0000", "train/n0005"] and len(maps) == 8
