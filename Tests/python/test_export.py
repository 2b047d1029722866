"""Labels in the forms of others, read back by the libraries of those forms and compared with shards read by h5py."""

import json
import math

import numpy as np
import pyarrow.parquet
import pytest
import shard_writer
import torch
from conftest import SAMPLES
from oracle import read_dataset
from running import packed, sound
from safetensors import safe_open

import relabel_hdf5
from relabel_hdf5 import UsageError
from relabel_hdf5.exporting import Options, export
from relabel_hdf5.exporting.image_labels import RULES
from relabel_hdf5.exporting.targets import TARGETS
from relabel_hdf5.exporting.targets.base import OfViews

OF_MAPS = [name for name, target in TARGETS.items() if target.of_views is not OfViews.NEEDED]
"""Those of views are in test_export_views.py."""

KINDS = [("logit", "zero"), ("probability", "uniform"), ("probability", "zero"), ("log_probability", "uniform")]


def shuffled(**changes):
    """Two shards of eight images whose rows are in no order."""
    settings = {"encoding": "float32", "optional": ("source_label",), "key_width": 8} | changes
    return [
        shard_writer.Shard(**settings, image_indexes=[7, 0, 3, 12, 5], keys=["b/7", "b/ä0", "a/3", "c/12", "5"]),
        shard_writer.Shard(**settings, image_indexes=[9, 1, 4], keys=["a/9", "1", "b/4"], rows=3, seed=2),
    ]


