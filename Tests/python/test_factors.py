"""Maps of factors (spec, section 4.11): packing, reading and pooling, against a dense reference made by h5py and NumPy."""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

import fixtures_factors
import h5py
import numpy as np
import pytest
import torch
from conftest import ROOT, SAMPLES, error_rules, pack, tool, verify

import relabel_hdf5
from relabel_hdf5 import UsageError, Writer, label_pooling

sys.path.insert(0, str(ROOT / "tools" / "factors"))

import encoder  # noqa: E402
import study  # noqa: E402

DENSE = sorted((SAMPLES / "dense").rglob("*.npy"))
PACKING = ["--score-kind", "logit", "--maps", "factors"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("factors") / "dataset"
    result = pack(SAMPLES / "dense", "--output", folder, *PACKING)
    assert result.returncode == 0, result.stderr
    return folder


SPEC = (ROOT / "spec" / "relabel-hdf5.md").read_text()
FORMULA = re.search(r"With h5py and NumPy:\n\n```text\n(.*?)```", SPEC, re.S)[1]


def logits(shard, row):
    """The map of all classes [C, H·W] by the lines of the specification, with h5py alone."""
    with h5py.File(shard) as file:
        found = {"shard": file, "row": row, "numpy": np}
        exec(FORMULA, found)
    return found["logits"].reshape(found["logits"].shape[0], -1)


def boxes(count, seed=0):
    return study.boxes(count, seed)


def reference(shard, row, drawn, grid=(15, 15)):
    """Targets [n, C] of boxes, in float64."""
    return encoder.softmax(logits(shard, row) @ study.cell_weights(drawn, grid)).T


def test_a_packed_dataset_is_sound(dataset):
    code, report = verify(dataset)
    assert (code, error_rules(report)) == (0, [])
    with h5py.File(dataset / "labels-00000.h5") as file:
        assert file.attrs["features_required"] in (b"factors", "factors")
        assert file["class_factor"].dtype == np.uint8
        assert (file["class_index"][:] == np.arange(file["score"].shape[-1])).all()


def test_targets_are_those_of_the_formula(dataset, library):
    with relabel_hdf5.open(dataset) as maps:
        drawn = boxes(5)
        shard = dataset / "labels-00000.h5"
        wanted = np.stack([reference(shard, row, drawn) for row in range(len(maps))])
        given = np.broadcast_to(drawn, (len(maps), *drawn.shape))
        stored = maps.targets(range(len(maps)), given)
        batch = maps.batch(range(len(maps)))
        for found in (stored, label_pooling(batch, given), label_pooling(batch.torch(), given).numpy()):
            np.testing.assert_allclose(found, wanted, atol=1e-6)
        one = maps[1]
        np.testing.assert_allclose(label_pooling(one, drawn[2]), wanted[1, 2], atol=1e-6)
        np.testing.assert_allclose(one.dense().reshape(1000, -1), centred(logits(shard, 1)), atol=1e-9)


def centred(found):
    return found - found.mean(0)


def test_targets_on_a_device_are_the_same(dataset):
    from relabel_hdf5.pooling_torch import pool_unchecked

    with relabel_hdf5.open(dataset) as maps:
        batch = maps.batch([0, 2]).torch()
        drawn = boxes(3)
        found, covered = pool_unchecked(batch, torch.from_numpy(np.stack([drawn, drawn])), False, False)
        wanted = np.stack([reference(dataset / "labels-00000.h5", row, drawn) for row in (0, 2)])
        np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)
        assert (covered == 1).all()


def test_the_command_line_pools_the_same(dataset):
    box = (0.1, 0.25, 0.4, 0.5)
    with relabel_hdf5.open(dataset) as maps:
        key = maps.key(0)
    result = tool(
        "relabel", "pool", dataset, "--key", key, "--box", ",".join(map(str, box)), "--format", "json", "--top", "1000"
    )
    found = {entry["class_index"]: entry["probability"] for entry in json.loads(result.stdout)["top"]}
    wanted = reference(dataset / "labels-00000.h5", 0, np.array([box]))[0]
    assert len(found) == 1000
    np.testing.assert_allclose([found[place] for place in range(1000)], wanted, atol=1e-6)


