"""The columns of views by the NumPy machinery, against the values that were written."""

import numpy as np
import pytest
import view_shards
from shard_writer import write_dataset

from relabel_hdf5 import CorruptError, InvalidDataError, RelabelError, UsageError
from relabel_hdf5.views import ViewTable
from relabel_hdf5.views.table import NAMES

EVERY = {
    "view": [0, 1, 2, 0, 1], "view_box": [[0, 0.25, 0.5, 0.5], [-0.5, 0, 2, 1], [0.1] * 4, [0.2] * 4, [0.3] * 4],
    "view_flip": [0, 1, 255, 1, 0], "view_seed": [7, -2, 1 << 40, 0, 3],
    "replay": [[0, 0, 0], [-1] * 3, [0, 1, 0], [1, 0, 0], [0, 0, 1]],
    "mixup_lambda": [0.5, view_shards.NOT_MIXED, 0, 1, 0.5], "mixup_partner": [[1, 1], [-1, -1], [0, -1], [-1, 0], [0, 0]],
    "cutmix_lambda": [0.25] * 5, "cutmix_box": [[0, 1, 2, 8], [-1] * 4, [0, 0, 0, 0], [8, 8, 8, 8], [1, 2, 3, 4]],
    "cutmix_partner": [[0, 0]] * 5, "operations": ["", '{"a":1}', "{}", '{"b":[1,2]}', ""],
}  # fmt: skip


def views(**changes):
    keys = [f"a/{image}" for image in (0, 0, 0, 1, 1)]
    return view_shards.Views(keys, [0, 0, 0, 1, 1], EVERY | changes.pop("columns", {}), **changes)


def opened(tmp_path, name="labels.h5", settings=None, **changes):
    return ViewTable(views(**changes).shard(**settings or {}).write(tmp_path / name))


def test_every_column_comes_back(tmp_path):
    table = opened(tmp_path)
    assert table.names == NAMES == tuple(EVERY) and len(table) == 5
    assert table.header.view_size == (8, 8) and table.header.box_type == "float64"
    assert table.document["dialect"] == "sre2l"
    for positions in ([0, 1, 2, 3, 4], [4, 0, 0, 3], []):
        for name, values in EVERY.items():
            wanted = np.array([value.encode() for value in values] if name == "operations" else values)[positions]
            np.testing.assert_array_equal(table.column(name, positions), wanted)
    assert table.column("image_key", [3, 0]).tolist() == [b"a/1", b"a/0"]


def test_blocks_and_shards(tmp_path):
    first, second = views().shard(), view_shards.Views(["a/2"], [2], {n: v[:1] for n, v in EVERY.items()}).shard()
    second.column_changes = {"operations": {"data": np.array([b""], "S11"), "type": view_shards.utf8_type(11)}}
    folder = write_dataset(tmp_path / "dataset", first, second)
    for path in (folder, folder / "index.json"):
        table = ViewTable(path)
        blocks = list(table.blocks("view", "image_index"))
        assert [start for start, _ in blocks] == [0, 4, 5]
        assert np.concatenate([block["view"] for _, block in blocks]).tolist() == [0, 1, 2, 0, 1, 0]
        assert table.column("image_index", [5, 0, 4]).tolist() == [2, 0, 1]


def test_values_for_what_is_not_there(tmp_path):
    table = ViewTable(view_shards.crops().shard().write(tmp_path / "crops.h5"))
    assert "replay" not in table and "view" in table
    assert table.column_or("replay", [0, 1], [-1, -1, -1]).tolist() == [[-1] * 3] * 2
    with pytest.raises(UsageError, match="no dataset 'replay'"):
        table.column("replay", [0])


def test_maps_of_whole_pictures_have_no_views(tmp_path):
    with pytest.raises(UsageError, match="no views"):
        ViewTable(view_shards.Shard().write(tmp_path / "maps.h5"))


