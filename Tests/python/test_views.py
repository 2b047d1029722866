"""Labels of crops by image, batch and position, with either engine, against plain NumPy of what was written."""

import pickle

import numpy as np
import pytest
import view_shards
from shard_writer import write_dataset

import relabel_hdf5
import relabel_hdf5.views
from relabel_hdf5 import CorruptError, InvalidDataError, NotFoundError, PositionError, RelabelError, UsageError


@pytest.fixture(params=["found", "numpy"], autouse=True)
def engine(request, monkeypatch):
    """Every test runs with the Swift library and with NumPy alone."""
    if request.param == "numpy":
        from relabel_hdf5.engines import library

        monkeypatch.setattr(library, "library", lambda: None)
    elif relabel_hdf5.engine() == "numpy":
        pytest.skip("the Swift library is not built")
    return request.param


def write(views, path, **changes):
    shard = views.shard(**changes)
    shard.write(path)
    return shard, relabel_hdf5.open(path)


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def dense_logits(shard):
    """The logits of one cell [n, C]; a class that is not stored has 0."""
    ids = shard.labels()[0].reshape(shard.rows, -1)
    logits = np.zeros((shard.rows, shard.num_classes))
    np.put_along_axis(logits, ids.astype(int), shard.decoded().reshape(ids.shape).astype("f8"), 1)
    return logits


def test_views_of_an_image(tmp_path):
    stored = view_shards.crops(images=5, views=3)
    _, maps = write(stored, tmp_path / "crops.h5")
    assert maps.header.has_views and maps.header.view_size == (8, 8) and len(maps.views) == 15
    for name in ("n01/003", "n01/003.JPEG"):
        found = maps.views.of(name)
        assert found.positions.tolist() == [9, 10, 11] and found.view.tolist() == [0, 1, 2]
        assert found.image_index.tolist() == [3, 3, 3] and found.keys() == ["n01/003"] * 3
        np.testing.assert_array_equal(found.box, stored.columns["view_box"][9:12])
        np.testing.assert_array_equal(found.flip, stored.columns["view_flip"][9:12])
        assert found.seed is None and found.operations == (None,) * 3
        assert [view.number for view in found] == [0, 1, 2]
        view = found[-1]
        assert view.box == tuple(stored.columns["view_box"][11]) and view.flip is bool(stored.columns["view_flip"][11])
        assert (view.replay, view.mixup, view.cutmix, view.operations, view.seed) == (None,) * 5
        assert (view.key, view.image_index, view.position) == ("n01/003", 3, 11)
    with pytest.raises(NotFoundError, match="n01/009"):
        maps.views.of("n01/009")


def test_rows_of_an_image_may_lie_apart(tmp_path):
    keys = ["a/1", "a/0", "a/1", "a/1", "a/0", "a/2"]
    stored = view_shards.Views(keys, [1, 0, 1, 1, 0, 2], {"view": [2, 1, 0, 1, 0, 0]})
    shards = [stored.shard(), view_shards.Views(["a/1", "a/3"], [1, 3], {"view": [3, 0]}).shard()]
    maps = relabel_hdf5.open(write_dataset(tmp_path / "dataset", *shards))
    assert maps.views.of("a/1").positions.tolist() == [2, 3, 0, 6]
    assert maps.positions_of("a/1").tolist() == [0, 2, 3, 6]
    assert maps.views.of("a/0").positions.tolist() == [4, 1]
    assert maps.views.images.images.tolist() == [0, 1, 2, 3] and maps.views.images.counts.tolist() == [2, 4, 1, 1]
    assert maps.views.images.positions(1).tolist() == [0, 2, 3, 6]
    assert maps.position("a/2") == 5 and maps["a/3"].position == 7 and "a/1" in maps and "a/4" not in maps


@pytest.mark.parametrize(
    "ask", [lambda maps: maps.position("n01/001"), lambda maps: maps["n01/001"], lambda maps: maps.positions(["n01/001"]),
            lambda maps: maps.batch(["n01/001"])],
)  # fmt: skip
def test_a_key_of_several_views_is_no_position(ask, tmp_path):
    _, maps = write(view_shards.crops(), tmp_path / "crops.h5")
    with pytest.raises(UsageError, match=r"2 views: views\.of\('n01/001'\)"):
        ask(maps)


def test_whole_pictures_have_no_views(tmp_path):
    maps = relabel_hdf5.open(view_shards.Shard().write(tmp_path / "maps.h5"))
    with pytest.raises(UsageError, match="no views"):
        maps.views  # noqa: B018
    assert maps.positions_of("train/n0002").tolist() == [2]
    with pytest.raises(UsageError, match="no views"):
        relabel_hdf5.views.open(tmp_path / "maps.h5")


def test_one_number_twice(tmp_path):
    _, maps = write(view_shards.Views(["a/0", "a/0", "a/1"], [0, 0, 1], {"view": [1, 1, 0]}), tmp_path / "twice.h5")
    maps.views.of("a/1")
    with pytest.raises(InvalidDataError, match="view 1 more than once") as error:
        maps.views.of("a/0")
    assert (error.value.rule, error.value.row, error.value.key) == ("V024", 1, "a/0")


