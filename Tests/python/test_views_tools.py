"""The tools on shards of views: recovering, showing, and packing a stream of records, read with h5py alone."""

import json
import struct

import fixtures_views
import h5py
import numpy as np
import pytest
from conftest import tool, verify

SOUND = dict(fixtures_views.FIXTURES.sound_files)
BROKEN = [(rule, name, make) for rule, name, make in fixtures_views.FIXTURES.broken if rule[0] in "VM"]
HOPELESS = {"box_outside", "box_upside_down", "in_no_batch"}  # all rows, or the mixed ones, break the rule


def rows_of(folder):
    """What h5py reads of each view: all its values as bytes by (key, view)."""
    found = {}
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path) as file:
            for row in range(len(file["view"])):
                at = bytes(file["image_key"][row]), int(file["view"][row])
                assert at not in found
                found[at] = {name: file[name][row].tobytes() for name in file if name != "image_key"}
    return found


@pytest.mark.parametrize("name", sorted(SOUND))
def test_recovered_whole(name, tmp_path):
    (tmp_path / "in").mkdir()
    SOUND[name](tmp_path / "in")
    result = tool("relabel", "recover", tmp_path / "in", "--output", tmp_path / "out")
    assert result.returncode in (0, 3), result.stderr
    assert verify(tmp_path / "out")[0] == 0
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "in")


@pytest.mark.parametrize("rule, name, make", BROKEN, ids=[f"{rule}-{name}" for rule, name, _ in BROKEN])
def test_recovered_in_part(rule, name, make, tmp_path):
    """What is saved is sound, and its bits are those of the source."""
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    result = tool("relabel", "recover", tmp_path / "in", "--output", tmp_path / "out", "--format", "json")
    if name in HOPELESS and not (rule == "V031"):
        assert (result.returncode, (tmp_path / "out" / "index.json").exists()) == (5, False)
        return
    assert result.returncode == 3, result.stderr
    code, report = verify(tmp_path / "out")
    assert code == 0, report
    source = {}
    for path in (tmp_path / "in").glob("*.h5"):
        with h5py.File(path) as file:
            for row in range(len(file["view"])):
                values = {n: file[n][row].tobytes() for n in file if n != "image_key"}
                source.setdefault((bytes(file["image_key"][row]), int(file["view"][row])), []).append(values)
    saved = rows_of(tmp_path / "out")
    assert saved and all(values in source[at] for at, values in saved.items())


def test_shown(tmp_path):
    path = SOUND["views"](tmp_path)
    said = tool("relabel", "show", path, "--key", "train/n0001").stdout
    assert "train/n0001: 2 views" in said and "with image 2 in slot 2" in said and "epoch 1, batch 0, slot 2" in said
    document = json.loads(tool("relabel", "show", path, "--key", "train/n0001", "--format", "json").stdout)
    with h5py.File(path) as file:
        rows = [row for row in range(6) if file["image_key"][row] == b"train/n0001"]
        for row, shown in zip(rows, document["views"], strict=True):
            view = shown["view"]
            assert view["box"] == file["view_box"][row].tolist() and view["seed"] == file["view_seed"][row]
            assert view["replay"] == file["replay"][row].tolist() and view["mixup_lambda"] is None
            assert view["cutmix_partner"] == dict(zip(["image_index", "slot"], file["cutmix_partner"][row].tolist()))
    one = json.loads(tool("relabel", "show", path, "--key", "train/n0001", "--view", 1, "--format", "json").stdout)
    assert one["view"] == document["views"][1]["view"]
    pooled = tool("relabel", "pool", path, "--key", "train/n0001", "--view", 1, "--box", "0,0,1,1")
    assert pooled.returncode == 0, pooled.stderr


def test_which_view(tmp_path):
    path = SOUND["views"](tmp_path)
    missing = tool("relabel", "show", path, "--key", "train/n0001", "--view", 4)
    assert missing.returncode == 66 and "no view 4" in missing.stderr and "--view: 0, 1" in missing.stderr
    unsaid = tool("relabel", "pool", path, "--key", "train/n0001", "--box", "0,0,1,1")
    assert unsaid.returncode == 64 and "2 views" in unsaid.stderr


def test_info(tmp_path):
    path = SOUND["views"](tmp_path)
    assert "6 views in 1 shard" in tool("relabel", "info", path).stdout
    document = json.loads(tool("relabel", "info", path, "--format", "json").stdout)
    assert (document["view_size"], document["box_type"]) == ([64, 96], "float64")
    assert document["views"] == fixtures_views.VIEWS


# ------------------------------------------------------------------------------------------ packing

FIELDS = ["view", "replay", "cutmix_lambda", "cutmix_box", "cutmix_partner"]
HEADER = {
    "format": "relabel-stream", "format_version": "1.1", "num_classes": 10, "score_kind": "logit", "fields": FIELDS,
    "views": {"dialect": "example"}, "view_size": [8, 8], "cell_order": "source", "row_order": "replay",
    "score_encoding": "float16", "rows_together": 3,
}  # fmt: skip


