"""Labels of crops that Swift writes and C reads, against h5py and what Python's `Writer` writes of the same."""

import copy
import json
import math
import subprocess

import h5py
import numpy as np
import pytest
from conftest import BIN, ROOT, SAMPLES, verify
from shard_writer import write_shard
from test_c_interface import HEADER, LIBRARY, run_client
from test_views_writer import BATCHES, CLASSES, DOCUMENT, OPTIONS, SIZE, a_run

import relabel_hdf5
from relabel_hdf5 import Writer

COLUMN = {"box": "view_box", "flip": "view_flip", "seed": "view_seed"}


def a_whole_run():
    """The run of the writer's tests with mixup, too, and operations as text."""
    keys, scores, facts = a_run()
    facts["mixup_lambda"] = np.repeat([math.nan, 0.5, 0.125], SIZE)
    facts["mixup_partner"] = [(2, -1) if batch == 1 else (-1, -1) for batch in range(BATCHES) for _ in range(SIZE)]
    facts["operations"] = [None, '{"a":[1.5,"é"],"b":1}', None, '{"z":2}'] * BATCHES
    facts["flip"] = [True, False, None, True] * BATCHES
    return keys, scores, facts


def plain(name, value):
    """A fact as JSON; null for what stands for nothing."""
    if value is None or name.endswith("lambda") and math.isnan(value):
        return None
    value = np.asarray(value).tolist() if not isinstance(value, (str, bool)) else value
    if name.endswith("partner"):
        return None if value == [-1, -1] else [None if number < 0 else number for number in value]
    return None if name == "cutmix_box" and value[0] < 0 else value


def content(keys, scores, facts, **changes):
    """The document that `relabel-conformance views` takes."""
    rows = [
        {"key": key, "scores": scores[row].astype("f8").ravel().tolist()}
        | {COLUMN.get(name, name): plain(name, facts[name][row]) for name in facts}
        for row, key in enumerate(keys)
    ]
    return {
        "num_classes": CLASSES, "top_k": CLASSES, "score_kind": "logit", "score_encoding": "float16", "cell_order": "class",
        "row_order": "replay", "images_per_shard": 16_384, "document": DOCUMENT, "view_size": [8, 8], "box_type": "float32",
        "operations_bytes": 512, "details": [COLUMN.get(name, name) for name in facts if name != "view"], "views": rows,
    } | changes  # fmt: skip


def write_in_swift(document, folder, tmp_path):
    (tmp_path / "views.json").write_text(json.dumps(document))
    return subprocess.run([BIN / "relabel-conformance", "views", tmp_path / "views.json", folder],
                          capture_output=True, text=True)  # fmt: skip


def write_in_python(folder, run=None, **options):
    keys, scores, facts = run or a_whole_run()
    with Writer(folder, **{**OPTIONS, **options}) as writer:
        writer.add_batch(keys, scores, **facts)


