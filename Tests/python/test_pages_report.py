"""relabel report: faults that are planted in a dataset stand at the top of its page, and are counted there."""

import json

import fixtures_factors
import fixtures_views
import numpy as np
import planted_maps
import pytest
from browser import assert_accessible
from conftest import SAMPLES, tool
from planted_maps import CLASSES, Maps
from shard_writer import class_table, write_shard

HOSTILE = ["<script>alert(1)</script>", "</script><b>", "\u202eelif\u200b.exe", "&lt;", "x" * 5000, "::error::", "a\"'b"]
# The fault, what the report calls it, and how many images of how many it is about.
PLANTED = [
    (planted_maps.shifted, "class-list-shifted", (320, 400)),
    (planted_maps.transposed, "grid-transposed", (None, None)),
    (planted_maps.of_others, "foreign-maps", (150, 200)),
    (planted_maps.constant, "constant-maps", (40, 400)),
    (planted_maps.repeated, "repeated-maps", (72, 400)),
]


def reported(folder, path, *options):
    """The document of a report, and the page with the same content."""
    folder.mkdir(exist_ok=True)
    page, document = folder / "report.html", folder / "report.json"
    for file, form in ((page, "html"), (document, "json")):
        result = tool("relabel", "report", path, "-o", file, "--format", form, "--quiet", *options)
        assert result.returncode == 0, result.stderr
        assert not result.stderr
    return json.loads(document.read_text()), page


def grave(report):
    return [matter["name"] for matter in report["matters"] if matter["gravity"] != "note"]


def test_a_sound_dataset_looks_sound(tmp_path, browser):
    report, page = reported(tmp_path, Maps.sound().write(tmp_path / "a.h5"))
    assert grave(report) == []
    assert report["labels"]["agreement"] > 0.85 and report["grid"]["lies"] == "upright"
    assert report["verdict"]["level"] == "quick" and report["verdict"]["errors"] == 0
    assert [sheet["name"] for sheet in report["sheets"]] == ["suspicious", "mixed", "surest"]
    browser.open(page)
    assert "Nothing here looks wrong" in browser.text("#first")
    assert_accessible(browser)


@pytest.mark.parametrize("plant, name, counted", PLANTED, ids=[plant.__name__ for plant, *_ in PLANTED])
def test_a_planted_fault_stands_first(plant, name, counted, tmp_path, browser):
    maps = Maps.sound()
    plant(maps)
    report, page = reported(tmp_path, maps.write(tmp_path / "a.h5"))
    first = report["matters"][0]
    assert first["name"] == name and first["gravity"] == "bad", report["matters"]
    if name == "class-list-shifted":
        assert report["labels"]["shift"] == 1 and first["count"] >= counted[0]
    elif name == "foreign-maps":
        assert counted[0] <= first["count"] <= counted[1] and report["labels"]["agreement"] < 0.55
    else:
        assert (first["count"], first["of"]) == counted
    browser.open(page)
    item = browser.all(".matters > li")[0]
    assert item.get_attribute("data-name") == name and first["title"] in item.text
    if first["count"]:
        assert f"{first['count']} of {first['of']}" in item.text
    browser.click(item.find_element("css selector", "a"))
    assert browser.run("return location.hash") == f"#{first['section']}"
    assert len(browser.all(f"[id='{first['section']}']")) == 1


def test_names_of_classes_and_keys_are_text(tmp_path, browser):
    names = (HOSTILE + [f"thing {number}" for number in range(CLASSES)])[:CLASSES]
    report, page = reported(tmp_path, Maps.sound(60).write(tmp_path / "a.h5", names))
    assert max(map(len, report["names"].values())) <= 130
    browser.open(page, width=390)
    assert browser.run("return document.querySelectorAll('main script, main b').length") == 0
    assert HOSTILE[0] in browser.text("#classes")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"


def test_pictures_stand_beside_their_maps(sample_dataset, tmp_path, browser):
    report, page = reported(tmp_path, sample_dataset, "--pictures", SAMPLES / "images")
    shown = [image for sheet in report["sheets"] for image in sheet["images"]]
    assert shown and all(image["picture"].startswith("data:image/jpeg;base64,") for image in shown)
    assert report["pictures_missing"] == 0 and page.stat().st_size < 3_000_000
    browser.open(page)
    sizes = browser.run("return [...document.images].map((picture) => picture.naturalWidth)")
    assert len(sizes) == 2 * len(shown) and min(sizes) > 50
    assert_accessible(browser)


def test_a_missing_program_is_named_before_the_work(sample_dataset, tmp_path):
    options = ("--pictures", SAMPLES / "images", "-o", tmp_path / "a.html")
    result = tool("relabel", "report", sample_dataset, *options, env={"PATH": "/nowhere"})
    assert result.returncode == 74 and "libvips-tools" in result.stderr
    assert not (tmp_path / "a.html").exists()


def test_nothing_is_overwritten_unasked(sample_dataset, tmp_path):
    there = tmp_path / "a.html"
    there.write_text("mine")
    assert tool("relabel", "report", sample_dataset, "-o", there).returncode == 64
    assert there.read_text() == "mine"
    assert tool("relabel", "report", sample_dataset, "-o", there, "--overwrite").returncode == 0
    assert there.read_text().startswith("<!doctype html>")


def test_marks_are_counted(tmp_path):
    marks = tmp_path / "marks.tsv"
    marks.write_text("train/n0001\tgood\t\ntrain/n0002\twrong-label\tit is a dog\ntrain/n0001\texclude\t\nno/such\tgood\t\n")
    report, _ = reported(tmp_path, Maps.sound(60).write(tmp_path / "a.h5"), "--marks", marks)
    assert report["marks"] == {"good": 0, "wrong_label": 1, "exclude": 1, "unknown": 1}
    marks.write_text("train/n0001\tfine\n")
    result = tool("relabel", "report", tmp_path / "a.h5", "-o", tmp_path / "b.html", "--marks", marks)
    assert result.returncode == 64 and "line 1" in result.stderr