WRONG = {
    "view": (-1, -2), "view_box": ([0, 0, float("nan"), 1], [0, 0, 0, 1], [0, float("inf"), 1, 1], [0, 0, 1, -1]), "view_flip": (2,),
    "view_seed": (-1,), "replay": ([0, -1, 0], [-2, -2, -2]), "mixup_lambda": (1.5, -0.1, float("inf"), -float("nan")),
    "mixup_partner": ([-2, 0],), "cutmix_lambda": (2,), "cutmix_partner": ([0, -3],),
    "cutmix_box": ([0, 0, 9, 1], [3, 0, 2, 1], [0, -1, 1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name,value", [(name, value) for name, values in WRONG.items() for value in values])
def test_values_without_meaning_are_refused_where_they_are_used(name, value, tmp_path):
    values = list(EVERY[name])
    values[3] = value
    table = opened(tmp_path, columns={name: values})
    table.column(name, [0, 1, 4])
    with pytest.raises(InvalidDataError) as error:
        table.column(name, [4, 3])
    assert (error.value.dataset, error.value.row, error.value.key) == (name, 3, "a/1")
    assert error.value.rule in ("V003", "V007", "V024", "V025", "V026", "V027", "V028")
    with pytest.raises(InvalidDataError):
        list(table.blocks(name))


def test_a_damaged_chunk_is_named(tmp_path):
    shard = views().shard()
    shard.extra_columns["view_box"].stored = lambda number, data: data[:-1] + bytes([data[-1] ^ 1]) if number else data
    table = ViewTable(shard.write(tmp_path / "damaged.h5"))
    table.column("view_box", [0, 3])
    with pytest.raises(CorruptError, match="row 4") as error:
        table.column("view_box", [4])
    assert error.value.rule == "C008" and error.value.dataset == "view_box"


STRUCTURE = {
    "no view column": ({"columns": {}}, {"column_changes": {"view": None}}, "L005"),
    "no feature": ({}, {"attributes": {"features_required": "none", "view_size": None}}, "L005"),
    "feature in 1.0": ({}, {"attributes": {"format_version": "1.0"}}, "L004"),
    "no view size": ({"view_size": None}, {}, "L004"),
    "view size of zero": ({"view_size": (0, 8)}, {}, "L004"),
    "unknown source type": ({"source_type": "float8"}, {}, "L004"),
    "pixels of unknown pictures": ({"source_type": "pixels"}, {}, "L005"),
    "operations wider than any": ({}, {"column_changes": {"operations": {"data": np.zeros(5, "S70000"), "type": view_shards.utf8_type(70000)}}}, "L006"),
    "an unknown step": ({"document": {"chain": ["crop", "warp"]}}, {}, "L013"),
    "an unknown mode": ({"document": {"teacher_mode": "both"}}, {}, "L013"),
    "views that are a list": ({"document": []}, {}, "L013"),
    "other axes": ({}, {"column_changes": {"replay": {"attributes": {"axes": "image"}}}}, "L008"),
    "other type": ({}, {"column_changes": {"view": {"data": np.zeros(5, "<i8"), "fill": b"\xff" * 8}}}, "L006"),
    "other tail": ({}, {"column_changes": {"replay": {"data": np.zeros((5, 4), "<i4"), "chunk": (4, 4)}}}, "L007"),
    "row order without": ({}, {"attributes": {"row_order": "views"}}, "L004"),
    "cell order": ({}, {"attributes": {"cell_order": "rank"}}, "L004"),
}


@pytest.mark.parametrize("what", STRUCTURE)
def test_structure(what, tmp_path):
    changes, settings, rule = STRUCTURE[what]
    with pytest.raises(RelabelError) as error:
        opened(tmp_path, settings=settings, **changes)
    assert error.value.rule == rule, error.value


@pytest.mark.parametrize("order", ["source", "image", "replay", "shuffled:4"])
def test_orders_of_rows(order, tmp_path):
    assert opened(tmp_path, row_order=order, settings={"attributes": {"row_order": order, "cell_order": "source"}}).header.row_order == order