def same_dataset(one, other):
    """How many shards there are, where all bytes are the same but for the index's word for the way that the views came."""
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    shards = [name for name in names if name.endswith(".h5")]
    for name in shards:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    indexes = [json.loads((folder / "index.json").read_bytes()) for folder in (one, other)]
    assert [index["options"]["assumed"].pop("dialect") for index in indexes] == ["memory", "records"]
    for index in indexes:
        del index["sha256"]  # of the document itself
    assert indexes[0] == indexes[1]
    return len(shards)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The run in shards of one batch, written by Swift."""
    tmp_path = tmp_path_factory.mktemp("views")
    done = write_in_swift(content(*a_whole_run(), images_per_shard=3), tmp_path / "swift", tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "swift"


# What Swift writes.


@pytest.mark.parametrize("rows", [3, 16_384])
def test_swift_writes_the_bytes_of_python(rows, tmp_path):
    done = write_in_swift(content(*a_whole_run(), images_per_shard=rows), tmp_path / "swift", tmp_path)
    assert done.returncode == 0, done.stderr
    write_in_python(tmp_path / "python", images_per_shard=rows)
    code, report = verify(tmp_path / "swift")
    assert code == 0, report["findings"]
    assert same_dataset(tmp_path / "swift", tmp_path / "python") == (BATCHES if rows == 3 else 1)


def test_the_least_is_the_same_too(tmp_path):
    keys, scores, facts = a_whole_run()
    facts = {"view": facts["view"]}
    document = content(keys, scores, facts, row_order="source", document={}, view_size=None, temperature=4.0)
    done = write_in_swift(document, tmp_path / "swift", tmp_path)
    assert done.returncode == 0, done.stderr
    options = {"row_order": "source", "views": {}, "view_size": None, "temperature": 4.0}
    write_in_python(tmp_path / "python", (keys, scores, facts), **options)
    assert same_dataset(tmp_path / "swift", tmp_path / "python") == 1


def test_pixels_with_their_pictures(tmp_path):
    keys, scores, facts = a_whole_run()
    facts = {"view": facts["view"], "box": np.tile([2 / 8, 0, 4 / 8, 1], (12, 1)), "image_size": np.tile([8, 16], (12, 1)),
             "source_label": np.arange(12) % CLASSES}  # fmt: skip
    done = write_in_swift(
        content(keys, scores, facts, row_order="source", box_type="pixels"), tmp_path / "swift", tmp_path
    )
    assert done.returncode == 0, done.stderr
    write_in_python(tmp_path / "python", (keys, scores, facts), row_order="source", box_type="pixels")
    assert verify(tmp_path / "swift")[0] == 0
    assert same_dataset(tmp_path / "swift", tmp_path / "python") == 1


def test_h5py_finds_what_swift_was_given(written):
    keys, scores, facts = a_whole_run()
    for batch in range(BATCHES):
        rows = slice(batch * SIZE, (batch + 1) * SIZE)
        with h5py.File(written / f"labels-{batch:05}.h5") as file:
            assert [key.decode() for key in file["image_key"]] == keys[rows]
            np.testing.assert_array_equal(file["score"][:, 0, 0], scores[rows, :, 0, 0])
            np.testing.assert_array_equal(file["view_box"][:].astype("f4"), facts["box"][rows])
            assert file["view_flip"][:].tolist() == [1, 0, 255, 1]
            assert [text.decode() for text in file["operations"]] == [text or "" for text in facts["operations"][rows]]
            for name in ("view", "view_seed", "replay", "mixup_lambda", "mixup_partner", "cutmix_lambda", "cutmix_box",
                         "cutmix_partner"):  # fmt: skip
                np.testing.assert_array_equal(file[name][:], facts[name.removeprefix("view_")][rows], name)


# What neither writer lets pass, as the verifier does not.


def parted(rows):
    for place, row in enumerate(rows):
        row |= {"replay": [0, place % 3, place], "cutmix_partner": None}


TOGETHER = {
    "the same view again": (lambda rows: rows[5].update(view=0), {}, "has come before"),
    "a batch in two shards": (parted, {"images_per_shard": 4, "row_order": "source"}, "began in an earlier shard"),
    "a partner that is no image": (lambda rows: rows[9].update(cutmix_partner=[17, None]), {}, "mixed with image 17"),
    "a partner in no slot": (lambda rows: rows[1].update(cutmix_partner=[1, 9]), {}, "V029"),
    "a place taken twice": (lambda rows: rows[1].update(replay=[0, 0, 0]), {"row_order": "source"}, "V028"),
}


@pytest.mark.parametrize("what", TOGETHER)
def test_refused_by_both_writers(what, tmp_path):
    change, options, message = TOGETHER[what]
    keys, scores, facts = a_whole_run()
    document = content(keys, scores, facts, **options)
    change(document["views"])
    done = write_in_swift(document, tmp_path / "swift", tmp_path)
    assert done.returncode == 1 and message in done.stderr and "n01/" in done.stderr, done.stderr
    rows = document["views"]
    for name in ("view", "replay"):
        facts[name] = [row[name] for row in rows]
    facts["cutmix_partner"] = [
        (-1, -1) if row["cutmix_partner"] is None
        else [-1 if number is None else number for number in row["cutmix_partner"]] for row in rows
    ]  # fmt: skip
    with pytest.raises(relabel_hdf5.RelabelError, match=message):
        write_in_python(tmp_path / "python", (keys, scores, facts), **options)
    for folder in ("swift", "python"):
        assert not (tmp_path / folder / "index.json").exists()


def test_swift_goes_on_after_full_shards(tmp_path):
    whole = content(*a_whole_run(), images_per_shard=3)
    broken = copy.deepcopy(whole)
    broken["views"][10]["view_seed"] = -1
    assert write_in_swift(broken, tmp_path / "swift", tmp_path).returncode == 1
    assert sorted(path.name for path in (tmp_path / "swift").glob("*.h5")) == ["labels-00000.h5", "labels-00001.h5"]
    assert write_in_swift(whole, tmp_path / "swift", tmp_path).returncode == 64
    done = write_in_swift(whole | {"resume": True}, tmp_path / "swift", tmp_path)
    assert done.returncode == 0, done.stderr
    write_in_python(tmp_path / "python", images_per_shard=3)
    assert same_dataset(tmp_path / "swift", tmp_path / "python") == BATCHES
    assert verify(tmp_path / "swift")[0] == 0


# What C reads.

READER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "relabel.h"

static int failed(void) {
  const relabel_failure *f = relabel_last_failure();
  printf("%d|%s|%s|%s|%lld\n", f->status, f->rule ? f->rule : "-", f->message, f->dataset ? f->dataset : "-",
         (long long)f->position);
  return 1;
}

int main(int argc, char **argv) {
  relabel_maps *maps = relabel_open(argv[1]);
  if (!maps) return failed();
  if (argc == 4) { /* a position that is read, and a place that is looked up */
    int64_t positions[2] = {0, atoll(argv[2])};
    relabel_view views[2];
    if (relabel_views(maps, positions, 2, views, sizeof *views)) return failed();
    int64_t found = relabel_find_batch(maps, atoll(argv[3]), 0, NULL, 0);
    return found < 0 ? failed() : 0;
  }
  int64_t count = relabel_count(maps);
  const char *description = relabel_describe(maps, 0);
  int64_t width = atoll(strstr(description, "\"operations_bytes\":") + 19);
  /* As a program of a later header: more room than the library knows members. */
  struct { relabel_view view; int64_t later; } *rows = malloc(count * sizeof *rows);
  char *texts = malloc(count * width);
  int64_t *positions = malloc(count * sizeof *positions);
  memset(rows, 0xA5, count * sizeof *rows);
  for (int64_t i = 0; i < count; ++i) positions[i] = count - 1 - i;
  if (relabel_views(maps, positions, count, &rows->view, sizeof *rows)) return failed();
  if (relabel_view_operations(maps, positions, count, texts, width)) return failed();
  if (relabel_views(maps, positions, count, &rows->view, sizeof rows->view - 1) != RELABEL_USAGE) return 90;
  if (relabel_views(maps, positions, count, NULL, sizeof *rows) != RELABEL_USAGE) return 91;
  if (relabel_views(maps, NULL, 0, NULL, sizeof *rows) != RELABEL_OK) return 92;
  if (relabel_view_operations(maps, positions, count, texts, 3) != RELABEL_USAGE) return 93;
  if (relabel_view_operations(maps, positions, count, texts, 0) != RELABEL_USAGE) return 94;
  for (int64_t i = count - 1; i >= 0; --i) {
    const relabel_view *v = &rows[i].view;
    if (rows[i].later) return 95;
    printf("%u %d %.17g %.17g %.17g %.17g %lld %d %d %d %d %.17g %lld %lld %.17g %lld %lld %d %d %d %d %.*s\n", v->has,
           v->number, v->top, v->left, v->height, v->width, (long long)v->seed, v->flip, v->epoch, v->batch, v->slot,
           v->mixup_lambda, (long long)v->mixup_image, (long long)v->mixup_slot, v->cutmix_lambda,
           (long long)v->cutmix_image, (long long)v->cutmix_slot, v->cutmix_top, v->cutmix_left, v->cutmix_bottom,
           v->cutmix_right, (int)width, texts + i * width);
    if (v->has & RELABEL_VIEW_REPLAY) {
      int64_t batch[64], found = relabel_find_batch(maps, v->epoch, v->batch, batch, 64);
      if (found < 1 || found > 64) return failed();
      int64_t place = relabel_find_replay(maps, v->epoch, v->batch, v->slot);
      if (place != positions[i]) return 96;
      int64_t at = 0;
      while (at < found && batch[at] != place) ++at;
      if (at == found || relabel_find_batch(maps, v->epoch, v->batch, batch, 1) != found) return 97;
    }
    char key[4096] = "";
    if (relabel_keys(maps, positions + i, 1, key, 1024)) return failed();
    int64_t views[64], number = relabel_find_views(maps, key, views, 64), at = 0;
    while (at < number && views[at] != positions[i]) ++at;
    if (number < 1 || number > 64 || at == number) return 98;
    if (number > 1 && relabel_find(maps, key) != -RELABEL_USAGE) return 99;
    for (at = 1; at < number; ++at)
      if (views[at] <= views[at - 1]) return 100;
  }
  if (relabel_find_views(maps, "nobody", NULL, 0) != -RELABEL_NOT_FOUND) return 101;
  if (relabel_find_views(maps, NULL, NULL, 0) != -RELABEL_USAGE) return 102;
  if (relabel_find_replay(maps, 0, 0, -1) != -RELABEL_NOT_FOUND) return 103;
  if (relabel_find_replay(maps, INT64_MAX, INT64_MIN, INT64_MAX) != -RELABEL_NOT_FOUND) return 104;
  if (relabel_find_batch(maps, INT64_MIN, INT64_MAX, NULL, 0) != -RELABEL_NOT_FOUND) return 105;
  const relabel_view *last = &rows[0].view;
  if (last->has & RELABEL_VIEW_REPLAY) {
    if (relabel_find_batch(maps, last->epoch, last->batch, NULL, 1) != -RELABEL_USAGE) return 106;
    if (relabel_find_batch(maps, last->epoch, last->batch, NULL, -1) != -RELABEL_USAGE) return 107;
  }
  free(rows), free(texts), free(positions);
  relabel_close(maps);
  return 0;
}
"""

