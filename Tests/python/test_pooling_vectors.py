"""The test vectors of LabelPooling: made as they say, complete, and able to see mistakes."""

import json
import math
import re
import subprocess
from fractions import Fraction

import numpy as np
import pooling_reference
import pytest
from conftest import ROOT
from pooling_reference import factors

from relabel_hdf5 import MapBatch

FOLDER = ROOT / "spec" / "conformance" / "pooling"
DOCUMENTS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CASES = [(case, document["maps"]) for document in DOCUMENTS.values() for case in document["cases"]]
SOLVED = [(case, maps) for case, maps in CASES if "expected" in case]
REASONS = {"box_not_finite", "box_negative", "box_empty", "box_beyond", "outside_extent", "no_common_area",
           "orientation_unknown", "not_square"}


# ------------------------------------------------------------------------------ what the files hold


def test_generator():
    """torchvision's roi_align gives the same targets again, and the released code agrees to 1e-5."""
    python = "/usr/bin/python3"
    found = subprocess.run([python, "-c", "import torchvision.ops"], capture_output=True, timeout=120)
    if found.returncode:
        pytest.skip("Debian's package python3-torchvision is not installed")
    command = [python, "-B", FOLDER / "generate.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = [int(count) for count in re.findall(r"^(\d+) ", result.stdout, re.M)]
    assert counts[0] == len(CASES) and counts[1] >= 40, result.stdout


def test_names_and_size():
    names = [case["name"] for case, _ in CASES]
    assert len(set(names)) == len(names) >= 200
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < 400_000


def entries(labels):
    """Class ids and scores of a map [y, x, rank]."""
    shape = labels["height"], labels["width"], labels["top_k"]
    return np.array(labels["class_index"]).reshape(shape), np.array(labels["score"]).reshape(shape)


@pytest.mark.parametrize("theme", DOCUMENTS)
def test_maps(theme):
    """Maps are as a shard may hold them: float32, in order, ids distinct, probabilities up to about 1."""
    for labels in DOCUMENTS[theme]["maps"].values():
        ids, scores = entries(labels)
        assert (scores == scores.astype(np.float32)).all() and np.isfinite(scores).all()
        if theme == "factors":
            assert (ids == np.arange(labels["top_k"])).all()
            assert len(labels["factor_scale"]) == labels["top_k"] and 0 < sum(labels["factor_scale"])
            assert all(scale == 0 or math.frexp(scale)[0] == 0.5 for scale in labels["factor_scale"])
            assert set(map(abs, labels["class_factor"])) <= set(range(128))
            continue
        order = np.lexsort((ids, -scores), axis=-1)
        assert (order == np.arange(labels["top_k"])).all()
        assert labels["top_k"] == 1 or np.diff(np.sort(ids)).min() > 0
    for case in DOCUMENTS[theme]["cases"]:
        ids, scores = entries(DOCUMENTS[theme]["maps"][case["map"]])
        assert 0 <= ids.min() and ids.max() < case["header"]["num_classes"]
        if case["header"]["score_kind"] != "logit" and "classes_are" not in case["header"]:
            values = np.exp(scores) if case["header"]["score_kind"] == "log_probability" else scores
            assert values.min() >= 0 and values.sum(-1).max() <= 1 + 1e-4


def test_answers():
    """A case is refused, or has a target that sums to 1 unless probabilities are missing."""
    for case, _ in CASES:
        assert ("refused" in case) != ("expected" in case), case["name"]
        if "refused" in case:
            continue
        answer, header = case["expected"], case["header"]
        others = header["num_classes"] - len(answer["class_index"])
        assert answer["class_index"] == sorted(set(answer["class_index"])) and others >= 0
        assert (answer["rest"] is None) == (others == 0), case["name"]
        total = math.fsum(answer["probability"]) + others * (answer["rest"] or 0)
        if "classes_are" in header:
            assert 0 < total <= header["num_classes"]
            continue
        if header["score_kind"] == "logit":
            assert abs(total - 1) < 1e-12
        assert 0 < total <= 1 + 1e-4
        assert 0 < answer["covered"] <= 1 and (answer["covered"] == 1 or case["outside"] == "clamp")


@pytest.mark.parametrize("wanted", [
    *({"score_kind": kind, "fill": fill} for kind, fill in pooling_reference.KINDS),
    *({"orientation": orientation, "profile": profile}
      for orientation in ("yx", "xy", "unknown") for profile in (None, "relabel", "relabel-2021")
      if (orientation, profile) != ("unknown", None)),
    *({"height": height, "width": width} for height, width in [(1, 1), (1, 5), (2, 9), (7, 12), (15, 15)]),
    *({"temperature": temperature} for temperature in (0.5, 1.0, 2.0)),
    *({"classes": "of factors", "top_k": k} for k in (1, 2, 3, 4, 5, 8, 11)),
    {"classes": "of factors", "orientation": "xy"}, {"classes": "of factors", "outside": "clamp"},
    *({"classes": "of factors", "temperature": temperature} for temperature in (0.5, 2.5)),
    *({"classes_are": "independent", "score_kind": kind} for kind in ("logit", "probability", "log_probability")),
    {"classes_are": "independent", "temperature": 2.5},
    {"top_k": 1}, {"top_k": 6, "num_classes": 6}, {"num_classes": 70_000}, {"outside": "clamp"},
    {"score_kind": "log_probability", "top_k": 4, "num_classes": 4, "fill": "uniform"},
    {"height": 3, "width": 8, "orientation": "xy"},
    {"map_extent": [0.125, 0.0625, 0.75, 0.875], "outside": "error", "orientation": "xy"},
    {"map_extent": [0.125, 0.0625, 0.75, 0.875], "outside": "clamp", "profile": "relabel-2021"},
], ids=str)  # fmt: skip
def test_there_is_a_case(wanted):
    """With these members in its header, its map or itself."""
    described = [{**maps[case["map"]], **case["header"], **case} for case, maps in SOLVED]
    described = [{**case, "classes": "of factors"} if "class_factor" in case else case for case in described]
    assert any(all(case.get(name) == value for name, value in wanted.items()) for case in described)


def test_there_are_scores_of_all_sizes():
    scores = [score for case, maps in SOLVED for score in maps[case["map"]]["score"]
              if case["header"]["score_kind"] == "logit" and "classes_are" not in case["header"]
              and "class_factor" not in maps[case["map"]]]  # fmt: skip
    assert min(scores) < -7 and 60 < max(scores) <= 61


def test_every_reason_to_refuse_occurs():
    assert {case["refused"] for case, _ in CASES if "refused" in case} == REASONS


# --------------------------------------------------------------- what the files see of another's mistakes


def vector_batch(case, labels):
    """The map of a case as a batch."""
    given = case["header"] | {name: labels[name] for name in ("height", "width", "top_k")}
    meaning = pooling_reference.header(**given | {"map_extent": tuple(given["map_extent"])})
    ids, scores = (values[None] for values in entries(labels))
    extent = np.array([meaning.map_extent])
    return MapBatch(ids, scores.astype(np.float32), extent, np.array([0]), meaning, *factors(labels))


def dense(case):
    """The whole target of a case."""
    answer = case["expected"]
    target = np.full(case["header"]["num_classes"], answer["rest"], np.float64)
    target[answer["class_index"]] = answer["probability"]
    return target


def differences(cases):
    """How far the reference, as it is now, is from each case."""
    for case, maps in cases:
        batch = vector_batch(case, maps[case["map"]])
        target = pooling_reference.reference(batch, 0, case["box"], case["profile"])
        yield np.abs(target - dense(case)).max()


F = np.float32


def rounded(edge, cells):
    """Both operations of section 13.3, each rounded to float32."""
    return F(edge) * F(cells) - F(0.5)


def fused(edge, cells):
    """One operation in place of two."""
    return F(float(F(edge)) * cells - 0.5)


def in_float64(edge, cells):
    return edge * cells - 0.5


def added(start, length):
    return start + length


def added_in_float32(start, length):
    return float(F(start) + F(length))


def of_span(span, length, cells):
    return math.ceil(span)


def of_exact_span(span, length, cells):
    """The samples of the span without rounding: a fraction of pixels."""
    return max(1, math.ceil(Fraction(length).limit_denominator(1000) * cells))


def weights(edge=rounded, far=added, samples=of_span):
    """Section 13.3 with each sample as a hat over the cells; the arguments are for making it wrong."""

    def axis_weights(start, length, cells):
        low, high = edge(start, cells), edge(far(start, length), cells)
        span = max(high - low, 1)
        count = samples(span, length, cells)
        places = float(low) + (np.arange(count) + 0.5) * float(span) / count
        distances = np.abs(places.clip(0, cells - 1)[:, None] - np.arange(cells))
        return (1 - distances).clip(0).mean(axis=0)

    return axis_weights


def test_reference(monkeypatch):
    """An independent reference gives the same: what is seen below is seen because of the mistake."""
    cases = [(case, maps) for case, maps in SOLVED if case["outside"] == "error"]
    assert max(differences(cases)) <= 1e-9
    monkeypatch.setattr(pooling_reference, "reference_weights", weights())
    assert max(differences(cases)) <= 1e-9


@pytest.mark.parametrize("mistake, least", [
    ({"samples": of_exact_span}, 6),
    ({"edge": fused}, 4),
    ({"edge": in_float64}, 2),
    ({"far": added_in_float32}, 2),
], ids=["ceil of the exact span", "fused", "float64", "far edge in float32"])  # fmt: skip
def test_mistakes_in_rounding_are_seen(monkeypatch, mistake, least):
    """Each changes several targets by more than 1e-4."""
    monkeypatch.setattr(pooling_reference, "reference_weights", weights(**mistake))
    cases = [(case, DOCUMENTS["rounding"]["maps"]) for case in DOCUMENTS["rounding"]["cases"]]
    assert sum(difference > 1e-4 for difference in differences(cases)) >= least
