"""relabel report and relabel stats of maps of factors, against all classes as the specification's lines make them."""

import json

import fixtures_factors
import h5py
import numpy as np
import pytest
from browser import assert_accessible
from conftest import SAMPLES, pack, tool
from pooling_reference import reference_weights

LABELS = {"optional": ("source_label",)}
SHARDS = {
    "small": LABELS,
    "covers_a_part": {"optional": ("source_label", "map_extent")},
    "one_cell": LABELS | {"height": 1, "width": 1, "k": 1},
    "at_temperature": LABELS | {"attributes": {"temperature": np.float64(40)}},
    "many_factors": LABELS | {"k": 9, "num_classes": 21, "height": 6, "width": 5},
    "in_floats": LABELS | {"encoding": "float32", "step": None, "offset": None},
}


def logits(path):
    """Of all images, [image, class, y, x]."""
    with h5py.File(path) as shard:
        attributes = shard["score"].attrs
        step, offset = (float(attributes.get(name, default)) for name, default in (("scale_factor", 1), ("add_offset", 0)))
        classes = (shard["class_factor"][:] - 127.0) * shard["factor_scale"][:][..., None]
        found = np.einsum("nyxf,nfc->ncyx", shard["score"][:] * step + offset, classes)
        return found / shard.attrs["temperature"]


def softmax(values):
    """Over the classes, which are the first axis."""
    powers = np.exp(values - values.max(0))
    return powers / powers.sum(0)


def bits(target):
    known = np.where(target > 0, target, 1)
    return -(known * np.log2(known)).sum(0)


def pooled(values, box):
    """The target [class] of a crop of a map [class, y, x] that covers the picture."""
    rows, columns = (reference_weights(box[axis], box[axis + 2], values.shape[1 + axis]) for axis in (0, 1))
    return softmax(np.einsum("cyx,y,x->c", values, rows, columns))


def statistics(path, *options):
    result = tool("relabel", "stats", path, "--format", "json", *options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def document(folder, path):
    result = tool("relabel", "report", path, "-o", folder / "a.json", "--format", "json", "--quiet")
    assert result.returncode == 0, result.stderr
    return json.loads((folder / "a.json").read_text())


@pytest.mark.parametrize("name", SHARDS)
def test_measures_are_those_of_all_classes(name, tmp_path):
    path = fixtures_factors.shard(**SHARDS[name]).write(tmp_path / "a.h5")
    every, images, report = logits(path), statistics(path, "--by", "image"), document(tmp_path, path)
    with h5py.File(path) as shard:
        labels = shard["source_label"][:]
    leads = np.zeros(every.shape[1], int)
    for values, label, row in zip(every, labels, images, strict=True):
        cells = softmax(values)
        best = cells.argmax(0)
        leads += np.bincount(best.ravel(), minlength=len(leads))
        target = pooled(values, (0, 0, 1, 1))
        order = np.argsort(-target, kind="stable")
        assert row["best"] == order[0]
        assert row["second"] == order[1] or target[order[1]] < 1e-30, "what no float can tell from nothing is a tie"
        assert row["missing"] == row["cell_missing"] == 0 and row["true_cell_missing"] is None
        found = [row[name] for name in ("probability", "second_probability", "entropy", "cell_entropy")]
        np.testing.assert_allclose(found, [*target[order[:2]], bits(target), bits(cells).mean()], rtol=1e-4, atol=1e-4)
        if label >= 0:
            assert row["label"] == label and row["label_seen"] is True
            np.testing.assert_allclose(row["label_probability"], target[label], rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(row["label_lead"], (best == label).mean(), rtol=1e-5)
        if best.size > 1:
            crops = [pooled(values, box).argmax() for box in report["crops"]["boxes"]]
            assert row["crops_other_than_image"] == np.mean([crop != order[0] for crop in crops])
    assert [row["cells"] for row in statistics(path)] == leads.tolist()
    assert report["classes"]["never"] == 0 and report["distributions"]["missing"] is None
    assert report["storing"]["factors"] == SHARDS[name].get("k", 3)
    grid = np.array(report["grid"]["mean_entropy"]).reshape(every.shape[2:])
    np.testing.assert_allclose(grid, np.mean([bits(softmax(values)) for values in every], 0), rtol=1e-3, atol=1e-4)


def test_constant_and_repeated_maps_of_factors_are_found(tmp_path):
    stored = np.random.default_rng(3).integers(0, 255, (6, 3, 4, 3)).astype("u1")
    stored[1] = stored[0]  # the same amounts, but other factors
    stored[3] = stored[2]
    stored[5, ..., :2] = stored[5, 0, 0, :2]  # differs only in a factor that is worth nothing
    given = fixtures_factors.values(6, 3, 10)
    for data in given.values():
        data[3] = data[2]
    path = fixtures_factors.shard(rows=6, stored=stored, given=given).write(tmp_path / "a.h5")
    matters = {matter["name"]: matter for matter in document(tmp_path, path)["matters"]}
    assert matters["constant-maps"]["count"] == 1
    assert matters["repeated-maps"]["count"] == 2


def test_amounts_that_no_float_holds_have_finite_measures(tmp_path):
    path = fixtures_factors.shard(
        **SHARDS["in_floats"], scores=np.random.default_rng(1).choice([3e38, -3e38, 1], (5, 3, 4, 3)),
        given={"factor_scale": np.full((5, 3), 2.0**127, "<f4")},
    ).write(tmp_path / "a.h5")  # fmt: skip
    for row in statistics(path, "--by", "image"):
        assert 0 < row["probability"] <= 1 and 0 <= row["cell_entropy"] < 4


def test_the_page_of_real_maps(tmp_path, browser):
    dataset = tmp_path / "dataset"
    options = ["--score-kind", "logit", "--maps", "factors", "--orientation", "yx", "--classes", SAMPLES / "classes.tsv"]
    assert pack(SAMPLES / "dense", "--output", dataset, *options).returncode == 0
    result = tool("relabel", "report", dataset, "-o", tmp_path / "a.html", "--quiet")
    assert result.returncode == 0, result.stderr
    browser.open(tmp_path / "a.html")
    assert "all classes, as sums of at most 8 factors" in browser.text("header")
    assert "Each map has all 1,000 classes." in browser.text("#classes")
    assert "keep all 1,000 classes" in browser.text("#storing")
    assert len(browser.all("#sheets canvas, .sheet canvas, canvas")) >= 4
    assert_accessible(browser)