def test_targets_are_far_nearer_than_those_of_five_classes(dataset, tmp_path):
    cut = tmp_path / "cut"
    assert pack(SAMPLES / "dense", "--output", cut, "--score-kind", "logit").returncode == 0
    drawn = boxes(24)
    divergences = {"factors": [], "top 5": []}
    for path in DENSE:
        dense = np.load(path).astype(float).reshape(1000, -1)
        wanted = encoder.softmax(dense @ study.cell_weights(drawn, (15, 15)))
        for name, folder in (("factors", dataset), ("top 5", cut)):
            with relabel_hdf5.open(folder) as maps:
                key = next(key for key in maps.keys() if key.endswith(path.stem))
                row = maps.position(key)
                found = maps.targets([row], drawn[None])[0].T.astype(float)
            divergences[name].append(study.divergence(wanted, found))
    assert np.mean(divergences["factors"]) < np.mean(divergences["top 5"]) / 6


def test_the_encoder_is_as_near_as_the_reference(dataset):
    settings = encoder.Settings()
    metric = encoder.Metric(study.cell_weights(boxes(1024, 999), (15, 15)), settings)
    drawn = study.cell_weights(boxes(24, 3), (15, 15))
    with relabel_hdf5.open(dataset) as maps:
        for path in DENSE:
            dense = np.load(path).astype(float).reshape(1000, -1)
            wanted = encoder.softmax(dense @ drawn)
            row = maps.position(next(key for key in maps.keys() if key.endswith(path.stem)))
            ours = study.divergence(wanted, encoder.softmax(logits(dataset / "labels-00000.h5", row) @ drawn))
            theirs = study.divergence(wanted, encoder.softmax(encoder.encode(dense, metric, settings).logits() @ drawn))
            assert ours < 1.5 * theirs + 0.002


def test_bytes_are_on_record(tmp_path):
    """An optimised build makes of whole numbers what Swift's own tests expect of a build without optimisation."""
    swift = (ROOT / "Tests" / "RelabelTests" / "FactorTests.swift").read_text()
    (recorded,) = re.findall(r'Digest\.of\(bytes\) == "([0-9a-f]{64})"', swift)
    id_, y, x = np.ogrid[:60, :9, :11]
    waves = np.mod(id_ * 7 + y * 3, 11) - np.mod(id_ * 5 + x * 2, 13)
    peak = np.where(id_ % 17 == (y // 3 * 4 + x // 4) % 17, 40, 0)
    np.save(tmp_path / "map.npy", ((waves + peak) / 4).astype("f4"))
    assert pack(tmp_path / "map.npy", "--output", tmp_path / "out", *PACKING).returncode == 0
    with relabel_hdf5.open(tmp_path / "out") as maps, h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        amounts = (maps[0].score + 127).astype("u1")
        found = amounts.tobytes() + file["class_factor"][0].tobytes() + file["factor_scale"][0].astype("<f4").tobytes()
    assert hashlib.sha256(found).hexdigest() == recorded


def test_bytes_do_not_depend_on_jobs_or_containers(dataset, tmp_path):
    wanted = (dataset / "labels-00000.h5").read_bytes()
    for jobs in (1, 2, 5):
        folder = tmp_path / str(jobs)
        assert pack(SAMPLES / "dense", "--output", folder, *PACKING, "--jobs", str(jobs)).returncode == 0
        assert (folder / "labels-00000.h5").read_bytes() == wanted


def test_an_archive_gives_the_factors_of_its_maps(dataset, tmp_path):
    keys = [str(path.relative_to(SAMPLES / "dense").with_suffix("")) for path in DENSE]
    np.savez_compressed(tmp_path / "maps.npz", logits=np.stack([np.load(path) for path in DENSE]), keys=np.array(keys))
    assert pack(tmp_path / "maps.npz", "--output", tmp_path / "dataset", *PACKING).returncode == 0
    with relabel_hdf5.open(dataset) as one, relabel_hdf5.open(tmp_path / "dataset") as other:
        for key in keys:
            assert (one[key].class_factor == other[key].class_factor).all()
            assert (one[key].score == other[key].score).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--score-kind", "probability"], "the scores are probability"),
        (["--score-kind", "logit", "--centre"], "--centre"),
        (["--score-kind", "logit", "--top-k", "3"], "--top-k"),
        (["--score-kind", "logit", "--log-normalizer"], "log_normalizer"),
        (["--score-kind", "logit", "--score-encoding", "float32"], "--score-encoding"),
        (["--score-kind", "logit", "--classes-are", "independent"], "exclude each other"),
    ],
)
def test_what_factors_do_not_go_with_is_refused(tmp_path, options, said):
    result = pack(SAMPLES / "dense", "--output", tmp_path / "out", "--maps", "factors", *options)
    assert result.returncode == 64
    assert said in result.stderr
    assert not list(tmp_path.glob("out/*.h5"))