BITS = {"view_box": 1, "view_flip": 2, "view_seed": 4, "replay": 8, "mixup_lambda": 16, "cutmix_lambda": 128, "cutmix_box": 1024,
        "operations": 2048}  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    (folder / "reader.c").write_text(READER)
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-I", HEADER.parent, folder / "reader.c", "-o",
         folder / "reader", LIBRARY], check=True,
    )  # fmt: skip
    return lambda *arguments: run_client(folder / "reader", *arguments)


def line(file, row):
    """What the program in C prints of a row, by h5py."""
    has, numbers = 0, {}
    unknown = {"view_flip": 255, "replay": [-1] * 3, "cutmix_box": [-1] * 4, "operations": b""}
    shapes = {"view_box": [0.0] * 4, "replay": [0] * 3, "cutmix_box": [0] * 4}
    for name, bit in BITS.items():
        value = file[name][row] if name in file else None
        value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        is_there = value is not None and value != unknown.get(name) and value == value
        numbers[name] = value if is_there else b"" if name == "operations" else shapes.get(name, 0)
        has |= bit if is_there else 0
    for name, bit in (("mixup_partner", 32), ("cutmix_partner", 256)):
        pair = file[name][row].tolist() if name in file else [-1, -1]
        numbers[name] = [max(number, 0) for number in pair]
        has |= sum(bit << place for place, number in enumerate(pair) if number >= 0)
    shown = [has, file["view"][row], *numbers["view_box"], numbers["view_seed"], numbers["view_flip"], *numbers["replay"],
             numbers["mixup_lambda"], *numbers["mixup_partner"], numbers["cutmix_lambda"], *numbers["cutmix_partner"],
             *numbers["cutmix_box"]]  # fmt: skip
    return " ".join(f"{number:.17g}" if isinstance(number, float) else str(number) for number in shown) + " " + numbers["operations"].decode()


