"""relabel diff: every number is that of a dense comparison with h5py and NumPy, and every planted difference is seen."""

import json

import jsonschema
import numpy as np
import pytest
from conftest import ROOT, SAMPLES, pack, tool
from difference_oracle import SCORE_BINS, TARGET_BINS, expected, histogram
from shard_writer import ANNOTATOR, CLASSES, Shard, class_table, two_shards, write_dataset, write_shard
from test_reports import closed
from view_shards import Views

SCHEMA = json.loads((ROOT / "spec" / "diff.schema.json").read_text())


def diff(a, b, *options):
    """The exit code and the JSON document, which meets its schema and has no member that this does not name."""
    result = tool("relabel", "diff", a, b, "--format", "json", *options)
    assert result.returncode in (0, 1), result.stderr
    found = json.loads(result.stdout)
    jsonschema.Draft202012Validator(closed(SCHEMA)).validate(found)
    return result.returncode, found


def text(a, b, *options):
    return tool("relabel", "diff", a, b, *options).stdout


def facts(found, counting=True):
    return {fact["name"] for fact in found["headers"] if fact["counts"] == counting}


@pytest.fixture
def base(tmp_path):
    """A shard to change, and where the changed one goes."""
    return write_shard(tmp_path / "a.h5"), tmp_path / "b.h5"