def test_the_best_classes_alone_are_refused(tmp_path):
    result = pack(SAMPLES / "maps", "--output", tmp_path / "out", "--maps", "factors")
    assert result.returncode == 5
    assert "factors need the scores of all" in result.stderr


def test_cells_are_shown_as_classes(dataset):
    with relabel_hdf5.open(dataset) as maps:
        key, one = maps.key(0), maps[0]
    shown = tool("relabel", "show", dataset, "--key", key, "--format", "json")
    document = json.loads(shown.stdout)
    ours = one.of_classes(5)
    dense = centred(logits(dataset / "labels-00000.h5", 0)).reshape(1000, 15, 15)
    best = np.moveaxis(np.argsort(-dense, 0, kind="stable")[:5], 0, -1)
    assert (np.array(document["class_index"]) == best).all()
    assert (ours.class_index == best).all()
    np.testing.assert_allclose(document["score"], ours.score, atol=1e-4)
    # The classes that are left out count as 0: their mean is.
    rest = np.sort(dense, 0)[:-5].mean(0)
    np.testing.assert_allclose(ours.score[..., 0], dense.max(0) - rest, atol=1e-4)


def test_a_writer_makes_the_same_bytes(dataset, tmp_path):
    with relabel_hdf5.open(dataset) as maps:
        order = sorted(range(len(maps)), key=lambda row: maps.image_index(row))
        keys = [maps.key(row) for row in order]
    paths = {path.stem: path for path in DENSE}
    with Writer(tmp_path / "written", num_classes=1000, score_kind="logit", maps="factors") as writer:
        for key in keys:
            writer.add(key, np.load(paths[pathlib.PurePath(key).name]))
    with relabel_hdf5.open(dataset) as maps, relabel_hdf5.open(tmp_path / "written") as written:
        for key in keys:
            assert (maps[key].class_factor == written[key].class_factor).all()
            assert (maps[key].factor_scale == written[key].factor_scale).all()
            assert (maps[key].score == written[key].score).all()


def test_a_writer_refuses_what_factors_can_not_be_made_of(tmp_path):
    for wrong in ({"score_kind": "probability"}, {"centre": True}, {"top_k": 5}):
        with pytest.raises(UsageError, match="factors"):
            Writer(tmp_path / "out", **({"num_classes": 10, "score_kind": "logit", "maps": "factors"} | wrong))
    with pytest.raises(UsageError, match="quality"):
        Writer(tmp_path / "out", num_classes=10, score_kind="logit", quality=0.1)


def test_damaged_factors_are_lost_by_name(dataset, tmp_path):
    broken = tmp_path / "labels-00000.h5"
    broken.write_bytes((dataset / "labels-00000.h5").read_bytes())
    with h5py.File(broken) as file:
        place = file["class_factor"].id.get_chunk_info(0)
    with broken.open("r+b") as file:
        file.seek(place.byte_offset + place.size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))
    assert error_rules(verify(broken)[1]) == ["C008"]
    with relabel_hdf5.open(broken) as maps, pytest.raises(relabel_hdf5.CorruptError, match="class_factor"):
        maps.batch([0])


