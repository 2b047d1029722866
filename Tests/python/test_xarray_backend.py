"""The xarray backend of the Python package against shards read with h5py."""

import importlib.metadata
import importlib.util
import pickle

import numpy as np
import pytest
import shard_writer
import xarray
from oracle import read_shards

from relabel_hdf5 import RelabelError
from relabel_hdf5.dataset import LabelMaps
from relabel_hdf5.xarray_backend import RelabelBackend

SIDES = ["top", "left", "height", "width"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of two shards, 5 and 3 images."""
    place = tmp_path_factory.mktemp("xarray") / "labels"
    return shard_writer.write_dataset(place, *shard_writer.two_shards())


@pytest.fixture(scope="module")
def expected(folder):
    """Ids, decoded scores, keys and indexes of all images."""
    shards = read_shards(folder)
    return {
        "class_index": np.concatenate([shard.ids for shard in shards]),
        "score": np.concatenate([shard.scores for shard in shards]),
        "image_key": np.array([key for shard in shards for key in shard.keys], object),
        "image_index": np.array([index for shard in shards for index in shard.indexes]),
    }


@pytest.fixture
def dataset(folder):
    with xarray.open_dataset(folder, engine=RelabelBackend) as dataset:
        yield dataset


def test_names_and_types(dataset):
    assert dict(dataset.sizes) == {"image": 8, "y": 3, "x": 4, "rank": 3, "side": 4, "class": 10}
    assert dataset.class_index.dims == dataset.score.dims == ("image", "y", "x", "rank")
    assert set(dataset.data_vars) == {"class_index", "score", "map_extent"}
    assert set(dataset.coords) == {"image_key", "image_index", "side", "class_id", "class_name"}
    assert dataset.class_index.dtype == np.uint16 and dataset.score.dtype == np.float32
    assert dataset.side.values.tolist() == SIDES


def test_values(dataset, expected):
    for name, values in expected.items():
        np.testing.assert_array_equal(dataset[name].values, values)
        assert dataset[name].dtype == values.dtype
    assert all(isinstance(key, str) for key in dataset.image_key.values)
    assert dataset.map_extent.values.tolist() == [[0, 0, 1, 1]] * 8


@pytest.mark.parametrize("path", ["index.json", "labels-00001.h5"])
def test_other_paths(folder, expected, path):
    """The index stands for all shards; a shard is opened alone."""
    with xarray.open_dataset(folder / path, engine=RelabelBackend) as dataset:
        np.testing.assert_array_equal(dataset.score, expected["score"][0 if path == "index.json" else 5 :])


@pytest.mark.parametrize(
    "choice",
    [
        {"image": 6},
        {"image": -1, "rank": 0},
        {"image": slice(1, 7, 2), "y": slice(None, None, -1)},
        {"image": [7, 0, 7], "x": [3, 1]},
        {"image": [], "y": 2},
        {"image": np.arange(8) % 2 == 0, "y": 1, "x": 2, "rank": 1},
        {"y": [2, 0], "x": 1},
    ],
    ids=str,
)
def test_selection(dataset, expected, choice):
    for name in ("class_index", "score"):
        plain = xarray.DataArray(expected[name], dims=("image", "y", "x", "rank"))
        np.testing.assert_array_equal(dataset[name].isel(choice), plain.isel(choice))
    if "image" in choice:
        keys = dataset.image_key.isel(image=choice["image"])
        np.testing.assert_array_equal(keys, expected["image_key"][choice["image"]])


def test_selection_by_points(dataset, expected):
    """One cell for each image, its own."""
    place = xarray.DataArray([0, 2, 1], dims="image")
    chosen = dataset.score.isel(image=xarray.DataArray([5, 1, 6], dims="image"), y=place)
    np.testing.assert_array_equal(chosen, expected["score"][[5, 1, 6], [0, 2, 1]])


def test_selection_by_key(dataset, expected):
    by_key = dataset.set_index(image="image_key")
    chosen = by_key.score.sel(image=expected["image_key"][6])
    np.testing.assert_array_equal(chosen, expected["score"][6])


def test_nothing_is_read_early(folder, monkeypatch):
    """Opening and selecting read no labels; only what is asked for is read, in blocks."""
    seen = []
    read = LabelMaps.batch

    def noted(maps, positions):
        seen.append(positions.tolist())
        return read(maps, positions)

    monkeypatch.setattr("relabel_hdf5.xarray_backend.BLOCK", 2)
    monkeypatch.setattr(LabelMaps, "batch", noted)
    with xarray.open_dataset(folder, engine=RelabelBackend) as dataset:
        repr(dataset)
        chosen = dataset.isel(image=[6, 1, 3]).score
        assert seen == []
        chosen.load()
        assert seen == [[1, 3], [6]]


def test_classes_and_attributes(dataset):
    assert dataset.class_id.dims == dataset.class_name.dims == ("class",)
    assert dataset.class_id.values.tolist() == [f"n{c:08}" for c in range(10)]
    assert dataset.class_name.values.tolist() == [f"class {c} é" for c in range(10)]
    assert dataset.attrs == {
        "format_version": "1.0", "num_classes": 10, "score_kind": "logit", "fill": "zero", "temperature": 1.0,
        "cell_order": "score", "row_order": "source", "orientation": "yx", "encoding": "fixed16",
        "step": 1 / 256, "offset": -128.0, "writer": shard_writer.WRITER, "build_id": shard_writer.BUILD_ID,
        "annotator": "efficientnet-lite0",
    }
    assert dataset.score.attrs["long_name"] == "logit"


def test_without_class_table(tmp_path):
    """What nobody said is left out."""
    path = shard_writer.write_shard(tmp_path / "a.h5", num_classes=70_000, encoding="float32")
    with xarray.open_dataset(path, engine=RelabelBackend) as dataset:
        assert "class" not in dataset.sizes and "class_id" not in dataset.coords
        assert dataset.class_index.dtype == np.uint32 and dataset.class_index.values.dtype == np.uint32
        assert not {"step", "offset"} & dataset.attrs.keys()


def test_extent_of_each_image(tmp_path):
    path = shard_writer.write_shard(tmp_path / "a.h5", optional=["map_extent"])
    with xarray.open_dataset(path, engine=RelabelBackend) as dataset:
        assert dataset.map_extent.sel(side="height").values.tolist() == [0.5] * 5


def test_drop_variables(folder):
    names = ["score", "image_key", "class_name"]
    with xarray.open_dataset(folder, engine=RelabelBackend, drop_variables=names) as dataset:
        assert not set(names) & set(dataset.variables) and "class_id" in dataset.coords
    with xarray.open_dataset(folder, engine=RelabelBackend, drop_variables="score") as dataset:
        assert set(dataset.data_vars) == {"class_index", "map_extent"}


def test_pickled(dataset, expected):
    """Workers of other processes open the files again."""
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy.score, expected["score"])


def test_closed(folder):
    dataset = xarray.open_dataset(folder, engine=RelabelBackend)
    dataset.close()
    with pytest.raises(RelabelError, match="closed"):
        dataset.score.load()


@pytest.mark.skipif(importlib.util.find_spec("dask") is None, reason="dask is not installed")
def test_dask(folder, expected):
    with xarray.open_dataset(folder, engine=RelabelBackend, chunks={}) as dataset:
        np.testing.assert_array_equal(dataset.score.compute(), expected["score"])


def test_guess(folder, tmp_path):
    """Only where there are label maps is the engine proposed."""
    backend = RelabelBackend()
    for path in (folder, str(folder), folder / "index.json", folder / "labels-00000.h5"):
        assert backend.guess_can_open(path)
    (tmp_path / "text.h5").write_text("no HDF5")
    for path in (tmp_path, tmp_path / "absent.h5", tmp_path / "text.h5", b"bytes", 3):
        assert not backend.guess_can_open(path)


def test_damage_is_refused(folder, tmp_path):
    path = tmp_path / "a.h5"
    content = (folder / "labels-00000.h5").read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(RelabelError, match="a.h5"):
        xarray.open_dataset(path, engine=RelabelBackend)


@pytest.mark.skipif(
    not importlib.metadata.entry_points(group="xarray.backends", name="relabel"),
    reason="the package is not installed: xarray finds engines by their entry points",
)
def test_engine_by_name(folder, expected):
    with xarray.open_dataset(folder, engine="relabel") as dataset:
        np.testing.assert_array_equal(dataset.score, expected["score"])