def record(key, facts, ids, scores):
    body = struct.pack("<BBBBHHII", 1, 1, 2, 0, 1, 1, len(ids), len(key)) + key + facts
    body += np.array(ids, "<u2").tobytes() + np.array(scores, "<f2").tobytes()
    return struct.pack("<I", len(body)) + body


def facts(view, place, partner, share=0.5):
    return struct.pack("<i3id4i2q", view, *place, share, 0, 0, 4, 4, *partner)


def stream(records, **header):
    said = json.dumps(HEADER | header).encode()
    return b"\x89RLS\r\n\x1a\n" + struct.pack("<I", len(said)) + said + b"".join(records) + struct.pack(
        "<IQQ", 16, 0, len(records))


def batches(epochs, size=3):
    """Records of some epochs of one batch each, whose views are mixed with their neighbours."""
    generator = np.random.default_rng(3)
    for epoch in range(epochs):
        for slot in range(size):
            other = (slot + 1) % size
            yield record(b"a/%d" % slot, facts(epoch, (epoch, 0, slot), (other, other)),
                         generator.permutation(10)[:4], generator.normal(size=4))  # fmt: skip


def packed(content, tmp_path, *options):
    (tmp_path / "in.rls").write_bytes(content)
    return tool("relabel-pack", tmp_path / "in.rls", "--output", tmp_path / "out", *options)


def test_shards_end_between_batches(tmp_path):
    result = packed(stream(list(batches(5))), tmp_path, "--images-per-shard", 4)
    assert result.returncode == 0, result.stderr
    assert verify(tmp_path / "out")[0] == 0
    rows = []
    for path in sorted((tmp_path / "out").glob("*.h5")):
        with h5py.File(path) as file:
            rows.append(len(file["view"]))
            assert set(file["image_index"][:]) == {0, 1, 2} and file.attrs["row_order"] == b"replay"
            assert file["score"].dtype == np.float16 and file["score"].attrs["largest_error"] == 0
    assert rows == [6, 6, 3]


def test_entries_keep_the_order_of_the_source(tmp_path):
    given = record(b"a", facts(0, (0, 0, 0), (-1, -1)), [7, 1, 9], [0.5, 2, -1])
    assert packed(stream([given]), tmp_path).returncode == 0
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        assert file["class_index"][0, 0, 0].tolist() == [7, 1, 9]
        assert file["score"][0, 0, 0].tolist() == [0.5, 2, -1]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"views": None}, "'views' of the header is not an object"),
        ({"fields": ["replay"]}, "lacks 'view'"),
        ({"view_size": [8]}, "not [height, width]"),
        ({"box_type": "float32"}, "goes with the field 'view_box'"),
        ({"operations_bytes": 8}, "goes with the field 'operations'"),
        ({"row_order": "shuffled:1"}, "'row_order' of the header"),
        ({"cell_order": "rank"}, "'cell_order' of the header"),
        ({"temperature": 0}, "not a positive number"),
        ({"format_version": "1.0"}, "a member"),
        ({"views": {"teacher_mode": "both"}}, "teacher_mode"),
    ],
)
def test_wrong_header(change, words, tmp_path):
    result = packed(stream(list(batches(1)), **change), tmp_path)
    assert result.returncode != 0 and words in result.stderr
    assert not list((tmp_path / "out").glob("*.h5"))


@pytest.mark.parametrize(
    "second, words",
    [
        (facts(0, (0, 0, 1), (-1, -1)), "view 0 of the image has come before"),
        (facts(-3, (0, 0, 1), (-1, -1)), "the number of the view is -3"),
        (facts(1, (0, -1, 1), (-1, -1)), "epoch, batch and slot"),
        (facts(1, (0, 0, 1), (-1, -1), share=1.5), "outside 0"),
        (facts(1, (0, 0, 0), (-1, -1)), "V028"),
        (facts(1, (0, 0, 1), (0, 5)), "V029"),
    ],
)
def test_wrong_record(second, words, tmp_path):
    records = [record(b"a", facts(0, (0, 0, 0), (-1, -1)), [1], [1]), record(b"a", second, [2], [1])]
    result = packed(stream(records), tmp_path)
    assert result.returncode == 5 and words in result.stderr, result.stderr
    assert not list((tmp_path / "out").glob("labels-*.h5"))


@pytest.mark.parametrize("change", [{"temperature": 20}, {"view_size": [16, 16]}, {"views": {"dialect": "other"}}])
def test_a_run_of_other_views_is_not_resumed(change, tmp_path):
    """What all rows share is part of the build: shards that say otherwise must not come together."""
    first = stream(list(batches(250)), temperature=1)[:-20]  # the writer died before its end record
    assert packed(first, tmp_path, "--images-per-shard", 300).returncode == 5
    kept = sorted(path.name for path in (tmp_path / "out").glob("*.h5"))
    assert kept[:1] == ["labels-00000.h5"]
    rest = stream(list(batches(300))[300 * len(kept) :], **{"temperature": 1} | change)
    again = packed(rest, tmp_path, "--images-per-shard", 300, "--resume")
    assert again.returncode == 64 and "other input or with other options" in again.stderr, again.stderr
