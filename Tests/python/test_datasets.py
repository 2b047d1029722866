"""One dataset, one truth: the verifier, the tools, the C interface and both engines say the same of it."""

import json
import re
from dataclasses import replace

import pytest
from conftest import error_rules, tool, verify
from pooling_reference import with_numpy, with_swift
from shard_writer import digest, encode_index, two_shards, write_dataset

import relabel_hdf5
from relabel_hdf5 import RelabelError

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