LOST = {"scale_infinite": 1, "class_factor_unwritten": 2, "factor_scale_unwritten": 1, "three": 3, "negative": 3, "subnormal": 0}


@pytest.mark.parametrize("variant", LOST)
def test_a_row_with_broken_factors_is_lost_alone(variant, tmp_path):
    make = next(make for _, name, make in fixtures_factors.FIXTURES.broken if name == variant)
    make(tmp_path)
    result = tool("relabel", "recover", tmp_path / "a.h5", "--output", tmp_path / "out", "--format", "json")
    assert result.returncode == 3, result.stderr
    assert [image["row"] for image in json.loads(result.stdout)["lost"]] == [LOST[variant]]
    with relabel_hdf5.open(tmp_path / "out") as maps:
        assert len(maps.batch(range(4)).class_factor) == 4


@pytest.mark.parametrize("leads, rules", [(8, {"V015"}), (4, set())], ids=["8 of 9 cells", "4 of 9 cells"])
def test_a_class_that_dominates_is_seen(tmp_path, leads, rules):
    """By the best class of each cell; that every class is in every cell makes none of them unseen."""
    generator = np.random.default_rng(2)
    folder = tmp_path / "maps"
    folder.mkdir()
    for number in range(130):
        dense = generator.normal(0, 1, (12, 3, 3)).astype("f4")
        dense[11] = -9
        dense[3].flat[generator.permutation(9)[:leads]] += 4
        np.save(folder / f"{number}.npy", dense)
    assert pack(folder, "--output", tmp_path / "out", *PACKING).returncode == 0
    code, report = verify(tmp_path / "out")
    found = {finding["rule"] for finding in report["findings"] if finding["severity"] == "warning"}
    assert code == 0 and found & {"V014", "V015", "V018"} == rules
    statistics = next(file["statistics"] for file in report["files"] if file["kind"] == "shard")
    assert statistics["classes_seen"] == 12
    assert statistics["most_frequent_class"]["class"] == 3
    assert abs(statistics["most_frequent_class"]["share"] - leads / 9) < 0.1


@pytest.mark.parametrize("shape", [(1, 1, 10), (3, 4, 7), (40, 40, 5), (2, 2, 3)])
def test_grids_of_any_size(tmp_path, shape):
    height, width, classes = shape
    generator = np.random.default_rng(1)
    folder = tmp_path / "maps"
    folder.mkdir()
    for number in range(3):
        np.save(folder / f"{number}.npy", generator.normal(0, 3, (classes, height, width)).astype("f4"))
    result = pack(folder, "--output", tmp_path / "out", *PACKING, "--quality", "1e-7")
    assert result.returncode == 0, result.stderr
    assert verify(tmp_path / "out")[0] == 0
    with relabel_hdf5.open(tmp_path / "out") as maps:
        drawn = np.array([[0, 0, 1, 1]])
        dense = np.load(folder / "1.npy").astype(float).reshape(classes, -1)
        wanted = encoder.softmax(dense @ study.cell_weights(drawn, (height, width)))[:, 0]
        found = maps.targets([maps.position("1")], drawn[None])[0, 0]
        np.testing.assert_allclose(found, wanted, atol=0.02)


def test_a_grid_of_too_many_cells_is_refused(tmp_path):
    np.save(tmp_path / "map.npy", np.random.default_rng(0).normal(size=(50, 41, 40)).astype("f4"))
    result = pack(tmp_path / "map.npy", "--output", tmp_path / "out", *PACKING)
    assert result.returncode == 64
    assert "1600 cells" in result.stderr


def test_the_sample_of_h5py_refuses_factors_by_name(dataset):
    with relabel_hdf5.open(dataset) as maps:
        key = maps.key(0)
    command = [sys.executable, SAMPLES / "read_with_h5py.py", dataset / "labels-00000.h5", key]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1 and not found.stdout and "factors" in found.stderr


def test_xarray_refuses_factors_by_name(dataset):
    xarray = pytest.importorskip("xarray")
    with pytest.raises(UsageError, match="factors"):
        xarray.open_dataset(dataset, engine="relabel")
