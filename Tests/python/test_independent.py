"""Classes that don't exclude each other: from the packer and the writer to targets, against plain h5py and NumPy."""

import json

import h5py
import numpy as np
import pytest
from conftest import pack, tool, verify

import relabel_hdf5
from relabel_hdf5 import RelabelError, UsageError, Writer

CLASSES, GRID, COUNT = 9, (2, 3), 12
KEYS = [f"a/{place:02}" for place in range(COUNT)]


def scores(kind):
    """Dense scores [n, C, H, W]; the probabilities of a cell sum to about 4.5."""
    logits = np.random.default_rng(2).normal(0, 3, (COUNT, CLASSES, *GRID))
    probability = 1 / (1 + np.exp(-logits))
    return {"logit": logits, "probability": probability, "log-probability": np.log(probability)}[kind].astype("f4")


def expected(kind, k, box_weights):
    """Targets [n, C]: the mean over cells of the probabilities that were kept."""
    dense = scores(kind).astype("f8")
    order = np.argsort(-dense, 1, kind="stable")[:, k:]
    probability = {"logit": lambda s: 1 / (1 + np.exp(-s)), "probability": lambda s: s, "log-probability": np.exp}[kind](dense)
    np.put_along_axis(probability, order, 0, 1)
    return np.einsum("nchw,hw->nc", probability, box_weights)


@pytest.mark.parametrize("k", [1, 4, CLASSES])
@pytest.mark.parametrize("kind", ["logit", "probability", "log-probability"])
@pytest.mark.parametrize("way", ["packer", "writer", "writer, sparse"])
def test_from_scores_to_targets(way, kind, k, tmp_path):
    if way == "packer":
        np.savez(tmp_path / "a.npz", **{"logits" if kind == "logit" else "probabilities": scores(kind), "keys": np.array(KEYS)})
        if kind == "log-probability":
            np.save(tmp_path / "a.npy", scores(kind))
        source = tmp_path / ("a.npy" if kind == "log-probability" else "a.npz")
        result = pack(source, "-o", tmp_path / "out", "--score-kind", kind, "--classes-are", "independent", "--top-k", k,
                      "--score-encoding", "float32", "--num-classes", CLASSES)  # fmt: skip
        assert result.returncode == 0, result.stderr
    else:
        given = scores(kind)
        if way == "writer, sparse":
            ids = np.argsort(-given, 1, kind="stable")[:, :k]
            given = np.moveaxis(ids, 1, -1), np.moveaxis(np.take_along_axis(given, ids, 1), 1, -1)
        with Writer(tmp_path / "out", num_classes=CLASSES, score_kind=kind.replace("-", "_"), classes_are="independent",
                    top_k=k, score_encoding="float32") as writer:  # fmt: skip
            writer.add_batch(KEYS, given)
    assert verify(tmp_path / "out")[0] == 0
    with h5py.File(tmp_path / "out" / "labels-00000.h5") as file:
        said = {name: file.attrs[name].decode() for name in ("format_version", "features_required", "classes_are", "fill")}
    assert said == {"format_version": "1.1", "features_required": "independent", "classes_are": "independent", "fill": "zero"}
    with relabel_hdf5.open(tmp_path / "out") as maps:
        assert maps.header.classes_are == "independent"
        order = np.argsort(maps.image_indexes())
        whole = maps.targets(order, np.tile([0.0, 0, 1, 1], (COUNT, 1)))
    np.testing.assert_allclose(whole, expected(kind, k, np.full(GRID, 1 / 6)), atol=1e-6)


def test_probabilities_above_one_ask_for_it(tmp_path):
    np.save(tmp_path / "a.npy", scores("probability"))
    result = pack(tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "probability")
    assert result.returncode != 0 and "give --classes-are independent where classes don't exclude each other" in result.stderr
    with pytest.raises(RelabelError, match="classes-are independent"):
        with Writer(tmp_path / "w", num_classes=CLASSES, score_kind="probability") as writer:
            writer.add_batch(KEYS, scores("probability"))


def test_what_has_no_meaning_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", scores("logit"))
    common = (tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "logit", "--classes-are", "independent")
    for option, words in (("--centre", "--centre shifts all logits"), ("--log-normalizer", "have no log_normalizer")):
        result = pack(*common, option)
        assert result.returncode == 64 and words in result.stderr
    with pytest.raises(UsageError, match="centre shifts all logits"):
        Writer(tmp_path / "w", num_classes=CLASSES, score_kind="logit", classes_are="independent", centre=True)


def test_the_commands_say_so(tmp_path):
    np.save(tmp_path / "a.npy", scores("logit"))
    assert pack(tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "logit", "--classes-are", "independent").returncode == 0
    info = tool("relabel", "info", tmp_path / "out")
    assert "logit, independent classes, absent ones zero" in info.stdout
    described = json.loads(tool("relabel", "info", tmp_path / "out", "--format", "json").stdout)
    assert described["classes_are"] == "independent"
    recovered = tool("relabel", "recover", tmp_path / "out", "--output", tmp_path / "again")
    assert recovered.returncode == 0, recovered.stderr
    one, other = (relabel_hdf5.open(tmp_path / name) for name in ("out", "again"))
    assert other.header.classes_are == "independent" and other.header.format_version == "1.1"
    np.testing.assert_array_equal(one.batch([0, 5]).score, other.batch([0, 5]).score)
