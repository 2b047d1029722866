"""The pages' own pooling (pooling.js), held in Chromium to every vector of spec/conformance/pooling."""

import json

import pytest
from conftest import ROOT

ASSETS = ROOT / "Sources" / "PageAssets" / "Files"
VECTORS = ROOT / "spec" / "conformance" / "pooling"
DOCUMENTS = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
# What the page is never asked: it draws no box that is none, and cuts each to what the map covers.
REFUSED = {"box_not_finite", "box_negative", "box_empty", "box_beyond", "outside_extent", "orientation_unknown", "not_square"}

POOL = """
const given = arguments[0];
return given.map(({header, map, box, profile}) => relabel.pool(header, map, box, profile));
"""


@pytest.fixture(scope="module")
def kernel(chromium, tmp_path_factory):
    """Chromium with a page that has nothing but the scripts which pages pool with."""
    scripts = "".join(f"<script>{(ASSETS / name).read_text()}</script>" for name in ("elements.js", "factors.js", "pooling.js"))
    page = tmp_path_factory.mktemp("kernel") / "page.html"
    page.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>kernel</title>{scripts}')
    return chromium.open(page)


def question(case, maps):
    """What a page would ask for a case."""
    labels = maps[case["map"]]
    header = {"classes_are": "exclusive", **case["header"], **{name: labels[name] for name in ("height", "width", "top_k")}}
    own = ("class_index", "score", "class_factor", "factor_scale")
    entries = {name: labels[name] for name in own if name in labels} | {"extent": header["map_extent"]}
    return {"header": header, "map": entries, "box": case["box"], "profile": case["profile"]}


@pytest.mark.parametrize("theme", [theme for theme in DOCUMENTS if theme != "refused"])
def test_vectors(kernel, theme):
    cases = DOCUMENTS[theme]["cases"]
    assert cases and all("expected" in case or case["refused"] in REFUSED | {"no_common_area"} for case in cases)
    answers = kernel.run(POOL, [question(case, DOCUMENTS[theme]["maps"]) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        if "expected" in case:
            assert_target(answer, case)
        elif case["refused"] == "no_common_area":
            assert answer is None, case["name"]
    kernel.assert_quiet()


def assert_target(answer, case):
    expected = case["expected"]
    assert answer is not None, case["name"]
    got = dict(answer["classes"])
    assert len(got) == len(answer["classes"]), f"{case['name']}: a class twice"
    wanted = dict(zip(expected["class_index"], expected["probability"], strict=True))
    # A class that one of the two leaves out has the rest's probability there.
    for class_index in got.keys() | wanted.keys():
        pooled = got.get(class_index, answer["rest"])
        assert pooled == pytest.approx(wanted.get(class_index, expected["rest"]), abs=1e-6), (case["name"], class_index)
    assert answer["others"] == case["header"]["num_classes"] - len(got)
    if expected["rest"] is not None:
        assert answer["rest"] == pytest.approx(expected["rest"], abs=1e-6), case["name"]
    assert answer["covered"] == pytest.approx(expected["covered"], abs=1e-6), case["name"]
    probabilities = [probability for _, probability in answer["classes"]]
    assert probabilities == sorted(probabilities, reverse=True), case["name"]


def test_boxes_beside_the_map_have_no_target(kernel):
    cases = [case for case in DOCUMENTS["refused"]["cases"] if case["refused"] == "no_common_area"]
    assert cases
    answers = kernel.run(POOL, [question(case, DOCUMENTS["refused"]["maps"]) for case in cases])
    assert answers == [None] * len(cases)
    kernel.assert_quiet()
