"""relabel view as a page, in Chromium: what it shows, and that a crop's target is the one that relabel pool prints."""

import json

import pytest
import shard_writer
import view_shards
from browser import assert_accessible
from conftest import SAMPLES, tool, turned_picture
from PIL import Image
from shard_writer import write_shard

KEY = "n01443537/n01443537_00069"
HOSTILE = ["<script>alert(1)</script>", "</script><b>", "\u202eelif\u200b.exe", "&lt;", "x" * 5000, "::error::", "a\"'b"]


def written(folder, path, key, *options, name="map.html"):
    """The page that relabel view writes."""
    result = tool("relabel", "view", path, "--key", key, "-o", folder / name, *options)
    assert result.returncode == 0, result.stderr
    return folder / name


def pool(path, key, box, *options):
    """What relabel pool says of a box: probabilities by class, and the rest."""
    words = ("--format", "json", "--top", 100_000, *options)
    result = tool("relabel", "pool", path, "--key", key, "--box=" + ",".join(map(str, box)), *words)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    return {entry["class_index"]: entry["probability"] for entry in found["top"]}, found["rest"], found["covered"]


def shown(browser, section=0):
    """The classes and probabilities that a list of the page shows."""
    rows = browser.run(
        "return [...document.querySelectorAll('.targets section')[arguments[0]].querySelectorAll('li')]"
        ".map((row) => [Number(row.dataset.class), row.querySelector('data').value])",
        section,
    )
    return {class_index: float(value) for class_index, value in rows}


def fields(browser):
    """The box as its number fields say it."""
    return [float(browser.one(f"#crop-{side}").get_attribute("value")) for side in ("top", "left", "height", "width")]


def type_into(browser, selector, text):
    """Replaces what stands in a field, as a person does, and leaves it."""
    browser.run("arguments[0].focus(); arguments[0].select()", browser.one(selector))
    browser.press(text, "TAB")


def assert_pooled(browser, path, key, *options):
    """The crop's target, all of it and what is shown of it, is what relabel pool prints."""
    browser.wait("relabel.view.frameRequest == null")
    box = fields(browser)
    wanted, rest, covered = pool(path, key, box, *options)
    words = browser.text("#crop-words").split()
    assert words[words.index("--box") + 1] == ",".join(f"{side:g}" for side in box)
    got = shown(browser)
    assert len(got) == min(6, len(wanted))
    assert got == {name: pytest.approx(wanted[name], abs=1e-6) for name in got}
    assert min(got.values()) >= sorted(wanted.values(), reverse=True)[len(got) - 1] - 1e-6
    target = browser.run("const v = relabel.view; return relabel.pool(v.given.header, v.map, v.crop.box, v.profile)")
    assert dict(target["classes"]) == pytest.approx(wanted, abs=1e-6)
    if target["others"]:
        assert target["rest"] == pytest.approx(rest, abs=1e-6)
    assert target["covered"] == pytest.approx(covered, abs=1e-6)
    return box