def test_statistics_by_class_and_image(tmp_path):
    maps = Maps.sound(100)
    path = maps.write(tmp_path / "a.h5")
    result = tool("relabel", "stats", path, "--format", "json")
    rows = json.loads(result.stdout)
    assert [row["class_index"] for row in rows] == list(range(CLASSES))
    assert sum(row["labelled"] for row in rows) == 100 and sum(row["cells"] for row in rows) == 100 * 49
    lines = tool("relabel", "stats", path, "--by", "image", "--format", "tsv").stdout.splitlines()
    heads, *images = [line.split("\t") for line in lines]
    assert [image[heads.index("key")] for image in images] == [f"train/n{row:04}" for row in range(100)]
    assert [int(image[heads.index("label")]) for image in images] == maps.labels.tolist()
    one = json.loads(tool("relabel", "stats", path, "--by", "image", "--class", "c07", "--format", "json").stdout)
    assert one and all(7 in (image["label"], image["best"]) for image in one)
    assert tool("relabel", "stats", path, "--class", "none").returncode == 66


# ------------------------------------------------------------------------------ maps of unusual forms

LABELLED = {"optional": ("source_label",)}


def named(count, length=12):
    """The metadata document of many classes with long names; the first is blank."""
    classes = [{"id": f"n{place:08}", "index": place, "name": f"{place} {'name' * length}" if place else " "} for place in range(count)]
    return {"annotator": {"name": "x" * length * 500}, "classes": class_table(classes)}


UNUSUAL = {
    "no_image": lambda path: write_shard(path, rows=0),
    "one_image": lambda path: write_shard(path, rows=1, **LABELLED),
    "one_of_everything": lambda path: write_shard(path, rows=1, height=1, width=1, k=1, num_classes=1),
    "one_cell": lambda path: write_shard(path, rows=60, height=1, width=1, **LABELLED),
    "one_class_a_cell": lambda path: write_shard(path, rows=60, k=1, **LABELLED),
    "long_grid": lambda path: write_shard(path, rows=3, height=1, width=4096, k=2, images_per_chunk=1, **LABELLED),
    "large_grid": lambda path: write_shard(
        path, rows=2, height=255, width=255, k=1, images_per_chunk=1, ids=np.arange(2 * 255 * 255, dtype="<u2").reshape(2, 255, 255, 1) % 10),
    "many_classes": lambda path: write_shard(path, rows=8, num_classes=21_841, document=named(21_841), **LABELLED),
    "long_names": lambda path: write_shard(path, document=named(10, 2_500), keys=[f"{row}/{'k' * 200}" for row in range(5)]),
    "too_many_to_count": lambda path: write_shard(path, num_classes=3_000_000),
    "all_optional": lambda path: write_shard(path, k=10, optional=("source_label", "log_normalizer", "map_extent", "image_size")),
    "independent": lambda path: write_shard(path, classes_are="independent", **LABELLED),
    "views": lambda path: fixtures_views.shard(**LABELLED).write(path),
    "factors_of_nothing": lambda path: fixtures_factors.shard(
        given={"factor_scale": np.zeros((5, 3), "<f4"), "class_factor": np.full((5, 3, 10), 127, "u1")}).write(path),
    "no_range_of_scores": lambda path: write_shard(
        path, encoding="float32", scores=np.broadcast_to(np.array([3e38, 0, -3e38], "<f4"), (5, 3, 4, 3))),
    "coldest": lambda path: write_shard(path, attributes={"temperature": np.float64(5e-324)}),
}  # fmt: skip
REFUSED = {
    "too_many_to_pool": (lambda path: write_shard(
        path, num_classes=4_294_967_295, ids=np.arange(180, dtype="<u4").reshape(5, 3, 4, 3)), "a.h5", 64),
    "damaged": (lambda path: write_shard(
        path, column_changes={"score": {"stored": lambda number, chunk: chunk[:-1] + b"?" if number == 1 else chunk}}), "C008", 5),
    "key_outside": (lambda path: write_shard(path, keys=["a/../b", "c", "d", "e", "f"]), "V010", 1),
}  # fmt: skip


@pytest.mark.parametrize("form", UNUSUAL)
def test_unusual_maps_give_a_page_of_bounded_size(form, tmp_path):
    report, page = reported(tmp_path, UNUSUAL[form](tmp_path / "a.h5"))
    assert page.stat().st_size < 300_000
    assert ("no-images" in grave(report)) == (form == "no_image")
    for spread in filter(None, report["distributions"].values()):
        assert spread["images"] == report["dataset"]["images"] and all(np.isfinite([spread["mean"], *spread["quartiles"]]))
    assert all(name.strip() and len(name) <= 120 for name in report["names"].values())
    assert tool("relabel", "stats", tmp_path / "a.h5", "--by", "image").returncode == 0


@pytest.mark.parametrize("form", REFUSED)
def test_what_can_not_be_measured_is_refused_by_name(form, tmp_path):
    make, named, code = REFUSED[form]
    result = tool("relabel", "report", make(tmp_path / "a.h5"), "-o", tmp_path / "a.html", "--quiet")
    assert result.returncode == code and named in result.stderr and len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize("form", ["no_image", "long_names"])
def test_pages_of_unusual_maps_fit_a_phone(form, tmp_path, browser):
    _, page = reported(tmp_path, UNUSUAL[form](tmp_path / "a.h5"))
    browser.open(page, width=390)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"
    assert ("There is no image" in browser.text("#first")) == (form == "no_image")
    assert_accessible(browser)
