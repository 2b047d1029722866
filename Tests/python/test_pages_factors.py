"""Maps of factors in relabel view, diff and browse, held to dense maps that h5py and NumPy make by the specification's formula."""

import xml.etree.ElementTree as ET

import fixtures_factors
import h5py
import numpy as np
import pytest
from browser import assert_accessible
from conftest import SAMPLES, tool
from difference_oracle import crops
from running import packed
from test_browse import serving
from test_diff import diff
from test_factors import logits, reference
from test_pages_browse import leave
from test_pages_diff import page
from test_pages_view import assert_pooled, pool, shown, written
from test_view_command import cells

from relabel_hdf5 import Writer

CLASSES = [line.split("\t")[1].strip() for line in (SAMPLES / "classes.tsv").read_text().splitlines()]
PACKING = ["--score-kind", "logit", "--orientation", "yx", "--classes", SAMPLES / "classes.tsv"]
KEY = "n01443537/n01443537_00069"
CELLS = "const v = relabel.view; const b = relabel.bestOfCells(v.given.header, v.map); return [[...b.ids], [...b.probabilities], [...b.scores]]"


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The same dense maps as factors, as rougher factors, and as the best five classes."""
    folder = tmp_path_factory.mktemp("factors")
    forms = {
        "factors": ["--maps", "factors"],
        "rough": ["--maps", "factors", "--quality", "0.01"],
        "classes": ["--centre"],
    }
    for name, options in forms.items():
        packed(SAMPLES / "dense", "-o", folder / name, *PACKING, *options)
    return folder


def maps_of(folder):
    """The dense maps of a dataset of factors by key: logits less their mean, [class, cell]."""
    shard = folder / "labels-00000.h5"
    with h5py.File(shard) as file:
        keys = [key.decode() if isinstance(key, bytes) else key for key in file["image_key"][:]]
    found = {key: logits(shard, row) for row, key in enumerate(keys)}
    return {key: dense - dense.mean(0) for key, dense in found.items()}


def probabilities(dense):
    powers = np.exp(dense - dense.max(0))
    return powers / powers.sum(0)


# ------------------------------------------------------------------------------------------ one image


@pytest.fixture(scope="module")
def view_page(datasets, tmp_path_factory):
    return written(tmp_path_factory.mktemp("view"), datasets / "factors", KEY, "--pictures", SAMPLES / "images")


def test_cells_show_the_dense_product(browser, view_page, datasets):
    browser.open(view_page)
    dense = maps_of(datasets / "factors")[KEY]
    wanted = probabilities(dense)
    ids, values, scores = (np.reshape(part, (225, 10)) for part in browser.run(CELLS))
    np.testing.assert_array_equal(ids, np.argsort(-dense, 0, "stable")[:10].T)
    np.testing.assert_allclose(values, np.take_along_axis(wanted, ids.T, 0).T, atol=1e-9)
    np.testing.assert_allclose(scores, np.take_along_axis(dense, ids.T, 0).T, atol=1e-9)
    # Cells that no factor reaches have one and the same probability for all classes.
    blank = [cell for cell in range(225) if not dense[:, cell].any()]
    assert 0 < len(blank) < 225 and f"{len(blank)} of 225 cells say nothing" in browser.text("#panel-legend")
    assert browser.all("[role=gridcell]")[blank[0]].get_attribute("aria-label").endswith(": all classes alike")
    told = next(cell for cell in range(225) if cell not in blank)
    best = CLASSES[ids[told, 0]]
    name = browser.all("[role=gridcell]")[told].get_attribute("aria-label")
    assert name == f"row {told // 15}, column {told % 15}: {best} {values[told, 0]:.1%}".replace("%", " %")
    assert "all 1,000 classes in each, as sums of" in browser.text("h1 + p")
    assert browser.one("#rank").get_attribute("max") == "10"
    # Any class has a heat map, whether it is among the best of a cell or not.
    rare = int(np.argmin(wanted.max(1)))
    found = browser.run(
        "const v = relabel.view; return relabel.shownCells(v.given.header, v.map, {classID: arguments[0]})", rare
    )
    np.testing.assert_allclose([value for _, value in found], wanted[rare], atol=1e-9)
    browser.one("#class").send_keys(str(rare))
    assert browser.text("#panel-legend").startswith(f"Probability of {CLASSES[rare]}")


def test_the_crop_is_what_relabel_pool_prints(browser, view_page, datasets):
    browser.open(view_page)
    browser.drag(".crop", 90, -40)
    box = assert_pooled(browser, datasets / "factors", KEY)
    target = browser.run("const v = relabel.view; return relabel.pool(v.given.header, v.map, v.crop.box, v.profile)")
    with h5py.File(datasets / "factors" / "labels-00000.h5") as file:
        row = [key.decode() for key in file["image_key"][:]].index(KEY)
    wanted = reference(datasets / "factors" / "labels-00000.h5", row, np.array([box]))[0]
    found = dict(target["classes"])
    np.testing.assert_allclose([found[place] for place in range(1000)], wanted, atol=1e-6)
    assert len(shown(browser)) == 6 and "994 more classes pooled" in browser.text("#panel-targets")
    browser.run("arguments[0].focus()", browser.one(".crop"))
    browser.press("ARROW_RIGHT", "SHIFT+ARROW_UP")
    assert assert_pooled(browser, datasets / "factors", KEY) != box
    browser.click("input[value='relabel-2021']")
    assert_pooled(browser, datasets / "factors", KEY, "--profile", "relabel-2021")
    assert_accessible(browser)


def test_a_page_is_small(view_page):
    picture = (SAMPLES / "images" / f"{KEY}.JPEG").stat().st_size
    assert view_page.stat().st_size - picture * 4 / 3 < 200_000


def test_drawing(datasets, tmp_path):
    result = tool("relabel", "view", datasets / "factors", "--key", KEY, "-o", tmp_path / "a.svg")
    assert result.returncode == 0, result.stderr
    dense = maps_of(datasets / "factors")[KEY]
    best, wanted = dense.argmax(0), probabilities(dense).max(0)
    titles = [title for _, title in cells(ET.parse(tmp_path / "a.svg").getroot())]
    assert [title.split(": ", 1)[1].rsplit(" ", 2)[0] for title in titles] == [CLASSES[place] for place in best]
    np.testing.assert_allclose([float(title.split(" ")[-2]) / 100 for title in titles], wanted, atol=6e-4)


def test_many_classes(browser, tmp_path):
    """21,841 classes without names, on a grid that is no square."""
    rng = np.random.default_rng(5)
    dense = np.einsum("fc,fyx->cyx", rng.normal(size=(3, 21_841)), rng.normal(size=(3, 4, 5))) * 3
    with Writer(tmp_path / "many", num_classes=21_841, score_kind="logit", maps="factors", orientation="yx") as writer:
        writer.add("a", dense.astype(np.float32))
    made = written(tmp_path, tmp_path / "many", "a")
    assert made.stat().st_size < 600_000
    browser.open(made)
    exact = maps_of(tmp_path / "many")["a"]
    ids, values, _ = (np.reshape(part, (20, 10)) for part in browser.run(CELLS))
    np.testing.assert_array_equal(ids[:, 0], exact.argmax(0))
    np.testing.assert_allclose(values[:, 0], probabilities(exact).max(0), atol=1e-9)
    browser.drag(".crop", 40, 20)
    assert_pooled(browser, tmp_path / "many", "a")


# --------------------------------------------------------------------------------------- two datasets


def expected(one, other, count=4, seed=0):
    """Targets of the random crops of both, by key."""
    return {
        key: [reference(path / "labels-00000.h5", row(path, key), np.array(crops(key, seed, count))) for path in (one, other)]
        for key in maps_of(one)
    }  # fmt: skip


def row(path, key):
    with h5py.File(path / "labels-00000.h5") as file:
        return [name.decode() for name in file["image_key"][:]].index(key)


def test_factors_with_factors(datasets):
    one, other = datasets / "factors", datasets / "rough"
    code, found = diff(one, other)
    assert (code, found["verdict"]) == (1, "differs") and found["a"]["has_factors"]
    pairs = expected(one, other).values()
    halves = np.concatenate([np.abs(a - b).sum(1) / 2 for a, b in pairs])
    divergences = np.concatenate([(a * np.log(a / b)).sum(1) for a, b in pairs])
    targets = found["targets"]
    assert (targets["crops"], targets["kl_defined"]) == (len(halves), len(halves))
    assert targets["mean_half_l1"] == pytest.approx(halves.mean(), abs=1e-6)
    assert targets["mean_kl"] == pytest.approx(divergences.mean(), abs=1e-5)
    assert targets["other_top"] == sum((a.argmax(1) != b.argmax(1)).sum() for a, b in pairs)
    a, b = (np.concatenate(list(maps_of(path).values()), 1) for path in (one, other))
    ids, best = found["ids"], [np.argsort(-dense, 0, "stable")[:5] for dense in (a, b)]
    both = [np.isin(best[0][:, cell], best[1][:, cell]).sum() for cell in range(a.shape[1])]
    assert (ids["in_both"], ids["only_in_a"]) == (sum(both), 5 * len(both) - sum(both))
    assert ids["other_best"] == (best[0][0] != best[1][0]).sum() == found["moved"]["cells"]["total"]
    # Scores are less the mean of the classes that are not among the best.
    kept = [np.take_along_axis(dense, places, 0) for dense, places in zip((a, b), best)]
    shifted = [dense - (dense.sum(0) - of.sum(0)) / (len(dense) - 5) for dense, of in zip((a, b), kept)]
    distances = [
        abs(shifted[0][place, cell] - shifted[1][place, cell])
        for cell in range(a.shape[1]) for place in set(best[0][:, cell]) & set(best[1][:, cell])
    ]  # fmt: skip
    assert found["scores"]["compared"] == len(distances) and found["scores"]["beyond_encodings"] is None
    assert found["scores"]["mean"] == pytest.approx(np.mean(distances), rel=1e-5)
    assert found["scores"]["max"] == pytest.approx(max(distances), rel=1e-5)
    assert diff(one, other, "--jobs", 1)[1] == diff(one, other, "--jobs", 3)[1]


def test_factors_with_classes(datasets):
    one, other = datasets / "factors", datasets / "classes"
    found = diff(one, other)[1]
    names = {fact["name"]: (fact["a"], fact["b"]) for fact in found["headers"] if fact["counts"]}
    assert names == {"classes kept in a cell": ("all", "5")}
    a = np.concatenate(list(maps_of(one).values()), 1)
    assert found["ids"]["in_both"] + found["ids"]["only_in_a"] == 5 * a.shape[1]
    # The targets of five classes are far from those of all, and those of factors near.
    assert 0.05 < found["targets"]["mean_half_l1"] < 0.6
    boxes = {key: (0.25, 0.25, 0.5, 0.5) for key in maps_of(one)}
    for key, box in boxes.items():
        assert len(pool(one, key, box)[0]) == 1000
    text = tool("relabel", "diff", one, other).stdout
    assert "8 factors" in text and "the best classes of each cell are compared" in text


def test_the_same_factors(datasets):
    assert diff(datasets / "factors", datasets / "factors")[1]["verdict"] == "same"


@pytest.mark.parametrize("isUsed", [True, False])
def test_other_numbers(tmp_path, isUsed):
    """A number of one class is another; of a factor that no cell has, no best class and no score shows it."""
    stored = np.random.default_rng(3).integers(0, 255, (5, 3, 4, 3)).astype("u1")
    stored[2, :, :, 0] = 130 if isUsed else 127
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for path, value in zip(paths, (9, 10)):
        fixtures_factors.with_number("class_factor", (2, 0, 4), value, stored=stored).write(path)
    code, found = diff(*paths)
    assert (code, found["verdict"], found["ids"]["differing_images"]) == (1, "differs", 1)
    assert (found["ids"]["other_factors"], found["scores"]["differing"] > 0) == (int(not isUsed), isUsed)


def test_page_of_two(browser, datasets, tmp_path):
    made, said = page(tmp_path, datasets / "factors", datasets / "rough", "--pictures", SAMPLES / "images")
    browser.open(made)
    assert len(browser.all("article")) == len(said["changed"]) == 4
    assert f"all 1,000, as {said['a']['top_k']} factors" in browser.all("table")[0].text
    titles = browser.run(
        "return [...document.querySelectorAll('article')].map((a) => a.querySelectorAll('path[stroke]').length)"
    )
    assert sum(count > 0 for count in titles) > 0
    assert_accessible(browser, ["light"])


# --------------------------------------------------------------------------------------------- browse


def test_browse(browser, datasets):
    dense = maps_of(datasets / "factors")
    with serving(datasets / "factors", "--compare", datasets / "classes", "--pictures", SAMPLES / "images") as server:
        server.wait(lambda state: state["pictures"] == "ready")
        image = next(image for image in server.images()["images"] if image["key"] == KEY)
        assert [found[0] for found in image["own"]["top"]] == list(np.argsort(-np.array(pool_whole(datasets, KEY)))[:3])
        browser.open(server.address)
        browser.wait("document.querySelectorAll('.tile').length === 4")
        ids = browser.run(
            "const at = arguments[0]; return fetch('/images?from=0&count=24', {headers: {'X-Relabel-Token': relabel.token}})"
            ".then((r) => r.json()).then((a) => [...relabel.unpacked(a.images.find((i) => i.at === at).own.map).best.ids])",
            image["at"],
        )  # fmt: skip
        np.testing.assert_array_equal(ids, dense[KEY].argmax(0))
        browser.run("document.querySelector('.tile').focus()")
        browser.press("ENTER")
        browser.wait("document.querySelectorAll('dialog[open] .crop').length === 2")
        assert "all 1,000 classes in each" in browser.text("dialog .sides")
        leave(browser)


def pool_whole(datasets, key):
    found = pool(datasets / "factors", key, (0, 0, 1, 1))[0]
    return [found[place] for place in range(1000)]
