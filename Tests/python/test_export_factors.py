"""Exports of maps of factors (spec, section 4.11), against all logits by h5py and NumPy."""

import json

import h5py
import numpy as np
import pytest
from conftest import SAMPLES, pack
from safetensors.numpy import load_file

import relabel_hdf5
from relabel_hdf5.exporting.options import Options
from relabel_hdf5.exporting.session import export


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("factors") / "dataset"
    result = pack(SAMPLES / "dense", "--output", folder, "--score-kind", "logit", "--maps", "factors")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def wanted(dataset):
    """All logits [C, H, W] of each image by its key, less the mean of each cell."""
    found = {}
    with h5py.File(dataset / "labels-00000.h5") as file:
        score = file["score"]
        for row, key in enumerate(file["image_key"]):
            amounts = score[row] * float(score.attrs["scale_factor"]) + float(score.attrs["add_offset"])
            numbers = file["class_factor"][row].astype(float) - 127
            logits = np.einsum("yxf,fc,f->cyx", amounts, numbers, file["factor_scale"][row].astype(float))
            found[key.decode()] = logits - logits.mean(0)
    return found


def softmax(logits):
    powers = np.exp(logits - logits.max(0))
    return powers / powers.sum(0)


def test_dense_forms_give_all_logits(dataset, wanted, tmp_path):
    done = export([dataset], "npz", tmp_path / "a.npz", Options(dense=True))
    assert not any("filled in" in loss for loss in done.losses)
    assert any("less their mean" in loss for loss in done.losses)
    export([dataset], "safetensors", tmp_path / "a.safetensors", Options(dense=True))
    export([dataset], "npy", tmp_path / "npy", Options(dense=True))
    archive, tensors = np.load(tmp_path / "a.npz"), load_file(tmp_path / "a.safetensors")
    for place, key in enumerate(archive["keys"]):
        right = wanted[key.decode()]
        for found in (archive["logits"][place], tensors["logits"][place], np.load(tmp_path / "npy" / f"{key.decode()}.npy")):
            np.testing.assert_allclose(found, right, atol=1e-5)


@pytest.mark.parametrize("form, file", [("npz", "a.npz"), ("safetensors", "a.safetensors")])
def test_sparse_forms_give_the_best_classes(dataset, wanted, tmp_path, form, file):
    done = export([dataset], form, tmp_path / file)
    assert any("995 of 1,000 classes" in loss for loss in done.losses), done.losses
    found = np.load(tmp_path / file) if form == "npz" else load_file(tmp_path / file)
    keys = keys_as_listed(dataset)
    for place, key in enumerate(keys):
        check_best(found["class_index"][place], found["score"][place], wanted[key])


def keys_as_listed(dataset):
    with relabel_hdf5.open(dataset) as maps:
        positions = np.argsort(maps.image_indexes(), kind="stable")
        return [maps.key(int(place)) for place in positions]


def check_best(ids, scores, logits):
    """Five classes [H, W, k] of each cell; their logits less the mean of all others."""
    ids = ids.astype(int)
    order = np.moveaxis(np.argsort(-logits, 0, kind="stable")[:5], 0, -1)
    assert (ids == order).all()
    kept = np.take_along_axis(logits, np.moveaxis(order, -1, 0), 0)
    rest = (logits.sum(0) - kept.sum(0)) / (len(logits) - 5)
    np.testing.assert_allclose(scores, np.moveaxis(kept - rest, 0, -1), atol=1e-5)


def test_files_of_relabel(dataset, wanted, tmp_path):
    import torch

    done = export([dataset], "relabel", tmp_path / "maps")
    assert any("995 of 1,000 classes" in loss for loss in done.losses)
    paths = sorted((tmp_path / "maps").rglob("*.pt"))
    assert len(paths) == len(wanted)
    for path in paths:
        key = next(key for key in wanted if key.endswith(path.stem))
        scores, ids = torch.load(path).numpy().transpose(0, 2, 3, 1)
        check_best(ids, scores, wanted[key])


@pytest.mark.parametrize("rule", ["mean-softmax", "pooled-softmax", "max"])
def test_labels_of_images_come_from_all_classes(dataset, wanted, tmp_path, rule):
    export([dataset], "cleanlab", tmp_path / "out", Options(rule=rule))
    files = {path.name: path for path in (tmp_path / "out").rglob("*.npy")}
    assert "pred_probs.npy" in files, files
    found = np.load(files["pred_probs.npy"])
    for key, row in zip(keys_as_listed(dataset), found):
        logits = wanted[key]
        if rule == "pooled-softmax":
            # The box of the whole picture gives the same weight to all cells.
            right = softmax(logits.mean((1, 2)))
        else:
            right = softmax(logits).mean((1, 2)) if rule == "mean-softmax" else softmax(logits).max((1, 2))
        np.testing.assert_allclose(row, right, atol=2e-6)


def test_the_description_says_what_is_lost(dataset, tmp_path):
    export([dataset], "tokenlabeling", tmp_path / "out")
    described = [json.loads(path.read_text()) for path in tmp_path.rglob("*export.json")]
    assert any("995 of 1,000 classes" in loss for document in described for loss in document["losses"])