@pytest.fixture(scope="module")
def sample_page(sample_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    return written(folder, sample_dataset, KEY, "--pictures", SAMPLES / "images")


@pytest.fixture
def sample(browser, sample_page):
    return browser.open(sample_page)


# -------------------------------------------------------------------------------------- the crop box


def test_mouse(sample, sample_dataset):
    """A drag moves the box, and a corner resizes it, by what the mouse moved."""
    stage = sample.one(".stage").size
    before = fields(sample)
    sample.drag(".crop", 80, 60)
    moved = assert_pooled(sample, sample_dataset, KEY)
    expected = [before[0] + 60 / stage["height"], before[1] + 80 / stage["width"]]
    assert moved[:2] == pytest.approx(expected, abs=2e-3) and moved[2:] == before[2:]
    sample.drag(".crop .nw", -100, -90)
    larger = assert_pooled(sample, sample_dataset, KEY)
    assert larger[2] == pytest.approx(moved[2] + 90 / stage["height"], abs=2e-3)
    assert larger[0] + larger[2] == pytest.approx(moved[0] + moved[2], abs=1e-4)
    # Beyond the edge the box stays within the picture.
    sample.drag(".crop", 600, 10)
    assert (box := assert_pooled(sample, sample_dataset, KEY))[1] + box[3] == pytest.approx(1)


def test_touch(browser, sample_page, sample_dataset):
    browser.open(sample_page, width=390, touch=True)
    before = fields(browser)
    browser.touch_drag(".crop", 40, -30)
    box = assert_pooled(browser, sample_dataset, KEY)
    assert box[1] > before[1] + 0.05 and box[0] < before[0] - 0.05
    browser.touch_drag(".crop .se", -30, 20)
    assert assert_pooled(browser, sample_dataset, KEY)[3] < box[3] - 0.05
    browser.resize(1280)


def test_keys_and_fields(sample, sample_dataset):
    sample.run("arguments[0].focus()", sample.one(".crop"))
    sample.press("ARROW_RIGHT", "ARROW_RIGHT", "ARROW_UP", "SHIFT+ARROW_LEFT", "SHIFT+ARROW_DOWN", "CONTROL+ARROW_DOWN")
    assert assert_pooled(sample, sample_dataset, KEY) == [0.241, 0.27, 0.51, 0.49]
    type_into(sample, "#crop-width", "0.1234")
    assert assert_pooled(sample, sample_dataset, KEY)[3] == 0.1234
    type_into(sample, "#crop-width", "7")
    box = assert_pooled(sample, sample_dataset, KEY)
    assert box[1] + box[3] <= 1


def test_profile(sample, sample_dataset):
    """relabel-2021 pools what lies under the dashed box: the crop's sides exchanged."""
    sample.click("input[value='relabel-2021']")
    sample.drag(".crop", 120, -60)
    assert_pooled(sample, sample_dataset, KEY, "--profile", "relabel-2021")
    assert "--profile relabel-2021" in sample.text("#crop-words")
    place = "const r = document.querySelector(arguments[0]).style; return [r.top, r.left, r.height, r.width].map(parseFloat)"
    top, left, height, width = sample.run(place, ".crop")
    assert sample.run(place, ".pooled") == pytest.approx([left, top, width, height])
    assert sample.one(".pooled").is_displayed()
    sample.click("input[value='relabel']")
    assert not sample.one(".pooled").is_displayed()
    assert_pooled(sample, sample_dataset, KEY)


def test_whole_image(sample, sample_dataset):
    wanted, _, _ = pool(sample_dataset, KEY, [0, 0, 1, 1])
    got = shown(sample, 1)
    assert got == {name: pytest.approx(wanted[name], abs=1e-6) for name in got}


def test_changes_are_announced(sample):
    sample.run("arguments[0].focus()", sample.one(".crop"))
    sample.press("ARROW_RIGHT", times=3)
    assert "goldfish" in sample.wait("document.getElementById('spoken').textContent")


def test_option_profile(browser, sample_dataset, tmp_path):
    page = written(tmp_path, sample_dataset, KEY, "--profile", "relabel-2021")
    assert browser.open(page).one("input[value='relabel-2021']").is_selected()
    assert_pooled(browser, sample_dataset, KEY, "--profile", "relabel-2021")


# ---------------------------------------------------------------------------------- cells and classes


def test_cells(sample, sample_dataset):
    """Each cell has its best class as its name; arrow keys go through them, and the entries follow."""
    labels = json.loads(tool("relabel", "show", sample_dataset, "--key", KEY, "--format", "json").stdout)
    cells = sample.all("[role=gridcell]")
    assert len(cells) == 225
    assert cells[0].get_attribute("aria-label").startswith("row 0, column 0: ")
    sample.run("arguments[0].focus()", cells[0])
    sample.press("ARROW_DOWN", "ARROW_DOWN", "ARROW_RIGHT")
    assert sample.focused().get_attribute("aria-label").startswith("row 2, column 1: ")
    assert [cell.get_attribute("tabindex") for cell in sample.all("[role=gridcell]")].count("0") == 1
    rows = sample.run("return [...document.querySelectorAll('#panel-cell tbody tr')].map((r) => r.children[3].textContent)")
    assert [float(row) for row in rows] == pytest.approx(labels["score"][2][1], rel=1e-3)
    assert "row 2, column 1" in sample.text("#panel-cell caption")
    # Under the mouse, too, within the crop box.
    sample.point(".stage", 5, 5)
    assert "row 7, column 7" in sample.text("#panel-cell caption")


def test_rank_and_class(sample):
    first = sample.text("#panel-legend")
    assert "goldfish" in first and "67." in first
    sample.run("arguments[0].focus()", sample.one("#rank"))
    sample.press("ARROW_RIGHT")
    assert sample.text("#panel-legend").startswith("Class at rank 2")
    search = sample.one("#class")
    search.send_keys("rock beauty")
    assert sample.text("#panel-legend").startswith("Probability of rock beauty")
    search.clear()
    search.send_keys("nothing of that name")
    assert sample.text("#class-words") == "no one class of this map"
    assert sample.run("return document.querySelectorAll('#classes option').length") == 140


def test_overlay(sample):
    sample.run("arguments[0].focus()", sample.one("#overlay"))
    sample.press("HOME")
    assert sample.run("return document.querySelector('canvas').style.opacity") == "0"


# -------------------------------------------------------------------------------------- for everybody


@pytest.mark.parametrize("width", [390, 1280])
def test_accessible(browser, sample_page, width):
    assert_accessible(browser.open(sample_page, width=width))
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_keyboard_reaches_everything(sample):
    reached = sample.reachable()
    ids = {place[1] for place in reached}
    assert {"rank", "class", "overlay", "crop-top", "crop-left", "crop-height", "crop-width"} <= ids
    labels = [place[2] for place in reached]
    assert "Crop box" in labels and any(label.startswith("row 0, column 0") for label in labels)
    assert any("relabel" == label for label in labels)


def test_size(sample_page):
    """A page is little more than its picture."""
    picture = (SAMPLES / "images" / f"{KEY}.JPEG").stat().st_size
    assert sample_page.stat().st_size < picture * 4 / 3 + 150_000


def test_picture_is_shown_as_stored(browser, tmp_path):
    """EXIF's wish for a rotation is told, and not followed."""
    turned_picture(tmp_path / "pictures" / "key0.jpg")
    write_shard(tmp_path / "a.h5", keys=["key0"], rows=1)
    page = written(tmp_path, tmp_path / "a.h5", "key0", "--pictures", tmp_path / "pictures")
    browser.open(page)
    assert "EXIF asks" in browser.text(".notes")
    browser.run("document.getElementById('overlay').value = 0; relabel.view.fade(); relabel.view.crop.element.hidden = true")
    browser.screenshot(tmp_path / "shot.png", whole=False)
    size = browser.one(".stage").size
    assert size["width"] == pytest.approx(2 * size["height"], rel=0.01)
    place = browser.one(".stage").location
    shot = Image.open(tmp_path / "shot.png").convert("RGB")
    middle = place["y"] + size["height"] * 0.9
    colours = [shot.getpixel((int(place["x"] + size["width"] * share), int(middle))) for share in (0.2, 0.8)]
    assert colours[0][2] > 200 > colours[0][0] and colours[1][0] > 200 > colours[1][2]


# ------------------------------------------------------------------------------------- unusual labels


@pytest.mark.parametrize("form", [
    {"height": 1, "width": 1}, {"k": 1}, {"height": 1, "width": 1, "k": 1}, {"height": 2, "width": 9},
    {"num_classes": 21_000, "k": 20, "document": {"annotator": None, "classes": None}},
    {"score_kind": "probability"}, {"score_kind": "log_probability"},
], ids=str)  # fmt: skip
def test_forms(browser, tmp_path, form):
    shard = tmp_path / "a.h5"
    write_shard(shard, rows=1, keys=["a"], **form)
    browser.open(written(tmp_path, shard, "a"))
    browser.drag(".crop", 30, 20)
    assert_pooled(browser, shard, "a")
    assert_accessible(browser, ["light"])
    if form.get("height", 3) != form.get("width", 4):
        assert not browser.one("input[value='relabel-2021']").is_enabled()


def test_large_grid(browser, tmp_path):
    """Of 65,025 cells the row of the current one has elements, and keys still go everywhere."""
    shard = tmp_path / "a.h5"
    write_shard(shard, rows=1, keys=["a"], height=255, width=255, k=2)
    page = written(tmp_path, shard, "a")
    assert page.stat().st_size < 4_000_000
    browser.open(page)
    assert len(browser.all("[role=gridcell]")) == 255
    browser.run("arguments[0].focus()", browser.all("[role=gridcell]")[0])
    browser.press("ARROW_DOWN", "ARROW_DOWN", "END")
    assert browser.focused().get_attribute("aria-label").startswith("row 2, column 254: ")
    browser.drag(".crop", 30, 20)
    assert_pooled(browser, shard, "a")


def test_extent(browser, tmp_path):
    """A crop that leaves what the map covers is cut, as with --outside clamp."""
    shard = tmp_path / "a.h5"
    extent = [0.125, 0.25, 0.5, 0.5]
    write_shard(shard, rows=1, keys=["a"], height=4, width=4, attributes={"map_extent": shard_writer.np.array(extent, "<f4")})
    browser.open(written(tmp_path, shard, "a"))
    browser.drag(".crop", -100, -80)
    assert_pooled(browser, shard, "a", "--outside", "clamp")
    assert "the map covers" in browser.text("#panel-targets")
    type_into(browser, "#crop-height", "0.1")
    type_into(browser, "#crop-top", "0.9")
    browser.wait("relabel.view.frameRequest == null")
    assert "there is no target" in browser.text("#panel-targets")


@pytest.mark.parametrize("orientation", ["xy", "unknown"])
def test_orientation(browser, tmp_path, orientation):
    shard = tmp_path / "a.h5"
    write_shard(shard, rows=1, keys=["a"], height=4, width=4, attributes={"orientation": orientation})
    browser.open(written(tmp_path, shard, "a"))
    first = browser.all("[role=gridcell]")[1].get_attribute("aria-label")
    assert first.startswith("row 1, column 0" if orientation == "xy" else "row 0, column 1")
    browser.drag(".crop", 40, -60)
    assert_pooled(browser, shard, "a", "--profile", "relabel")
    assert ("orientation unknown" in browser.text("main")) == (orientation == "unknown")
    browser.click("input[value='relabel-2021']")
    assert_pooled(browser, shard, "a", "--profile", "relabel-2021")
    assert browser.all("[role=gridcell]")[1].get_attribute("aria-label").startswith("row 1, column 0")
    # Both ways to lay the map run along the width now, so the crop lies where it is pooled.
    assert not browser.one(".pooled").is_displayed()


def test_hostile_names(browser, tmp_path):
    """Names and keys are text: cut where they are long, written out where they would steer."""
    key = "a<img src=x onerror=alert(1)>"
    classes = [{"id": f"n{place}", "index": place, "name": name} for place, name in enumerate(HOSTILE)]
    document = {"annotator": {"name": "</script><script>alert(2)</script>"}, "classes": shard_writer.class_table(classes)}
    write_shard(tmp_path / "a.h5", rows=1, keys=[key], num_classes=len(HOSTILE), document=document)
    browser.open(written(tmp_path, tmp_path / "a.h5", key))
    assert browser.text("h1") == key
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.run("return document.querySelectorAll('b, main img').length") == 0
    text = browser.run("return document.querySelector('main').textContent")
    assert "\u202e" not in text and "x" * 200 not in text
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(browser, ["dark"])


def test_without_picture(browser, sample_dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    browser.open(written(tmp_path, sample_dataset, KEY, "--pictures", tmp_path / "empty"))
    assert "there is no picture of this key" in browser.text(".notes")
    assert not browser.all("main img")
    assert_pooled(browser, sample_dataset, KEY)


# --------------------------------------------------------------------------------------------- views


@pytest.mark.parametrize("grid", [(1, 1), (3, 3)])
def test_views(browser, tmp_path, grid):
    """Views are boxes with numbers and classes; the one that is chosen shows its map."""
    rows = view_shards.crops(images=2, views=4)
    shard = tmp_path / "a.h5"
    rows.shard(height=grid[0], width=grid[1]).write(shard)
    key = rows.keys[0]
    browser.open(written(tmp_path, shard, key))
    assert len(browser.all(".stage rect.outline:not(.under)")) == 4
    assert len(browser.all("#view option")) == 4
    for number in (2, 0):
        browser.run("arguments[0].focus()", browser.one("#view"))
        browser.press("HOME", *["ARROW_DOWN"] * number)
        assert browser.run("return relabel.view.view.number") == number
        whole, _, _ = pool(shard, key, [0, 0, 1, 1], "--view", number)
        got = shown(browser, -1 if grid == (1, 1) else 1) if grid != (1, 1) else shown(browser)
        assert got == {name: pytest.approx(whole[name], abs=1e-6) for name in got}
        if grid != (1, 1):
            assert_pooled(browser, shard, key, "--view", number)
    assert browser.one(".crop").is_displayed() == (grid != (1, 1))
    assert_accessible(browser, ["light"])
    browser.open(written(tmp_path, shard, key, "--view", 3, name="three.html"))
    assert browser.run("return relabel.view.view.number") == 3


def test_mirrored_view(browser, tmp_path):
    """The cells and the crop of a mirrored view are mirrored on the picture."""
    rows = view_shards.crops(images=1, views=1)
    rows.columns |= {"view_flip": [1], "view_box": [[0.0, 0.0, 1.0, 0.5]]}
    rows.shard(height=2, width=4).write(tmp_path / "a.h5")
    browser.open(written(tmp_path, tmp_path / "a.h5", rows.keys[0]))
    stage, cell = browser.one(".stage").rect, browser.all("[role=gridcell]")[0].rect
    assert cell["x"] == pytest.approx(stage["x"] + stage["width"] * 3 / 8, abs=2)
    before = fields(browser)
    browser.drag(".crop", 40, 0)
    assert fields(browser)[1] < before[1]
    assert_pooled(browser, tmp_path / "a.h5", rows.keys[0])
