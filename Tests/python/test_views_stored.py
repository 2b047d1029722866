"""Labels of views as the file holds them, with either engine, against what was written."""

import dataclasses

import numpy as np
import pytest
import view_shards
from shard_writer import write_dataset

import relabel_hdf5
from relabel_hdf5 import CorruptError, PositionError, RelabelError


@pytest.fixture(params=["found", "numpy"], autouse=True)
def engine(request, monkeypatch):
    """Every test runs with the Swift library and with NumPy alone."""
    if request.param == "numpy":
        from relabel_hdf5.engines import library

        monkeypatch.setattr(library, "library", lambda: None)
    elif relabel_hdf5.engine() == "numpy":
        pytest.skip("the Swift library is not built")
    return request.param


ASKED = {
    "all": list(range(24)), "a part of a chunk": [4, 5], "over the edges": [3, 4, 5, 6, 7, 8, 9, 10],
    "back": [9, 8, 7], "anywhere": [20, 3, 11, 4, 12], "twice": [6, 6, 7, 2, 6], "the last chunk": [20, 21, 22, 23],
    "none": [],
}  # fmt: skip
FORMS = {
    "all classes as halves": {"k": 10, "cell_order": "class", "encoding": "float16"},
    "all classes as floats": {"k": 10, "cell_order": "class", "encoding": "float32"},
    "best classes as halves": {"k": 3, "encoding": "float16"},
    "best classes as floats": {"k": 3, "encoding": "float32"},
    "packed": {"k": 3, "encoding": "fixed16"},
    "a grid": {"k": 3, "encoding": "float16", "height": 2, "width": 3},
    "one class": {"k": 1, "encoding": "float16"},
    "classes of 32 bits": {"k": 3, "encoding": "float16", "num_classes": 70_000},
}


def two_shards(folder, **form):
    """Shards of 16 and 8 views in chunks of 5, and all ids and scores."""
    views = [view_shards.crops(images=8), view_shards.crops(images=4, seed=7, folder="n02")]
    settings = {"images_per_chunk": 5, **form}
    shards = [one.shard(first_index=first, **settings) for one, first in zip(views, (0, 8), strict=True)]
    for number, shard in enumerate(shards):
        shard.seed = number + 1
    maps = relabel_hdf5.open(write_dataset(folder / "dataset", *shards))
    ids = np.concatenate([shard.labels()[0] for shard in shards])
    return maps, ids, np.concatenate([shard.decoded() for shard in shards])


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("form", FORMS)
def test_stored_labels(form, asked, tmp_path):
    maps, ids, scores = two_shards(tmp_path, **FORMS[form])
    positions = ASKED[asked]
    found = maps.stored(np.array(positions, np.int64))
    assert found.score.dtype == (np.float16 if FORMS[form]["encoding"] == "float16" else np.float32)
    np.testing.assert_array_equal(found.class_index, ids[positions])
    np.testing.assert_array_equal(found.score.astype(np.float32), scores[positions].astype(np.float32))
    batch = maps.batch(positions)
    assert found.class_index.dtype == batch.class_index.dtype
    np.testing.assert_array_equal(found.class_index, batch.class_index)
    np.testing.assert_array_equal(found.score.astype(np.float32), batch.score)
    rows = maps.views.at(positions)
    np.testing.assert_array_equal(rows.stored.score, found.score)
    found.score[...] = 0  # the caller's own
    np.testing.assert_array_equal(maps.stored(positions).class_index, ids[positions])


def test_positions_that_are_not_there(tmp_path):
    maps, _, _ = two_shards(tmp_path, **FORMS["best classes as halves"])
    with pytest.raises(PositionError, match="24"):
        maps.stored([24])
    assert maps.stored([-1]).score.shape == (1, 1, 1, 3)


def crops(path, **changes):
    views = dataclasses.replace(view_shards.crops(images=8), compression="none")
    views.shard(images_per_chunk=8, **changes).write(path)
    return relabel_hdf5.open(path)


def refused(maps, ask, rule, row):
    with pytest.raises(RelabelError) as refusal:
        ask()
    assert (refusal.value.rule, refusal.value.row) == (rule, row), refusal.value
    assert str(refusal.value.file) == maps.path


@pytest.mark.parametrize(("number", "rule"), [(np.inf, "V003"), (-np.inf, "V003"), (np.nan, "V007")])
@pytest.mark.parametrize("form", ["all classes as halves", "all classes as floats", "best classes as halves"])
def test_a_score_that_is_no_number(form, number, rule, tmp_path):
    settings = FORMS[form]
    scores = np.random.default_rng(3).normal(0, 1, (16, 1, 1, settings["k"]))
    scores[5, 0, 0, -1] = scores[7, 0, 0, 0] = number
    kind = np.float16 if settings["encoding"] == "float16" else np.float32
    maps = crops(tmp_path / "score.h5", stored=scores.astype(kind), **settings)
    for ask in (maps.stored, maps.batch):
        refused(maps, lambda ask=ask: ask(np.arange(16)), rule, 5)
        refused(maps, lambda ask=ask: ask([9, 7, 6]), rule, 7)
        ask([0, 1, 2, 3, 4])  # a row that nobody asks for does no harm
        ask([6])
        ask(np.arange(8, 16))


@pytest.mark.parametrize(("entry", "rule"), [(4, "V002"), (10, "V001")])
def test_ids_that_are_wrong(entry, rule, tmp_path):
    ids = np.tile(np.array([4, 2, 9], "<u2"), (16, 1)).reshape(16, 1, 1, 3)
    ids[5, 0, 0, 2] = entry
    scores = np.tile([3.0, 2.0, 1.0], (16, 1)).reshape(16, 1, 1, 3)
    maps = crops(tmp_path / "ids.h5", ids=ids, stored=scores.astype(np.float16), encoding="float16", k=3)
    for ask in (maps.stored, maps.batch):
        refused(maps, lambda ask=ask: ask(np.arange(16)), rule, 5)
        ask([0, 1, 2, 3, 4, 6, 7])
        ask(np.arange(8, 16))


def test_a_damaged_chunk(tmp_path):
    maps = crops(tmp_path / "bits.h5", **FORMS["best classes as halves"])
    scores = maps.stored(np.arange(8, 16)).score.tobytes()
    content = bytearray((tmp_path / "bits.h5").read_bytes())
    place = content.index(scores)
    content[place + 3] ^= 4
    (tmp_path / "bits.h5").write_bytes(content)
    damaged = relabel_hdf5.open(tmp_path / "bits.h5")
    damaged.stored(np.arange(8))
    with pytest.raises(CorruptError) as refusal:
        damaged.stored([9])
    assert refusal.value.rule == "C008" and refusal.value.dataset == "score"


@pytest.mark.parametrize(("form", "status"), [("best classes as halves", 0), ("best classes as floats", 64), ("packed", 64)])
def test_halves_in_c(form, status, tmp_path, engine):
    if engine == "numpy":
        pytest.skip("this is about the C interface")
    from relabel_hdf5.engines import library

    _, ids, scores = two_shards(tmp_path, **FORMS[form])
    found = library.library()
    maps = found.relabel_open(bytes(tmp_path / "dataset"))
    positions, halves = np.arange(24), np.empty(scores.shape, np.float16)
    assert found.relabel_read_stored(maps, positions.ctypes.data, 24, 2, None, 2, halves.ctypes.data, 2) == status
    if status:
        assert b"use 4, or 2 for float16" in found.relabel_error()
    else:
        np.testing.assert_array_equal(halves.astype(np.float32), scores)
    found.relabel_close(maps)