LISTED = ["b/ä0", "1", "a/3", "b/4", "5", "b/7", "a/9", "c/12"]
LABELS = {"b/7": -1, "b/ä0": 0, "a/3": 1, "c/12": 2, "5": 3, "a/9": -1, "1": 0, "b/4": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shard_writer.write_dataset(tmp_path_factory.mktemp("export") / "labels", *shuffled())


@pytest.fixture(scope="module")
def labels(folder):
    return read_dataset(folder)


def files(folder, ending):
    return {path.relative_to(folder).as_posix().removesuffix(ending): path for path in folder.rglob(f"*{ending}")}


def kind_folder(place, kind, fill, **changes):
    attributes = {"fill": fill, **({"temperature": np.float64(1.5)} if kind == "logit" else {})}
    shards = shuffled(score_kind=kind, attributes=attributes, **changes)
    return shard_writer.write_dataset(place, *shards)


# ------------------------------------------------------------------------------------------ label maps


@pytest.mark.parametrize("cell_order", ["score", "class"])
def test_relabel(cell_order, tmp_path):
    """float32 [2, k, H, W] with the best class first, and the packer finds the same rows in it."""
    folder = shard_writer.write_dataset(tmp_path / "labels", *shuffled(cell_order=cell_order))
    done = export([folder], "relabel", tmp_path / "out")
    found = files(tmp_path / "out", ".pt")
    labels = read_dataset(folder)
    assert found.keys() == labels.keys() and done.images == 8
    for key, path in found.items():
        tensor = torch.load(path, weights_only=True)
        assert tensor.dtype == torch.float32 and tensor.is_contiguous()
        order = np.argsort(-labels[key].scores, -1, kind="stable")
        for plane, values in zip(tensor.numpy(), (labels[key].scores, labels[key].ids)):
            assert (plane == np.take_along_axis(values, order, -1).transpose(2, 0, 1)).all()
    packed(tmp_path / "out", "-o", tmp_path / "again", "--num-classes", 10, "--score-encoding", "float32",
           "--cell-order", cell_order, "--orientation", "yx")  # fmt: skip
    assert_same_rows(labels, tmp_path / "again")


def assert_same_rows(labels, again):
    sound(again)
    found = read_dataset(again)
    assert found.keys() == labels.keys()
    for key, expected in labels.items():
        assert (found[key].ids == expected.ids).all() and (found[key].scores == expected.scores).all()


def test_real_maps_come_back_as_they_were(tmp_path):
    """The bundled maps, packed and exported, hold the same values; only equal scores of a cell may change places."""
    packed(SAMPLES / "maps", "-o", tmp_path / "labels", "--score-encoding", "float32")
    export([tmp_path / "labels"], "relabel", tmp_path / "out")
    originals, found = files(SAMPLES / "maps", ".pt"), files(tmp_path / "out", ".pt")
    assert originals.keys() == found.keys() and len(found) == 18
    for key, path in originals.items():
        one, other = (torch.load(place, weights_only=True) for place in (path, found[key]))
        assert one.dtype == other.dtype and torch.equal(one[0], other[0])
        is_tied = torch.zeros_like(one[0], dtype=torch.bool)
        is_tied[1:] |= one[0][1:] == one[0][:-1]
        is_tied[:-1] |= is_tied[1:].clone()
        assert torch.equal(one[1][~is_tied], other[1][~is_tied])
        assert torch.equal(one[1].sort(0).values, other[1].sort(0).values)


def test_tokenlabeling(folder, labels, tmp_path):
    """float16 [2, k, H, W] that lies as [2, H, W, k], and the packer heeds the strides."""
    done = export([folder], "tokenlabeling", tmp_path / "out")
    changed = 0
    for key, path in files(tmp_path / "out", ".pt").items():
        tensor = torch.load(path, weights_only=True)
        assert tensor.dtype == torch.float16 and tensor.stride() == (36, 1, 12, 3)
        scores, ids = tensor.permute(0, 2, 3, 1).numpy()
        assert (scores == labels[key].scores.astype(np.float16)).all() and (ids == labels[key].ids).all()
        changed = max(changed, np.abs(scores.astype(np.float64) - labels[key].scores).max())
    assert f"differ by up to {changed:.3g}" in done.losses[-1]
    packed(tmp_path / "out", "-o", tmp_path / "again", "--num-classes", 10, "--score-encoding", "float16")
    halves = shard_writer.write_dataset(tmp_path / "halves", *shuffled(encoding="float16"))
    assert_same_rows(read_dataset(halves), tmp_path / "again")
    assert not any("rounded" in text for text in export([halves], "tokenlabeling", tmp_path / "exact").losses)


@pytest.mark.parametrize("target, wide", [("tokenlabeling", 2050), ("relabel", (1 << 24) + 2)])
def test_ids_that_do_not_fit_are_refused(target, wide, tmp_path):
    shard_writer.write_shard(tmp_path / "wide.h5", num_classes=wide)
    with pytest.raises(UsageError, match=f"exact up to .* {wide:,} classes"):
        export([tmp_path / "wide.h5"], target, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["wide.h5"]


def test_what_torch_files_cannot_say_is_refused(tmp_path):
    shard_writer.write_shard(tmp_path / "p.h5", score_kind="probability")
    for target in ("relabel", "tokenlabeling"):
        with pytest.raises(UsageError, match="kind probability"):
            export([tmp_path / "p.h5"], target, tmp_path / "out")
    shard_writer.write_shard(tmp_path / "i.h5", classes_are="independent")
    for target in ("relabel", "tokenlabeling"):
        with pytest.raises(UsageError, match="don't exclude each other"):
            export([tmp_path / "i.h5"], target, tmp_path / "out")
    scores = np.tile(np.float32([70_000, 1, 0.5]), (5, 3, 4, 1))
    shard_writer.write_shard(tmp_path / "large.h5", encoding="float32", scores=scores)
    with pytest.raises(relabel_hdf5.InvalidDataError, match="too large for float16") as error:
        export([tmp_path / "large.h5"], "tokenlabeling", tmp_path / "out")
    assert error.value.key == "train/n0000" and error.value.cell == (0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i.h5", "large.h5", "p.h5"]


def test_npy(folder, labels, tmp_path):
    export([folder], "npy", tmp_path / "out")
    keys = (tmp_path / "out/keys.txt").read_text().splitlines()
    assert keys == LISTED
    ids, scores = (np.load(tmp_path / f"out/{name}.npy", mmap_mode="r") for name in ("class_index", "score"))
    assert ids.dtype == np.uint16 and scores.dtype == np.float32 and len(ids) == len(scores) == 8
    for row, key in enumerate(keys):
        assert (ids[row] == labels[key].ids).all() and (scores[row] == labels[key].scores).all()


@pytest.mark.parametrize("kind, fill", KINDS[:2] + KINDS[3:])
def test_npz_is_packed_to_the_same_rows(kind, fill, tmp_path):
    folder = kind_folder(tmp_path / "labels", kind, fill)
    export([folder], "npz", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as arrays:
        assert sorted(arrays) == ["class_index", "keys", "score"]
        assert [key.decode() for key in arrays["keys"]] == LISTED
    packed(tmp_path / "out.npz", "-o", tmp_path / "again", "--num-classes", 10, "--score-kind", kind,
           "--score-encoding", "float32")  # fmt: skip
    assert_same_rows(read_dataset(folder), tmp_path / "again")


def test_npz_of_the_same_maps_has_the_same_bytes(folder, tmp_path):
    for name in ("one", "two"):
        export([folder], "npz", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_safetensors(folder, labels, tmp_path):
    export([folder], "safetensors", tmp_path / "out.safetensors")
    with safe_open(tmp_path / "out.safetensors", framework="pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}
        about = json.loads(file.metadata()["relabel_export"])
    assert found["class_index"].dtype == torch.int32 and found["score"].dtype == torch.float32
    keys = [bytes(row).rstrip(b"\0").decode() for row in found["keys"].numpy()]
    assert keys == LISTED
    for row, key in enumerate(keys):
        assert (found["class_index"][row].numpy() == labels[key].ids).all()
        assert (found["score"][row].numpy() == labels[key].scores).all()
    assert about["source"]["score_kind"] == "logit" and about["metadata"]["classes"]["table"][3]["name"] == "class 3 é"


def dense_reference(labels, kind, fill, classes=10):
    """Scores of all classes [C, H, W], cell by cell."""
    height, width, k = labels.ids.shape
    found = np.zeros((classes, height, width))
    for y in range(height):
        for x in range(width):
            values = labels.scores[y, x].astype(np.float64)
            values = np.exp(values) if kind == "log_probability" else values
            if fill == "uniform":
                found[:, y, x] = max(0, 1 - values.sum()) / (classes - k)
            found[labels.ids[y, x], y, x] = values
    return found


@pytest.mark.parametrize("kind, fill", KINDS)
def test_dense(kind, fill, tmp_path):
    """All classes, as pooling fills them; their pooled mean is what the loader gives for the whole picture."""
    folder = kind_folder(tmp_path / "labels", kind, fill)
    labels, dense = read_dataset(folder), Options(dense=True)
    for target in ("npy", "npz", "safetensors"):
        export([folder], target, tmp_path / target, dense)
    name = "logits" if kind == "logit" else "probabilities"
    with np.load(tmp_path / "npz") as arrays, safe_open(tmp_path / "safetensors", framework="numpy") as file:
        assert sorted(arrays) == sorted([name, "keys"]) and sorted(file.keys()) == sorted([name, "keys"])
        one, other = arrays[name], file.get_tensor(name)
    for row, key in enumerate(LISTED):
        expected = dense_reference(labels[key], kind, fill)
        assert np.abs(np.load(tmp_path / f"npy/{key}.npy") - expected).max() <= 1e-6
        assert np.abs(one[row] - expected).max() <= 1e-6 and (one[row] == other[row]).all()
        pooled = expected.mean((1, 2))
        if kind == "logit":
            pooled = np.exp(pooled / 1.5) / np.exp(pooled / 1.5).sum()
        with relabel_hdf5.open(folder) as maps:
            assert np.abs(maps.targets([key], [(0, 0, 1, 1)])[0] - pooled).max() <= 1e-6


# ---------------------------------------------------------------------------------- image-level labels


def rule_reference(labels, kind, fill, rule):
    """The probability of each class for the whole picture, with nothing but the definition."""
    dense = dense_reference(labels, kind, fill)
    if kind == "logit":
        if rule == "pooled-softmax":
            dense = dense.mean((1, 2), keepdims=True)
        powers = [[[math.exp(value / 1.5) for value in row] for row in plane] for plane in dense.tolist()]
        dense = np.array(powers) / np.array(powers).sum(0)
    return dense.max((1, 2)) if rule == "max" else dense.mean((1, 2))


@pytest.mark.parametrize("kind", ["logit", "probability", "log_probability"])
def test_classes_that_do_not_exclude_each_other(kind, tmp_path):
    """Each class of a cell has a probability of its own; what a rule gives may sum to more than 1."""
    folder = kind_folder(tmp_path / "labels", kind, "zero", classes_are="independent")
    labels = read_dataset(folder)
    said = []
    export([folder], "npz", tmp_path / "npz", Options(dense=True), say=said.append)
    assert any("that classes don't exclude each other" in sentence for sentence in said), said
    with np.load(tmp_path / "npz") as arrays:
        dense = arrays["probabilities"]
    for row, key in enumerate(LISTED):
        found = labels[key].scores.astype(np.float64)
        own = {"logit": 1 / (1 + np.exp(-found / 1.5)), "probability": found, "log_probability": np.exp(found)}[kind]
        expected = np.zeros((10, *found.shape[:2]))
        np.put_along_axis(expected, np.moveaxis(labels[key].ids.astype(int), -1, 0), np.moveaxis(own, -1, 0), 0)
        assert np.abs(dense[row] - expected).max() <= 1e-6
        with relabel_hdf5.open(folder) as maps:
            batch = maps.batch([key])
        assert np.abs(RULES["mean-softmax"](batch)[0] - expected.mean((1, 2))).max() <= 1e-6
        assert np.abs(RULES["pooled-softmax"](batch)[0] - expected.mean((1, 2))).max() <= 1e-6
        assert np.abs(RULES["max"](batch)[0] - expected.max((1, 2))).max() <= 1e-6


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind, fill", KINDS)
def test_rules(kind, fill, rule, tmp_path):
    """Each rule gives what its definition says, for maps of unknown orientation and of a part of the picture, too."""
    folder = kind_folder(tmp_path / "labels", kind, fill, optional=("map_extent",))
    labels = read_dataset(folder)
    with relabel_hdf5.open(folder) as maps:
        found = RULES[rule](maps.batch(LISTED))
    for row, key in enumerate(LISTED):
        assert np.abs(found[row] - rule_reference(labels[key], kind, fill, rule)).max() <= 1e-6
    attributes = {"orientation": "unknown", "fill": fill}
    shard_writer.write_shard(tmp_path / "unknown.h5", score_kind=kind, attributes=attributes, num_classes=3)
    with relabel_hdf5.open(tmp_path / "unknown.h5") as maps:  # where no class is absent
        found = RULES[rule](maps.batch([0, 1]))
    assert found.shape == (2, 3) and (rule == "max" or kind != "logit" or np.abs(found.sum(1) - 1).max() < 1e-6)


def lists(labels, threshold, rule="mean-softmax"):
    """The ids and probabilities that reach a threshold."""
    found = rule_reference(labels, "logit", "zero", rule)
    return [place for place in range(len(found)) if found[place] >= threshold], found


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """Logits of temperature 1.5."""
    return kind_folder(tmp_path_factory.mktemp("warm") / "labels", "logit", "zero")


def test_parquet(warm, tmp_path, monkeypatch):
    monkeypatch.setattr("relabel_hdf5.exporting.targets.parquet._ROWS", 3)
    export([warm], "parquet", tmp_path / "out.parquet", Options(threshold=0.2, extension=".JPEG"))
    file = pyarrow.parquet.ParquetFile(tmp_path / "out.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(3)] == [3, 3, 2]
    rows = file.read().to_pylist()
    assert [row["filename"] for row in rows] == [f"{key}.JPEG" for key in LISTED]
    labels = read_dataset(warm)
    for key, row in zip(LISTED, rows):
        ids, probabilities = lists(labels[key], 0.2)
        assert row["label_indices"] == ids and np.abs(row["label_probs"] - probabilities[ids]).max(initial=0) <= 1e-6
        assert row["label_names"] == [f"class {place} é" for place in ids]
        label = LABELS[key]
        assert (row["gt_index"], row["gt_name"]) == ((None, None) if label < 0 else (label, f"class {label} é"))
    assert json.loads(file.schema_arrow.metadata[b"relabel_export"])["options"]["threshold"] == 0.2


def test_multilabel_tsv(warm, tmp_path):
    """Read as the authors' convert_labels.py does."""
    options = Options(rule="max", threshold=0.3, extension=".JPEG")
    export([warm], "multilabel-tsv", tmp_path / "out.tsv", options)
    lines = (tmp_path / "out.tsv").read_text().splitlines()
    labels = read_dataset(warm)
    for key, line in zip(LISTED, lines, strict=True):
        name, label, ids, probabilities = line.split("\t")
        expected, values = lists(labels[key], 0.3, "max")
        assert (name, int(label)) == (f"{key}.JPEG", LABELS[key])
        assert [int(place) for place in ids.split(",") if place] == expected
        assert probabilities == ",".join(f"{value:.4f}" for value in values[expected].astype(np.float32))


def test_real_json(warm, tmp_path):
    """Lists in the order of the file names, without their folders."""
    done = export([warm], "real-json", tmp_path / "out.json")
    order = sorted(LISTED, key=lambda key: key.rpartition("/")[2].encode())
    assert order[0] == "1" and order[1] == "c/12"
    expected = [lists(read_dataset(warm)[key], 0.1)[0] for key in order]
    assert json.loads((tmp_path / "out.json").read_text()) == expected
    assert any("aren't ImageNet's validation images" in text for text in done.losses)


def test_real_json_of_validation_images(tmp_path):
    """The number in the name is the place: a picture that is missing shifts no other one."""
    keys = [f"n{number % 2}/ILSVRC2012_val_{number:08}" for number in (50_000, 3, 1, 7, 4)]
    shard_writer.write_shard(tmp_path / "val.h5", keys=keys)
    done = export([tmp_path / "val.h5"], "real-json", tmp_path / "real.json", Options(threshold=0.01))
    found = json.loads((tmp_path / "real.json").read_text())
    assert len(found) == 50_000 and [place for place, ids in enumerate(found) if ids] == [0, 2, 3, 6, 49_999]
    assert any("49,995 images of the validation set are not here" in text for text in done.losses)


def test_real_json_refuses_names_that_occur_twice(tmp_path):
    shard_writer.write_shard(tmp_path / "x.h5", keys=["a/1", "b/1", "a/2", "a/3", "a/4"])
    with pytest.raises(UsageError, match="two images are called 1"):
        export([tmp_path / "x.h5"], "real-json", tmp_path / "real.json")


def test_cleanlab(warm, tmp_path):
    done = export([warm], "cleanlab", tmp_path / "out", Options(extension=".png"))
    probabilities, given = (np.load(tmp_path / f"out/{name}.npy") for name in ("pred_probs", "labels"))
    assert (tmp_path / "out/keys.txt").read_text().splitlines() == [f"{key}.png" for key in LISTED]
    assert given.dtype == np.int64 and given.tolist() == [LABELS[key] for key in LISTED]
    labels = read_dataset(warm)
    for row, key in enumerate(LISTED):
        assert np.abs(probabilities[row] - rule_reference(labels[key], "logit", "zero", "mean-softmax")).max() <= 1e-6
    text = (tmp_path / "out/README.txt").read_text()
    assert "OUT-OF-SAMPLE" in text and "2 rows have the label -1" in text
    assert any("out-of-sample" in text for text in done.losses)


# ---------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("target", OF_MAPS)
def test_what_is_lost_is_said_and_kept_beside(target, tmp_path):
    """Every form says what it has no place for, and export.json has all that the shards say."""
    columns = ("image_size", "image_sha256", "source_label", "map_extent", "log_normalizer")
    kind = "probability" if target == "kecam" else "logit"  # it takes nothing else
    columns = columns if kind == "logit" else columns[:-1]
    shard_writer.write_dataset(tmp_path / "labels", *shard_writer.two_shards(
        optional=columns, score_kind=kind, largest_error=2**-17))
    heard = []
    done = export([tmp_path / "labels"], target, tmp_path / "out", say=heard.append)
    form = TARGETS[target]
    beside = tmp_path / ("out/export.json" if form.is_folder else "out.export.json")
    document = json.loads(beside.read_text())
    assert heard == [f"lost: {text}" for text in done.losses] and document["losses"] == list(done.losses)
    text = " ".join(done.losses)
    assert all(name in text for name in (*columns[:2], *columns[4:], "annotator"))
    assert ("source_label" in text) == (target not in ("parquet", "multilabel-tsv", "cleanlab"))
    assert ("where in the picture" in text) == ("rule" in form.takes)
    assert (f"steps of {1 / 256 if kind == 'logit' else 1 / 32768:.4g}" in text) == ("rule" not in form.takes)
    assert ("names of classes" in text) == (target != "parquet")
    with relabel_hdf5.open(tmp_path / "labels") as maps:
        assert document["metadata"] == maps.header.metadata
        assert document["source"]["fingerprints"] == [maps.fingerprint]
    assert document["source"]["orientation"] == "yx" and document["images"] == 8
