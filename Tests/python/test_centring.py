"""Dense logits less the mean of the classes that a cell leaves out, against NumPy in float64."""

import json

import h5py
import numpy as np
import pytest
import torch
from conftest import pack, verify

import relabel_hdf5
from relabel_hdf5 import RelabelError, UsageError, Writer

CLASSES, GRID, COUNT = 12, (3, 4), 14
KEYS = [f"a/{place:02}" for place in range(COUNT)]


def logits(shift=0.0):
    """Those of a cell lie about a level of their own."""
    generator = np.random.default_rng(5)
    levels = generator.normal(0, 6, (COUNT, 1, *GRID))
    return (generator.normal(0, 4, (COUNT, CLASSES, *GRID)) + levels + shift).astype("f4")


def expected(scores, k=5):
    """Ids, centred scores and centred logarithms of sums [n, H, W, …]."""
    wide = scores.astype("f8")
    order = np.argsort(-wide, axis=1, kind="stable")
    means = np.take_along_axis(wide, order[:, k:], 1).mean(1, keepdims=True) if k < CLASSES else 0.0
    kept = np.take_along_axis(wide - means, order[:, :k], 1)
    normalizer = np.log(np.exp(wide - means).sum(1))
    return np.moveaxis(order[:, :k], 1, -1), np.moveaxis(kept, 1, -1), normalizer


def stored(folder):
    """The same of a dataset, in the order of keys."""
    with h5py.File(folder / "labels-00000.h5") as file, relabel_hdf5.open(folder) as maps:
        order = np.argsort(file["image_key"][:])
        rows = maps.batch(order)
        normalizer = file["log_normalizer"][:][order] if "log_normalizer" in file else None
        return rows.class_index, rows.score, normalizer


def agree(folder, scores, k=5, has_normalizer=True):
    ids, kept, normalizer = expected(scores, k)
    found = stored(folder)
    np.testing.assert_array_equal(found[0], ids)
    np.testing.assert_allclose(found[1], kept, atol=2e-5)
    assert has_normalizer == (found[2] is not None)
    if has_normalizer:
        np.testing.assert_allclose(found[2], normalizer, atol=2e-5)
    assert verify(folder)[0] == 0


def saved(scores, path, form):
    if form == "npz":
        np.savez(path / "a.npz", logits=scores, keys=np.array(KEYS))
        return path / "a.npz"
    for key, one in zip(KEYS, scores):
        file = path / "maps" / f"{key}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.asfortranarray(one) if form == "fortran" else one)
    return path / "maps"


@pytest.mark.parametrize("k", [1, 5, CLASSES])
@pytest.mark.parametrize("form", ["npy", "fortran", "npz"])
def test_the_packer_centres(form, k, tmp_path):
    source = saved(logits(), tmp_path, form)
    result = pack(source, "-o", tmp_path / "out", "--score-kind", "logit", "--centre", "--log-normalizer", "--top-k", k,
                  "--score-encoding", "float32", "--format", "json")  # fmt: skip
    assert result.returncode == 0, result.stderr
    agree(tmp_path / "out", logits(), k)
    assert json.loads((tmp_path / "out" / "index.json").read_text())["options"]["centre"] is True
    summary = json.loads(result.stdout)
    assert summary["doubts"] == []
    assert summary["cut"]["mean_distance"] == pytest.approx(summary["cut"]["mean_distance_centred"], abs=1e-6)


FORMS = {
    "float64": lambda scores: scores.astype("f8"), "float32": lambda scores: scores, "tensor": torch.from_numpy,
    "another device's": lambda scores: torch.from_numpy(scores).to("cpu").requires_grad_(),
}  # fmt: skip


@pytest.mark.parametrize("k", [1, 5, CLASSES])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_batch", [True, False])
def test_the_writer_centres(is_batch, form, k, tmp_path):
    scores = FORMS[form](logits())
    sums = np.log(np.exp(logits().astype("f8")).sum(1))
    with Writer(tmp_path / "out", num_classes=CLASSES, score_kind="logit", centre=True, top_k=k, score_encoding="float32") as writer:  # fmt: skip
        if is_batch:
            writer.add_batch(KEYS, scores, log_normalizer=sums)
        else:
            for place, key in enumerate(KEYS):
                writer.add(key, scores[place], log_normalizer=sums[place])
    agree(tmp_path / "out", logits(), k)