# ------------------------------------------------------------------------------------------- batches


def test_batches_of_a_run(tmp_path):
    stored = view_shards.replayed(images=7, epochs=3, batch=3)
    _, maps = write(stored, tmp_path / "run.h5")
    views, triples = maps.views, np.array(stored.columns["replay"])
    assert views.epochs == (0, 1, 2) and views.batches(1) == (0, 1, 2)
    seen = []
    for epoch in views.epochs:
        for number in views.batches(epoch):
            rows = views.batch(epoch, number)
            wanted = np.flatnonzero((triples[:, :2] == [epoch, number]).all(1))
            assert rows.positions.tolist() == wanted[np.argsort(triples[wanted, 2])].tolist()
            assert rows.replay[:, 2].tolist() == list(range(len(rows)))
            seen += rows.positions.tolist()
            for row, view in zip(wanted, rows):
                mix = view.cutmix
                assert (mix.share, mix.box) == (stored.columns["cutmix_lambda"][row], tuple(stored.columns["cutmix_box"][row]))
                assert (mix.partner_image, mix.partner_slot) == tuple(stored.columns["cutmix_partner"][row])
                assert view.mixup is None and view.replay == (epoch, number, triples[row, 2])
    assert sorted(seen) == list(range(21))
    for epoch, number in ((3, 0), (-1, 0), (1, 3), (1, -1)):
        with pytest.raises(NotFoundError):
            views.batch(epoch, number)


def test_a_shuffled_run_with_rows_of_no_batch(tmp_path):
    stored = view_shards.replayed(images=6, epochs=2, batch=4, mix="mixup")
    order = np.random.default_rng(3).permutation(12)
    columns = {name: np.array(values)[order] for name, values in stored.columns.items()}
    columns["replay"][[2, 5]] = -1
    shuffled = view_shards.Views(
        [stored.keys[row] for row in order], [stored.image_indexes[row] for row in order], columns
    )
    _, maps = write(shuffled, tmp_path / "run.h5")
    triples = columns["replay"]
    for epoch in maps.views.epochs:
        for number in maps.views.batches(epoch):
            rows = maps.views.batch(epoch, number)
            assert (triples[rows.positions, :2] == [epoch, number]).all() and (np.diff(triples[rows.positions, 2]) > 0).all()
            assert rows[0].mixup.box is None
    assert maps.views[2].replay is None
    assert sum(len(maps.views.batch(*pair)) for pair in [(0, 0), (0, 1), (1, 0), (1, 1)]) == 10


def test_no_run_at_all(tmp_path):
    _, maps = write(view_shards.crops(), tmp_path / "crops.h5")
    assert maps.views.epochs == ()
    with pytest.raises(NotFoundError, match="no view belongs to a batch"):
        maps.views.batch(0, 0)


def test_a_place_in_the_run_taken_twice(tmp_path):
    stored = view_shards.replayed()
    stored.columns["replay"][5] = stored.columns["replay"][2]
    _, maps = write(stored, tmp_path / "run.h5")
    maps.views.of("n01/000")
    with pytest.raises(InvalidDataError, match="taken twice") as error:
        maps.views.epochs  # noqa: B018
    assert error.value.rule == "V028" and error.value.row == 5


# ------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize("grid", [(1, 1), (2, 3)])
@pytest.mark.parametrize("orientation", ["yx", "xy", "unknown"])
def test_targets_are_those_of_the_whole_grid(grid, orientation, tmp_path):
    changes = {"height": grid[0], "width": grid[1], "k": 4, "attributes": {"orientation": orientation}}
    shard, maps = write(view_shards.crops(), tmp_path / "crops.h5", **changes)
    ids = shard.labels()[0].astype(int)
    dense = np.zeros((6, *grid, 10))
    np.put_along_axis(dense, ids, shard.decoded().astype("f8"), -1)
    pooled = dense.mean((1, 2))
    np.testing.assert_allclose(maps.views.targets(range(6)), softmax(pooled), atol=1e-6)
    np.testing.assert_allclose(maps.views.targets([4, 1], temperature=20), softmax(pooled[[4, 1]] / 20), atol=1e-6)
    np.testing.assert_allclose(maps.views[-1].target(temperature=2), softmax(pooled[5] / 2), atol=1e-6)
    np.testing.assert_allclose(maps.views.of("n01/001").targets(), softmax(pooled[2:4]), atol=1e-6)


def test_targets_of_a_part_of_the_picture_are_those_of_the_whole_grid(tmp_path):
    shard, maps = write(view_shards.crops(), tmp_path / "crops.h5", optional=("map_extent",))
    np.testing.assert_allclose(maps.views.targets(range(6)), softmax(dense_logits(shard)), atol=1e-6)
    np.testing.assert_allclose(maps.views.targets([1], 3.0), softmax(dense_logits(shard)[1:2] / 3), atol=1e-6)