@pytest.mark.parametrize("kind", ["logit", "probability", "log_probability"])
@pytest.mark.parametrize("count, seed", [(4, 0), (2, 2**63 + 5)])
def test_numbers(tmp_path, kind, count, seed):
    """Two annotators, of which the second has other images, too, in another order."""
    one = write_shard(tmp_path / "a.h5", rows=7, score_kind=kind)
    keys = [f"train/n{row:04}" for row in (5, 9, 2, 0, 1, 4, 8)]
    other = write_shard(tmp_path / "b.h5", rows=7, score_kind=kind, keys=keys, seed=3)
    code, found = diff(one, other, "--crops", count, "--seed", seed)
    wanted = expected([one], [other], 10, count, seed)
    assert (code, found["verdict"]) == (1, "differs")
    assert found["images"]["in_both"] == wanted["both"] == 5
    for side in "ab":
        missing = found["images"][f"only_in_{side}"]
        assert [row["key"] for row in missing["first"]] == wanted[f"only_{side}"] and missing["count"] == 2
    assert wanted["ids"].items() <= found["ids"].items() and found["ids"]["cells"] == 5 * 12
    scores = found["scores"]
    assert scores["compared"] == len(wanted["distances"]) and scores["max"] == wanted["distances"].max()
    assert scores["mean"] == pytest.approx(wanted["distances"].mean(), rel=1e-12)
    assert scores["histogram"] == histogram(wanted["distances"], SCORE_BINS)
    targets = found["targets"]
    assert targets["crops"] == len(wanted["halves"]) == 5 * count
    assert targets["mean_half_l1"] == pytest.approx(wanted["halves"].mean(), abs=1e-6)
    assert targets["max_half_l1"] == pytest.approx(wanted["halves"].max(), abs=1e-6)
    assert targets["histogram"] == histogram(wanted["halves"], TARGET_BINS)
    assert targets["other_top"] == wanted["other_top"] and targets["kl_defined"] == len(wanted["divergences"])
    if len(wanted["divergences"]):
        assert targets["mean_kl"] == pytest.approx(wanted["divergences"].mean(), abs=1e-5)
        assert targets["max_kl"] == pytest.approx(wanted["divergences"].max(), abs=1e-5)
    moved = {(p["from"]["class_index"], p["to"]["class_index"]): p["count"] for p in found["moved"]["cells"]["pairs"]}
    most = sorted(wanted["moved"].items(), key=lambda item: (-item[1], item[0]))[:20]
    assert list(moved.items()) == most and found["moved"]["cells"]["total"] == wanted["ids"]["other_best"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_storage_does_not_count(tmp_path, jobs):
    """Another order of rows, of entries, other shards, chunks and compression: the same labels."""
    one = write_dataset(tmp_path / "a", *two_shards())
    first, second = two_shards()
    ids, stored = (np.concatenate(parts)[::-1] for parts in zip(first.labels(), second.labels()))
    order = ids.argsort(-1)
    ids, stored = (np.take_along_axis(part, order, -1) for part in (ids, stored))
    other = write_shard(
        tmp_path / "b.h5", rows=8, ids=ids, stored=stored, cell_order="class", images_per_chunk=3, compression="none",
        keys=[*first.image_keys(), *second.image_keys()][::-1],
    )  # fmt: skip
    code, found = diff(one, other, "--jobs", jobs)
    assert (code, found["verdict"], found["changed"]) == (0, "same", [])
    assert facts(found) == set() and {"cell order", "shards", "images in a chunk"} <= facts(found, False)
    assert found["targets"]["max_half_l1"] < 1e-6 and found["ids"]["in_both"] == 8 * 12 * 3
    assert "verdict: the labels are the same\n" in text(one, other)


@pytest.mark.parametrize("jobs", [1, 3])
def test_another_order_in_long_chunks(tmp_path, jobs):
    """Windows would read each chunk many times: maps are read in bands, and what is found is the same."""
    shape = {"rows": 1200, "height": 16, "width": 16, "k": 10, "num_classes": 40, "images_per_chunk": 64}
    ids, stored = Shard(**shape).labels()
    keys = np.array([f"n{row:04}" for row in range(1200)])
    one = write_shard(tmp_path / "a.h5", ids=ids, stored=stored, keys=list(keys), **shape)
    order = np.random.default_rng(4).permutation(1200)[:1150]
    other = stored.copy()
    other[order[7], 3, 4, 0] += 5
    changes = {"ids": ids[order], "stored": other[order], "keys": list(keys[order])}
    write_shard(tmp_path / "b.h5", **{**shape, "rows": 1150} | changes)
    code, found = diff(one, tmp_path / "b.h5", "--jobs", jobs, "--crops", 1)
    assert code == 1 and (found["images"]["in_both"], found["images"]["only_in_a"]["count"]) == (1150, 50)
    assert found["scores"]["compared"] == 1150 * 2560 and found["ids"]["differing_cells"] == 0
    assert (found["scores"]["differing"], found["ids"]["differing_images"]) == (1, 1)
    assert [image["key"] for image in found["changed"]] == [keys[order[7]]]


def test_itself(sample_dataset):
    assert diff(sample_dataset, sample_dataset)[1]["verdict"] == "same"
    assert diff(sample_dataset, sample_dataset / "labels-00000.h5")[0] == 0


def test_one_class(base):
    one, other = base
    ids, stored = Shard().labels()
    before = int(ids[3, 1, 2, 0])
    ids[3, 1, 2, 0] = next(c for c in range(10) if c not in ids[3, 1, 2])
    write_shard(other, ids=ids, stored=stored)
    code, found = diff(one, other)
    assert (code, found["verdict"]) == (1, "differs")
    counts = found["ids"]
    assert [counts[n] for n in ("differing_cells", "other_best", "only_in_a", "only_in_b", "differing_images")] == [1] * 5
    (pair,) = found["moved"]["cells"]["pairs"]
    assert (pair["from"], pair["count"]) == ({"dataset": "a", "class_index": before, "name": CLASSES[before]["name"]}, 1)
    assert [image["key"] for image in found["changed"]] == ["train/n0003"]
    assert found["scores"]["differing"] == 0


def test_one_step(base):
    """A score that is one step higher, and the tolerance that forgives it."""
    one, other = base
    ids, stored = Shard().labels()
    stored[2, 0, 0, 0] += 1
    write_shard(other, ids=ids, stored=stored)
    code, found = diff(one, other)
    step = 2.0**-8
    assert (code, found["verdict"]) == (1, "within_encodings")
    assert (found["scores"]["differing"], found["scores"]["max"], found["scores"]["beyond_encodings"]) == (1, step, 0)
    assert [image["key"] for image in found["changed"]] == ["train/n0002"]
    for tolerance, wanted in [(step, 0), ("encodings", 0), (step * 0.999, 1)]:
        code, found = diff(one, other, "--tolerance", tolerance)
        assert (code, found["verdict"] == "within_tolerance") == (wanted, wanted == 0)
    stored[2, 0, 0, 0] += 1
    write_shard(other, ids=ids, stored=stored)
    assert diff(one, other, "--tolerance", "encodings")[1]["scores"]["beyond_encodings"] == 1


def test_missing_image(base):
    one, other = base
    ids, stored = Shard().labels()
    write_shard(other, rows=4, ids=ids[:4], stored=stored[:4])
    code, found = diff(one, other)
    assert code == 1 and found["images"]["only_in_a"] == {"count": 1, "first": [{"key": "train/n0004", "view": None}]}
    assert found["images"]["only_in_b"]["count"] == 0 and found["ids"]["differing_cells"] == 0
    assert "  only in A: 1\n    train/n0004\n" in text(one, other)
    assert diff(other, one)[1]["images"]["only_in_b"]["count"] == 1


def test_swapped_pair(base):
    one, other = base
    keys = Shard().image_keys()
    write_shard(other, keys=[keys[1], keys[0], *keys[2:]])
    code, found = diff(one, other)
    assert code == 1 and {image["key"] for image in found["changed"]} == set(keys[:2])
    assert found["ids"]["differing_images"] == 2


def classes(table):
    return {"annotator": ANNOTATOR, "classes": class_table(table), "licence": "CC0-1.0"}


def renumbered(places):
    """A class list in another order, and the places of its classes."""
    return [{**CLASSES[place], "index": number} for number, place in enumerate(places)]


def test_other_class_list(base):
    """Labels of the same classes under other numbers are compared by identifier; the list counts."""
    one, other = base
    places = [1, 0, *range(2, 10)]
    ids, stored = Shard().labels()
    write_shard(other, ids=np.argsort(places).astype("<u2")[ids], stored=stored, document=classes(renumbered(places)))
    code, found = diff(one, other)
    assert (code, found["verdict"], facts(found)) == (1, "differs", {"class list"})
    assert found["ids"]["only_in_a"] == found["scores"]["differing"] == 0 and found["targets"]["max_half_l1"] < 1e-6


def test_shifted_class_list(base):
    """The same numbers under a list that is shifted by one: every cell has other classes."""
    one, other = base
    write_shard(other, document=classes(renumbered([*range(1, 10), 0])))
    found = diff(one, other)[1]
    assert found["ids"]["other_best"] == found["ids"]["cells"]


def test_names_of_classes(base):
    one, other = base
    write_shard(other, document=classes([{**entry, "name": entry["name"] + "!"} for entry in CLASSES]))
    code, found = diff(one, other)
    assert code == 0 and "names of classes" in facts(found, False)


@pytest.mark.parametrize(
    "name, changes",
    [
        ("temperature", {"attributes": {"temperature": np.float64(2)}}),
        ("orientation", {"attributes": {"orientation": "unknown"}}),
        ("classes kept in a cell", {"k": 2}),
        ("fill", {"score_kind": "probability", "attributes": {"fill": "zero"}}),
    ],
)  # fmt: skip
def test_header(tmp_path, name, changes):
    kind = {"score_kind": changes.get("score_kind", "logit")}
    one, other = write_shard(tmp_path / "a.h5", **kind), write_shard(tmp_path / "b.h5", **changes)
    code, found = diff(one, other)
    assert (code, found["verdict"], facts(found)) == (1, "differs", {name})


def test_other_temperature(base):
    """Scores are the same numbers, targets are not."""
    one, other = base
    write_shard(other, attributes={"temperature": np.float64(2)})
    found = diff(one, other)[1]
    wanted = expected([one], [other], 10)
    assert found["scores"]["differing"] == 0
    assert found["targets"]["mean_half_l1"] == pytest.approx(wanted["halves"].mean(), abs=1e-6) != 0


def test_score_kind(base):
    one, other = base
    write_shard(other, score_kind="probability")
    code, found = diff(one, other)
    assert code == 1 and "score kind" in facts(found) and "not_compared" in found["scores"]
    assert found["ids"]["cells"] == 60 and found["targets"]["crops"] == 20


def square(**changes):
    return Shard(height=4, width=4, **changes)


def transposed():
    return (part.transpose(0, 2, 1, 3) for part in square().labels())


def test_transposed(tmp_path):
    """The grid of B lies the other way, and the header does not say so."""
    ids, stored = transposed()
    one, other = square().write(tmp_path / "a.h5"), square(ids=ids, stored=stored).write(tmp_path / "b.h5")
    found = diff(one, other)[1]
    assert found["ids"]["other_best"] > 0 == found["ids"]["other_best_if_transposed"]
    assert "if one grid is transposed: see the orientation" in text(one, other)


def test_transposed_as_said(tmp_path):
    """Where the header says how a grid lies, cells meet where they lie on the picture."""
    ids, stored = transposed()
    attributes = {"orientation": "xy"}
    one = square().write(tmp_path / "a.h5")
    other = square(ids=ids, stored=stored, attributes=attributes).write(tmp_path / "b.h5")
    code, found = diff(one, other)
    assert (code, facts(found)) == (1, {"orientation"})
    assert found["ids"]["only_in_a"] == found["scores"]["differing"] == 0 and found["targets"]["max_half_l1"] < 1e-6


def test_other_grid(base):
    """Cells can't be compared; targets can."""
    one, other = base
    write_shard(other, height=5, width=2)
    code, found = diff(one, other)
    wanted = expected([one], [one], 10)
    assert code == 1 and "grid" in facts(found) and set(found["ids"]) == set(found["scores"]) == {"not_compared"}
    assert found["targets"]["crops"] == len(wanted["halves"]) and found["targets"]["max_half_l1"] > 0
    assert "the grids differ, 3×4 and 5×2: only targets can be compared" in text(one, other)


def test_other_extent(base):
    """Maps of another part of the picture: the crops lie in what both cover."""
    one, other = base
    write_shard(other, attributes={"map_extent": np.array([0.5, 0, 0.5, 1], "<f4")})
    code, found = diff(one, other)
    assert code == 1 and found["images"]["other_extents"]["count"] == 5
    assert found["targets"]["crops"] == 20 and found["targets"]["max_half_l1"] > 0


def views(**changes):
    columns = {"view": [1, 0, 0], "view_box": [[0.1, 0.2, 0.5, 0.5], [0, 0, 1, 1], [0, 0.25, 0.5, 0.5]]}
    how = {"keys": ["a", "a", "b"], "image_indexes": [0, 0, 1]} | changes
    return Views(how["keys"], how["image_indexes"], columns | how.get("columns", {}))


def test_views(tmp_path):
    """Views meet by key and number; another crop is another view."""
    one = views().shard(num_classes=10).write(tmp_path / "a.h5")
    ids, stored = views().shard(num_classes=10).labels()
    turned = {"view": [0, 0, 1], "view_box": [[0, 0.25, 0.5, 0.5], [0, 0, 1, 1], [0.1, 0.2, 0.5, 0.5]]}
    how = {"keys": ["b", "a", "a"], "image_indexes": [1, 0, 0]}
    shard = views(columns=turned, **how).shard(num_classes=10, ids=ids[::-1], stored=stored[::-1])
    other = shard.write(tmp_path / "b.h5")
    code, found = diff(one, other)
    assert (code, found["verdict"], found["images"]["in_both"]) == (0, "same", 3)
    turned["view_box"][2] = [0.1, 0.2, 0.5, 0.25]
    shard = views(columns=turned, **how).shard(num_classes=10, ids=ids[::-1], stored=stored[::-1])
    code, found = diff(one, shard.write(tmp_path / "b.h5"))
    assert code == 1 and found["images"]["other_views"] == {"count": 1, "first": [{"key": "a", "view": 1}]}
    result = tool("relabel", "diff", one, write_shard(tmp_path / "images.h5"))
    assert result.returncode == 64 and "labels of crops" in result.stderr


def test_other_encoding(tmp_path):
    """What packing makes of the same maps differs by no more than it promises."""
    how = ("--classes", SAMPLES / "classes.tsv", "--orientation", "yx")
    for name, options in {"a": (), "b": ("--score-encoding", "float32", "--row-order", "source"), "c": ("--score-encoding", "fixed8")}.items():  # fmt: skip
        assert pack(SAMPLES / "maps", "--output", tmp_path / name, *how, *options).returncode == 0
    one, other = tmp_path / "a", tmp_path / "b"
    code, found = diff(one, other)
    wanted = expected([one / "labels-00000.h5"], [other / "labels-00000.h5"], 1000)
    assert (code, found["verdict"]) == (1, "within_encodings")
    assert found["scores"]["max"] == wanted["distances"].max() <= 2.0**-9
    assert found["scores"]["differing"] == (wanted["distances"] > 0).sum()
    assert found["targets"]["mean_half_l1"] == pytest.approx(wanted["halves"].mean(), abs=1e-6)
    assert diff(one, other, "--tolerance", "encodings")[0] == 0
    assert diff(one, other, "--jobs", 1)[1] == diff(one, other, "--jobs", 5)[1]
    assert diff(tmp_path / "c", one)[1]["verdict"] == "within_encodings"


def test_refusals(tmp_path, base):
    """Datasets that can't be compared, in plain words; 1 never says that something is wrong."""
    one, other = base
    document = {"annotator": ANNOTATOR, "classes": None}
    write_shard(other, num_classes=12, document=document)
    result = tool("relabel", "diff", one, other)
    assert result.returncode == 64 and "A has 10 classes and B has 12" in result.stderr
    table = [{"id": f"x{c}", "index": c, "name": "x"} for c in range(10)]
    write_shard(other, document={**document, "classes": class_table(table)})
    result = tool("relabel", "diff", one, other)
    assert result.returncode == 64 and "no identifier in common ('n00000000' … and 'x0' …)" in result.stderr
    write_shard(other, keys=["a", "b", "a", "c", "d"])
    result = tool("relabel", "diff", one, other)
    assert result.returncode == 5 and "rows 0 and 2 are both a" in result.stderr
    assert tool("relabel", "diff", one, tmp_path / "none.h5").returncode in (66, 74)
    for options in (["--crops=-1"], ["--tolerance=-1"], ["--tolerance", "nan"], ["--pictures", tmp_path]):
        assert tool("relabel", "diff", one, one, *options).returncode == 64


def test_output(tmp_path, base):
    """The file's ending says its form; what is there is not replaced unless asked for."""
    one, other = base
    write_shard(other, seed=2)
    path = tmp_path / "out.json"
    assert tool("relabel", "diff", one, other, "-o", path).returncode == 1
    found = json.loads(path.read_text())
    assert found == diff(one, other)[1]
    path.write_text("kept")
    result = tool("relabel", "diff", one, other, "-o", path)
    assert result.returncode == 64 and path.read_text() == "kept" and "--overwrite" in result.stderr
    assert tool("relabel", "diff", one, other, "-o", path, "--overwrite").returncode == 1
    assert json.loads(path.read_text()) == found
    assert tool("relabel", "diff", one, other, "-o", tmp_path / "none" / "out.json").returncode == 74
    tool("relabel", "diff", one, other, "-o", tmp_path / "out.html")
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")


def test_hostile_names(tmp_path):
    """A name is a name: it steers no terminal, makes no line of its own and no markup."""
    keys = ["<script>alert(1)</script>", "a\u202eb", "::error::x", "d", "e"]
    table = [{**entry, "name": f"\x1b[2J\n<img src=x onerror=alert({c})>"} for c, entry in enumerate(CLASSES)]
    one = write_shard(tmp_path / "a.h5", keys=keys, document=classes(table))
    other = write_shard(tmp_path / "b.h5", keys=[*keys[:3], "f", "</script><b>"], seed=2, document=classes(table))
    shown = text(one, other)
    assert not {"\x1b", "\u202e"} & set(shown) and "\n::error" not in shown.replace(" ", "") and "\\u{1b}[2J\\n" in shown
    found = diff(one, other)[1]
    assert {image["key"] for image in found["changed"]} == set(keys[:3])
    page = tmp_path / "page.html"
    tool("relabel", "diff", one, other, "-o", page)
    page = page.read_text()
    assert "<img src=x" not in page and "<b>" not in page and "<script>alert" not in page and "\x1b" not in page
    assert page.count("</script>") == 2
