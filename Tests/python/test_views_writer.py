"""Labels of crops through `Writer`, the packer and the verifier, against what was given."""

import math

import h5py
import numpy as np
import pytest
from conftest import verify

import relabel_hdf5
from relabel_hdf5 import InvalidDataError, UsageError, Writer

DOCUMENT = {"dialect": "example", "chain": ["crop", "resize", "flip", "cutmix"], "interpolation": "bilinear",
            "teacher_mode": "eval", "batch_size": 4}  # fmt: skip
CLASSES, BATCHES, SIZE = 10, 3, 4


def a_run():
    """Keys, scores and facts of three batches of four views, in the order of the run."""
    generator, count = np.random.default_rng(8), BATCHES * SIZE
    facts = {
        "view": np.repeat(np.arange(BATCHES), SIZE),
        "box": generator.random((count, 4)).astype("f4") + np.float32(0.01),
        "flip": [True, False, None, 1] * BATCHES,
        "seed": generator.integers(0, 1 << 40, count),
        "replay": [(0, batch, slot) for batch in range(BATCHES) for slot in range(SIZE)],
        "cutmix_lambda": np.repeat([0.25, math.nan, 0.75], SIZE),
        "cutmix_box": np.repeat([[0, 0, 4, 4], [-1] * 4, [1, 2, 8, 7]], SIZE, 0),
        "cutmix_partner": [(-1, -1) if batch == 1 else ((slot + 1) % SIZE,) * 2 for batch in range(BATCHES) for slot in range(SIZE)],
        "operations": [None, {}, {"b": 1, "a": [1.5, "é"]}, '{"z": 2}'] * BATCHES,
    }  # fmt: skip
    return [f"n01/{slot:03}" for slot in range(SIZE)] * BATCHES, generator.normal(size=(count, CLASSES, 1, 1)).astype("f2"), facts


OPTIONS = {"num_classes": CLASSES, "score_kind": "logit", "top_k": CLASSES, "views": DOCUMENT, "view_size": 8, "box_type": "float32",
           "row_order": "replay", "score_encoding": "float16", "cell_order": "class"}  # fmt: skip


def write(folder, one_by_one=False, **options):
    keys, scores, facts = a_run()
    with Writer(folder, **{**OPTIONS, **options}) as writer:
        if not one_by_one:
            writer.add_batch(keys, scores, **facts)
        for row, key in enumerate(keys if one_by_one else []):
            if row == 0:
                writer.add(key, scores[row], **{name: values[row] for name, values in facts.items()} | {"operations": {}})
            else:
                writer.add(key, scores[row], **{name: values[row] for name, values in facts.items()})
    return relabel_hdf5.open(folder)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_what_was_given_comes_back(one_by_one, tmp_path):
    maps, (keys, scores, facts) = write(tmp_path / "out", one_by_one), a_run()
    code, report = verify(tmp_path / "out")
    assert code == 0, report["findings"]
    assert (maps.header.row_order, maps.header.cell_order, maps.header.box_type) == ("replay", "class", "float32")
    assert maps.views.document == DOCUMENT and maps.views.size == (8, 8)
    rows = maps.views.at(range(12))
    assert rows.keys() == keys and rows.image_index.tolist() == [0, 1, 2, 3] * BATCHES
    np.testing.assert_array_equal(rows.view, facts["view"])
    np.testing.assert_array_equal(rows.box.astype("f4"), facts["box"])
    assert rows.flip.tolist() == [1, 0, 255, 1] * BATCHES
    np.testing.assert_array_equal(rows.seed, facts["seed"])
    np.testing.assert_array_equal(rows.replay, facts["replay"])
    np.testing.assert_array_equal(rows.cutmix_lambda, facts["cutmix_lambda"])
    np.testing.assert_array_equal(rows.cutmix_box, facts["cutmix_box"])
    np.testing.assert_array_equal(rows.cutmix_partner, facts["cutmix_partner"])
    assert rows.operations == (None, None, {"b": 1, "a": [1.5, "é"]}, {"z": 2}) * BATCHES
    assert rows[4].cutmix is None and rows[8].cutmix.box == (1, 2, 8, 7) and rows[0].mixup is None
    np.testing.assert_array_equal(maps.batch(range(12)).score[:, 0, 0], scores[..., 0, 0].astype("f4"))
    assert [maps.views.batch(0, number).positions.tolist() for number in maps.views.batches(0)] == [[4 * b + s for s in range(4)] for b in range(3)]


def test_other_readers_see_the_same(tmp_path):
    write(tmp_path / "out")
    _, _, facts = a_run()
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        assert file.attrs["features_required"].decode() == "views" and file.attrs["view_size"].tolist() == [8, 8]
        np.testing.assert_array_equal(file["view_box"][:].astype("f4"), facts["box"])
        assert file["view_box"].attrs["source_type"].decode() == "float32"
        assert file["operations"][2].decode() == '{"a":[1.5,"é"],"b":1}'


def test_the_least_that_a_view_has(tmp_path):
    with Writer(tmp_path / "out", num_classes=3, score_kind="probability", views={}, cell_order="source", temperature=20,
                score_encoding="float32") as writer:  # fmt: skip
        for view in range(3):
            ids = np.array([2, 0]).reshape(1, 1, 2), np.array([0.25, 0.5], "f4").reshape(1, 1, 2)
            writer.add("a/b", ids, view=view)
    assert verify(tmp_path / "out")[0] == 0
    maps = relabel_hdf5.open(tmp_path / "out")
    assert maps.views.of("a/b").view.tolist() == [0, 1, 2] and maps.header.temperature == 20
    assert maps.batch([0]).class_index.ravel().tolist() == [2, 0]  # as given, not sorted
    assert maps.views[0].box is None and maps.views.size is None and maps.views.document == {}