def test_a_shift_of_all_logits_changes_no_label(tmp_path):
    for name, shift in (("plain", 0), ("lower", -64), ("higher", 64)):
        np.save(tmp_path / f"{name}.npy", logits(shift))
        result = pack(tmp_path / f"{name}.npy", "-o", tmp_path / name, "--score-kind", "logit", "--centre",
                      "--score-encoding", "float32")  # fmt: skip
        assert result.returncode == 0, result.stderr
    plain = stored(tmp_path / "plain")
    for name in ("lower", "higher"):
        ids, scores, _ = stored(tmp_path / name)
        np.testing.assert_array_equal(ids, plain[0])
        np.testing.assert_allclose(scores, plain[1], atol=5e-5)


def test_a_score_that_is_not_finite_is_named(tmp_path):
    scores = logits()
    scores[3, 7, 2, 1] = np.inf
    np.save(tmp_path / "a.npy", scores)
    result = pack(tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "logit", "--centre")
    assert result.returncode != 0 and "class 7" in result.stderr, result.stderr
    with pytest.raises(RelabelError, match="class 7 is inf"):
        with Writer(tmp_path / "w", num_classes=CLASSES, score_kind="logit", centre=True) as writer:
            writer.add_batch(KEYS, scores)


def test_what_can_not_be_centred_is_refused(tmp_path):
    ids, kept, _ = expected(logits())
    np.savez(tmp_path / "sparse.npz", class_index=ids.astype("u2"), score=kept.astype("f4"), keys=np.array(KEYS))
    result = pack(tmp_path / "sparse.npz", "-o", tmp_path / "out", "--score-kind", "logit", "--num-classes", CLASSES, "--centre")
    assert result.returncode != 0 and "the mean of the others is not known" in result.stderr
    np.save(tmp_path / "a.npy", logits())
    result = pack(tmp_path / "a.npy", "-o", tmp_path / "out", "--score-kind", "probability", "--centre")
    assert result.returncode == 64 and "--centre does not go with probability scores" in result.stderr
    with pytest.raises(UsageError, match="centre does not go with probability"):
        Writer(tmp_path / "w", num_classes=CLASSES, score_kind="probability", centre=True)
    with Writer(tmp_path / "w", num_classes=CLASSES, score_kind="logit", centre=True, score_encoding="float32") as writer:
        with pytest.raises(UsageError, match="the mean of the others is not known"):
            writer.add_batch(KEYS, (ids, kept.astype("f4")))
        writer.add_batch(KEYS, logits())
    agree_ids = stored(tmp_path / "w")[0]
    np.testing.assert_array_equal(agree_ids, ids)



def test_a_writer_that_centres_does_not_go_on_behind_one_that_did_not(tmp_path):
    """Shards of other logits are not kept, whoever has subtracted the mean."""
    settings = {"num_classes": CLASSES, "score_kind": "logit", "images_per_shard": 5}
    with Writer(tmp_path / "out", **settings) as writer:
        writer.add_batch(KEYS[:10], logits()[:10])
    (tmp_path / "out" / "index.json").unlink()
    with pytest.raises(RelabelError):
        with Writer(tmp_path / "out", **settings, centre=True, resume=True) as writer:
            writer.add_batch(KEYS[10:], logits()[10:])
    assert not (tmp_path / "out" / "index.json").exists()
    with Writer(tmp_path / "out", **settings, resume=True) as writer:
        assert len(writer.done) == 10
        writer.add_batch(KEYS[10:], logits()[10:])
    assert "centre" not in json.loads((tmp_path / "out" / "index.json").read_text())["options"]
    with Writer(tmp_path / "centred", **settings, centre=True) as writer:
        writer.add_batch(KEYS, logits())
    assert json.loads((tmp_path / "centred" / "index.json").read_text())["options"]["centre"] is True