@pytest.mark.parametrize("kind,fill", [("logit", "zero"), ("probability", "uniform"), ("probability", "zero"), ("log_probability", "uniform")])  # fmt: skip
def test_sparse_targets(kind, fill, tmp_path):
    shard, maps = write(view_shards.crops(), tmp_path / "crops.h5", score_kind=kind, encoding="float32", attributes={"fill": fill})
    dense, sparse = maps.views.targets(range(6)), maps.views.sparse_targets(range(6))
    again = np.repeat(sparse.rest[:, None], 10, 1)
    np.put_along_axis(again, sparse.class_index.astype(int), sparse.probability, 1)
    np.testing.assert_array_equal(again, dense)
    if kind != "logit":
        with pytest.raises(UsageError, match="made at temperature 1"):
            maps.views.targets([0], temperature=2)
        maps.views.targets([0], temperature=1)


def test_sparse_targets_of_every_class_and_of_larger_grids(tmp_path):
    _, maps = write(view_shards.crops(), tmp_path / "all.h5", k=10, cell_order="class", encoding="float32")
    sparse = maps.views.sparse_targets([1, 0])
    np.testing.assert_array_equal(sparse.probability, maps.views.targets([1, 0]))
    assert sparse.rest.tolist() == [0, 0]
    _, maps = write(view_shards.crops(), tmp_path / "grid.h5", height=2)
    with pytest.raises(UsageError, match="2×1"):
        maps.views.sparse_targets([0])


def test_entries_in_the_order_of_the_source(tmp_path):
    ids = np.array([[3, 1, 2], [0, 9, 5]] * 3, "<u2").reshape(6, 1, 1, 3)
    scores = np.array([[0.1, 0.5, 0.2]] * 6).reshape(6, 1, 1, 3)
    _, maps = write(view_shards.crops(), tmp_path / "order.h5", score_kind="probability", encoding="float32", ids=ids,
                    scores=scores, attributes={"cell_order": "source"})  # fmt: skip
    assert maps.header.cell_order == "source"
    np.testing.assert_array_equal(maps.batch([0, 1]).class_index, ids[:2])
    np.testing.assert_allclose(maps.views.targets([0])[0, [3, 1, 2]], [0.1, 0.5, 0.2], atol=1e-7)


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_impossible_temperatures(temperature, tmp_path):
    _, maps = write(view_shards.crops(), tmp_path / "crops.h5")
    with pytest.raises(UsageError, match="positive number"):
        maps.views.targets([0], temperature=temperature)


# ---------------------------------------------------------------------------------- positions, values


def test_positions(tmp_path):
    _, maps = write(view_shards.crops(), tmp_path / "crops.h5")
    assert maps.views.at([-1, 0]).positions.tolist() == [5, 0] and len(maps.views.at([])) == 0
    for wrong in ([6], [-7]):
        with pytest.raises(PositionError):
            maps.views.at(wrong)
    for wrong in ([0.5], [[0]]):
        with pytest.raises(UsageError):
            maps.views.at(wrong)
    with pytest.raises(IndexError):
        maps.views.at([0, 1])[2]


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"a":'])
def test_operations_that_are_no_object(text, tmp_path):
    stored = view_shards.crops()
    stored.columns["operations"] = ["", '{"op":"rotate"}', text, "", "", ""]
    _, maps = write(stored, tmp_path / "crops.h5")
    assert maps.views.at([0, 1]).operations == (None, {"op": "rotate"})
    with pytest.raises(InvalidDataError) as error:
        maps.views.at([0, 2]).operations  # noqa: B018
    assert (error.value.rule, error.value.row) == ("V030", 2)


def test_after_pickling_and_closing(tmp_path):
    _, maps = write(view_shards.replayed(), tmp_path / "run.h5")
    again = pickle.loads(pickle.dumps(maps.views))
    assert again.batch(1, 0).positions.tolist() == maps.views.batch(1, 0).positions.tolist()
    maps.close()
    with pytest.raises(UsageError, match="closed"):
        maps.views.at([0]).view  # noqa: B018
    assert again.at([0]).view.tolist() == [0]


def test_a_damaged_chunk_of_a_column(tmp_path):
    shard = view_shards.crops().shard()
    shard.extra_columns["view_box"].stored = lambda number, data: bytes(len(data)) if number else data
    shard.write(tmp_path / "damaged.h5")
    maps = relabel_hdf5.open(tmp_path / "damaged.h5")
    assert maps.views[0].box
    with pytest.raises(CorruptError) as error:
        maps.views[5].box  # noqa: B018
    assert error.value.rule == "C008"
    assert maps.views.targets([5]).shape == (1, 10)  # what is not used is not looked at


def test_a_replaced_file_is_noticed(tmp_path):
    path = tmp_path / "crops.h5"
    _, maps = write(view_shards.crops(), path)
    view_shards.crops(images=4).shard().write(tmp_path / "other.h5")
    (tmp_path / "other.h5").replace(path)
    with pytest.raises(RelabelError, match="not what was opened"):
        maps.views  # noqa: B018