def test_going_on_after_full_shards(tmp_path):
    options = {"num_classes": CLASSES, "score_kind": "logit", "views": {}, "images_per_shard": 4}
    scores = np.random.default_rng(1).normal(size=(10, CLASSES, 1, 1)).astype("f4")
    keys, numbers = [f"a/{row // 2}" for row in range(10)], [row % 2 for row in range(10)]
    try:
        with Writer(tmp_path / "out", **options) as writer:
            writer.add_batch(keys[:6], scores[:6], view=numbers[:6])
            writer.add("a/1", scores[0], view=0)  # has come before
            writer.close()
    except InvalidDataError as error:
        assert "view 0" in str(error)
    with Writer(tmp_path / "out", resume=True, **options) as writer:
        assert writer.done <= set(zip(keys, numbers))
        for row in range(10):
            if (keys[row], numbers[row]) not in writer.done:
                writer.add(keys[row], scores[row], view=numbers[row])
    assert verify(tmp_path / "out")[0] == 0
    maps = relabel_hdf5.open(tmp_path / "out")
    assert len(maps) == 10 and all(len(maps.views.of(f"a/{image}")) == 2 for image in range(5))


def test_full_shards_may_have_more_than_was_asked_for(tmp_path):
    options = {"num_classes": CLASSES, "score_kind": "logit", "views": {}, "images_per_shard": 4, "row_order": "replay"}
    scores = np.random.default_rng(1).normal(size=(12, CLASSES, 1, 1)).astype("f4")
    facts = {"view": [row // 6 for row in range(12)], "replay": [(row // 6, 0, row % 6) for row in range(12)]}
    keys = [f"a/{row % 6}" for row in range(12)]
    with Writer(tmp_path / "out", **options) as writer:
        writer.add_batch(keys, scores, **facts)
    # As a run that was killed in its second batch leaves it: a batch of six stays together.
    (tmp_path / "out" / "index.json").unlink()
    (tmp_path / "out" / "labels-00001.h5").unlink()
    with Writer(tmp_path / "out", resume=True, **options) as writer:
        assert writer.done == {(f"a/{image}", 0) for image in range(6)}
        writer.add_batch(keys[6:], scores[6:], **{name: values[6:] for name, values in facts.items()})
    assert verify(tmp_path / "out")[0] == 0
    assert len(relabel_hdf5.open(tmp_path / "out")) == 12


REFUSED = {
    "a view's fact without views": ({"views": None, "view_size": None, "row_order": "source", "cell_order": None}, {}, "say how they were made"),
    "views without numbers": ({}, {"view": None}, "give view="),
    "the order of a run that nobody gives": ({}, {"replay": None}, "give replay="),
    "a box of another type": ({"box_type": "float16"}, {}, "not of float16"),
    "operations too long": ({"operations_bytes": 5}, {}, "operations_bytes="),
    "operations that are a list": ({}, {"operations": [[1]] * 12}, "a JSON object"),
    "operations that are no JSON": ({}, {"operations": ["{"] * 12}, "a JSON object"),
    "operations too few": ({}, {"operations": [None]}, "1 operations for 12"),
    "a shape": ({}, {"replay": [(0, 1)] * 12}, "replay has the shape"),
    "a float as seed": ({}, {"seed": [0.5] * 12}, "whole numbers"),
    "a number too large": ({}, {"view": [1 << 40] * 12}, "more than int32"),
    "an order": ({"row_order": "batches"}, {}, "row_order is 'batches'"),
    "a size": ({"view_size": (8, 8, 3)}, {}, "a height and a width"),
    "a document": ({"views": ["crop"]}, {}, "not the document"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_refused_at_once(what, tmp_path):
    options, changes, message = REFUSED[what]
    keys, scores, facts = a_run()
    with pytest.raises(UsageError, match=message):
        writer = Writer(tmp_path / "out", **{**OPTIONS, **options})
        try:
            writer.add_batch(keys, scores, **{**facts, **changes})
        finally:
            writer.abandon()


PACKER = {
    "a seed of -1": {"seed": [-1] * 12},
    "a flip": {"flip": [2] * 12},
    "an empty box": {"box": np.zeros((12, 4), "f4")},
    "a share": {"cutmix_lambda": [1.5] * 12},
    "a box beyond the view": {"cutmix_box": [(0, 0, 9, 9)] * 12},
    "half a place": {"replay": [(0, -1, 0)] * 12},
    "the same view again": {"view": [0] * 12},
}


@pytest.mark.parametrize("what", PACKER)
def test_refused_by_the_packer(what, tmp_path):
    keys, scores, facts = a_run()
    with pytest.raises(InvalidDataError) as error, Writer(tmp_path / "out", **OPTIONS) as writer:
        writer.add_batch(keys, scores, **{**facts, **PACKER[what]})
    assert error.value.key in keys and not (tmp_path / "out" / "index.json").exists()


def test_options_of_views_need_views(tmp_path):
    for options in ({"view_size": 8}, {"row_order": "image"}, {"temperature": 2.0}, {"cell_order": "source"}):
        with pytest.raises(UsageError, match="are for views"):
            Writer(tmp_path / "out", num_classes=3, score_kind="logit", **options)


def test_what_is_given_is_not_changed(tmp_path):
    keys, scores, facts = a_run()
    shares = -np.array([0.5, math.nan] * 6)
    shares[::2] = 0.5
    before = shares.tobytes()
    with Writer(tmp_path / "out", **OPTIONS | {"row_order": "source"}) as writer:
        writer.add_batch(keys, scores, view=facts["view"], mixup_lambda=shares)
    assert shares.tobytes() == before
    assert np.isnan(relabel_hdf5.open(tmp_path / "out").views.at([1]).mixup_lambda).all()