@pytest.mark.parametrize("name", ["", "labels-00001.h5"])
def test_c_reads_what_h5py_reads(reader, written, name):
    result = reader(written / name)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    expected = []
    for shard in [name] if name else [f"labels-{number:05}.h5" for number in range(BATCHES)]:
        with h5py.File(written / shard) as file:
            expected += [line(file, row) for row in range(len(file["view"]))]
    assert result.stdout.splitlines() == expected


def test_c_reads_the_views_of_the_conformance_pack(reader):
    path = ROOT / "spec" / "conformance" / "shards" / "valid" / "views" / "a.h5"
    with h5py.File(path) as file:
        expected = [line(file, row) for row in range(len(file["view"]))]
    result = reader(path)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    assert result.stdout.splitlines() == expected


@pytest.mark.parametrize("position, epoch, expected", [
    (99, 0, "66|-|there is no image 99; there are 12, counted from 0|-|-1"),
    (1, 5, "66|-|there is no batch 0 of epoch 5; both are counted from 0|-|-1"),
])  # fmt: skip
def test_c_is_told_what_is_not_there(reader, written, position, epoch, expected):
    assert reader(written, position, epoch).stdout.strip() == expected


def test_images_are_no_views_in_c(reader, tmp_path):
    result = reader(write_shard(tmp_path / "a.h5"), 1, 0)
    assert result.stdout.startswith("64|-|the rows are images")


def test_a_value_that_breaks_a_rule_is_told_in_c(reader, written, tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes((written / "labels-00000.h5").read_bytes())
    with h5py.File(path, "r+", libver="v110") as file:
        file["view_flip"][2] = 7
    result = reader(path, 2, 0)
    assert result.stdout.startswith("1|V026|the flip is 7") and "|view_flip|" in result.stdout, result.stdout


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample program, built as its comment says."""
    program = tmp_path_factory.mktemp("client") / "views_with_c"
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-I", HEADER.parent, SAMPLES / "views_with_c.c", "-o", program, LIBRARY],
        check=True,
    )
    return program


def test_the_sample_shows_views_and_their_targets(sample, written):
    views = relabel_hdf5.open(written).views
    for words, rows in ((["n01/002"], views.of("n01/002")), (["0", "1"], views.batch(0, 1))):
        result = run_client(sample, written, *words)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        assert len(lines) == len(rows)
        for shown, row, target in zip(lines, rows, rows.targets(), strict=True):
            best = int(target.argmax())
            number, probability = shown.split("; class ")[1].split(", probability ")
            assert int(number) == best and abs(float(probability) - target[best]) < 2e-6
            epoch, batch, slot = row.replay
            assert f": view {row.number}, box " in shown and f", epoch {epoch}, batch {batch}, slot {slot}" in shown
    missing = run_client(sample, written, "0", "7")
    assert missing.returncode == 1 and "no batch 7" in missing.stderr
    assert run_client(sample, written, "nobody").returncode == 1

