"""relabel diff as a page, in Chromium: it says what the JSON document says, and names are names."""

import json

import browser as steering
import numpy as np
import pytest
from conftest import SAMPLES, pack, tool
from shard_writer import ANNOTATOR, CLASSES, class_table, write_shard

HOSTILE = ["<script>alert(1)</script>", "</script><b>bold</b>", "\u202eelif\u200b", "&lt;&amp;", "a\"'b"]


def page(folder, one, other, *options, code=1):
    """The page, and the document for programs."""
    result = tool("relabel", "diff", one, other, "-o", folder / "page.html", "--overwrite", *options)
    assert result.returncode == code, result.stderr
    said = tool("relabel", "diff", one, other, "--format", "json").stdout
    return folder / "page.html", json.loads(said)


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Samples with the maps of two pictures swapped, one missing and one transposed."""
    import torch

    folder = tmp_path_factory.mktemp("changed")
    files = sorted((SAMPLES / "maps").rglob("*.pt"))
    sources = {path: path for path in files[1:]}
    sources[files[2]], sources[files[3]] = files[3], files[2]
    for path, source in sources.items():
        goal = folder / "maps" / path.relative_to(SAMPLES / "maps")
        goal.parent.mkdir(parents=True, exist_ok=True)
        maps = torch.load(source, weights_only=True)
        torch.save(maps.transpose(-1, -2).contiguous() if path == files[4] else maps, goal)
    how = ("--orientation", "yx", "--classes", SAMPLES / "classes.tsv")
    for name, maps in [("a", SAMPLES / "maps"), ("b", folder / "maps")]:
        assert pack(maps, "--output", folder / name, *how).returncode == 0
    keys = [str(path.relative_to(SAMPLES / "maps").with_suffix("")) for path in files]
    return folder, keys


def test_page(browser, changed):
    folder, keys = changed
    path, said = page(folder, folder / "a", folder / "b", "--pictures", SAMPLES / "images")
    for width, scheme in [(1280, "light"), (390, "dark")]:
        browser.open(path, width=width, scheme=scheme)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
        assert browser.text("#verdict") == "≠ the labels differ"
    titles = [element.text for element in browser.all("article h3")]
    assert titles == [image["key"] for image in said["changed"]] and set(titles) == set(keys[2:5])
    assert len(browser.all("article img")) == 3 and len(browser.all("article figure svg")) == 6
    loaded = browser.run("return [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert loaded
    summary = browser.one("summary")
    assert summary.text == "Only in A: 1"
    browser.click(summary)
    assert browser.text("details li") == keys[0]
    for count in (said["ids"]["differing_cells"], said["ids"]["only_in_a"]):
        assert f"{count:,}" in browser.text("#page")
    crossed = browser.run(
        "return [...document.querySelectorAll('article')].map((article) => {"
        "  const crosses = article.querySelectorAll('svg')[1].querySelector('path[stroke]');"
        "  return (crosses.getAttribute('d').match(/M/g) ?? []).length; })"
    )
    assert sum(crossed) == said["ids"]["other_best"]
    steering.assert_accessible(browser)


def test_same(browser, tmp_path, sample_dataset):
    path, _ = page(tmp_path, sample_dataset, sample_dataset, code=0)
    browser.open(path)
    assert browser.text("#verdict") == "✓ the labels are the same"
    assert browser.all("article") == [] and "The headers are equal." in browser.text("#page")


def test_hostile_names(browser, tmp_path):
    table = [{**entry, "name": HOSTILE[c % 5] + "\x1b[2J\n"} for c, entry in enumerate(CLASSES)]
    document = {"annotator": {**ANNOTATOR, "name": HOSTILE[0]}, "classes": class_table(table)}
    one = write_shard(tmp_path / "a.h5", keys=HOSTILE, document=document)
    other = write_shard(tmp_path / "b.h5", keys=HOSTILE, seed=2, document=document)
    path, _ = page(tmp_path, one, other)
    browser.open(path)
    assert {element.get_attribute("textContent") for element in browser.all("article h3")} == set(HOSTILE)
    assert browser.all("b, script[src], iframe") == [] and browser.run("return document.scripts.length") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"height": 1, "width": 1, "k": 1},
        {"height": 60, "width": 130, "rows": 1, "k": 1},
        {"score_kind": "probability"},
        {"attributes": {"map_extent": np.array([0.5, 0, 0.5, 1], "<f4")}},
    ],
)  # fmt: skip
def test_unlike_shapes(browser, tmp_path, changes):
    """Maps that can't be laid over one another are drawn beside each other."""
    path, said = page(tmp_path, write_shard(tmp_path / "a.h5"), write_shard(tmp_path / "b.h5", **changes))
    browser.open(path)
    assert len(browser.all("article")) == len(said["changed"]) > 0
    assert "undefined" not in browser.text("#page") and "NaN" not in browser.text("#page")
    assert len(browser.all("article figure svg")) == 2 * len(said["changed"])
