"""LabelPooling of the Python package against spec/conformance/pooling, and what these vectors can see."""

import json
import math

import fixtures_factors
import numpy as np
import pytest
import torch
from conftest import ROOT
from pooling_reference import factors, header, reference_weights, with_numpy, with_swift, with_tensors

import relabel_hdf5
from relabel_hdf5 import BoxError, MapBatch, UsageError, geometry, pooling_torch

VECTORS = sorted((ROOT / "spec" / "conformance" / "pooling").glob("*.json"))


@pytest.fixture(params=[with_numpy, with_swift, with_tensors], ids=["numpy", "swift", "tensors"])
def pool(request, monkeypatch):
    """`label_pooling` with NumPy arrays in and out, computed by each of the three ways."""
    return request.param(monkeypatch)


@pytest.fixture(params=[with_numpy, with_tensors], ids=["numpy", "tensors"])
def python_pool(request, monkeypatch):
    """The ways whose weights can be replaced."""
    return request.param(monkeypatch)


def vector_header(case, labels):
    """The header of a case."""
    given = case["header"] | {"map_extent": tuple(case["header"]["map_extent"])}
    shape = {name: labels[name] for name in ("height", "width", "top_k")}
    return header(**given, **shape, has_factors="class_factor" in labels)


def pool_case(pool, case, maps):
    """The target of a case, and the covered share."""
    labels = maps[case["map"]]
    meaning = vector_header(case, labels)
    ids = np.array(labels["class_index"], np.uint32).reshape(1, *meaning.shape)
    scores = np.array(labels["score"], np.float32).reshape(1, *meaning.shape)
    batch = MapBatch(ids, scores, np.array([meaning.map_extent]), np.array([0]), meaning, *factors(labels))
    box = np.array([[float(side) for side in case["box"]]])
    result = pool(batch, box, case["profile"], case["outside"])
    targets, covered = result if case["outside"] == "clamp" else (result, [1])
    return targets[0], covered[0]


def check_case(pool, case, maps):
    """Asserts that a case gives what its file says, each probability within 1e-6."""
    if "refused" in case:
        with pytest.raises((BoxError, UsageError)):
            pool_case(pool, case, maps)
        return
    targets, covered = pool_case(pool, case, maps)
    expected = np.full(len(targets), case["expected"]["rest"], np.float64)
    expected[case["expected"]["class_index"]] = case["expected"]["probability"]
    assert np.abs(targets - expected).max() <= 1e-6, case["name"]
    assert abs(covered - case["expected"]["covered"]) <= 1e-6, case["name"]


def check_files(pool, paths):
    for path in paths:
        document = json.loads(path.read_text())
        for case in document["cases"]:
            check_case(pool, case, document["maps"])


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vectors(pool, path):
    check_files(pool, [path])


def test_vectors_of_factors_from_a_shard(library, tmp_path):
    """Stored, they give the same targets: the C library pools maps of factors from files alone."""
    document = json.loads((VECTORS[0].parent / "factors.json").read_text())
    for number, case in enumerate(document["cases"]):
        path = tmp_path / f"{number}.h5"
        fixtures_factors.of_vectors(case["header"], {"a": document["maps"][case["map"]]}).write(path)
        with relabel_hdf5.open(path) as maps:
            box = np.array([[[float(side) for side in case["box"]]]])
            found = maps.targets([0], box, profile=case["profile"], outside=case["outside"])
        targets, covered = found if case["outside"] == "clamp" else (found, np.ones((1, 1)))
        assert np.abs(targets[0, 0] - case["expected"]["probability"]).max() <= 1e-6, case["name"]
        assert abs(covered[0, 0] - case["expected"]["covered"]) <= 1e-6


def slow_weights(**mistakes):
    """`axis_weights` by the reference, for arrays and for tensors."""

    def weights(start, length, cells):
        pairs = zip(np.ravel(start).tolist(), np.ravel(length).tolist())
        values = np.array([reference_weights(*pair, cells, **mistakes) for pair in pairs])
        values = values.reshape(*np.shape(start), cells)
        return torch.from_numpy(values) if isinstance(start, torch.Tensor) else values

    return weights


def use_weights(monkeypatch, weights):
    monkeypatch.setattr(geometry, "axis_weights", weights)
    monkeypatch.setattr(pooling_torch, "axis_weights", weights)


def test_vectors_with_slow_weights(python_pool, monkeypatch):
    """The reference's own weights pass: what fails below fails because of the mistake."""
    use_weights(monkeypatch, slow_weights())
    check_files(python_pool, VECTORS)


def one_weight_off(start, length, cells):
    weights = slow_weights()(start, length, cells)
    weights[..., cells // 2] *= 1.001
    return weights


def axes_exchanged(boxes, transposed, right=geometry.axes_of_grid):
    return right(boxes, not transposed)


@pytest.mark.parametrize(
    "weights",
    [
        one_weight_off,
        slow_weights(rounded=float),
        slow_weights(count=lambda span: math.floor(span) + 1),
        slow_weights(count=lambda span: max(1, math.floor(span))),
        slow_weights(shortest=1e-3),
    ],
    ids=["weight", "float64", "next whole number", "floor", "below a cell"],
)
def test_vectors_find_wrong_weights(python_pool, monkeypatch, weights):
    """One weight off by a thousandth, the ceil of the exact span, and other mistakes are seen."""
    use_weights(monkeypatch, weights)
    with pytest.raises(AssertionError):
        check_files(python_pool, VECTORS)


def test_vectors_find_exchanged_axes(python_pool, monkeypatch):
    monkeypatch.setattr(geometry, "axes_of_grid", axes_exchanged)
    with pytest.raises(AssertionError):
        check_files(python_pool, VECTORS)
