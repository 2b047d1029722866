"""The page of relabel browse in Chromium: by keyboard, by mouse, by phone, and read aloud."""

import json

import numpy as np
import pytest
from browser import assert_accessible
from conftest import SAMPLES, turned_picture
from running import packed
from shard_writer import write_shard
from test_browse import listing, serving
from test_pages_view import pool


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browse") / "dataset"
    packed(
        SAMPLES / "maps", "-o", folder, "--orientation", "yx", "--classes", SAMPLES / "classes.tsv",
        "--labels", "from-folders", "--images", SAMPLES / "images.txt",
    )  # fmt: skip
    return folder


@pytest.fixture
def server(dataset, tmp_path, browser):
    with serving(dataset, "--pictures", SAMPLES / "images", "--marks", tmp_path / "marks.tsv") as server:
        server.marks = tmp_path / "marks.tsv"
        server.wait(lambda state: state["measured"] == state["images"] and state["pictures"] == "ready")
        yield server
        leave(browser)


def leave(browser):
    """Leaves the page before its server ends, which it would ask for pictures."""
    browser.open("about:blank")


def opened(browser, server, **options):
    browser.open(server.address, **options)
    browser.wait("document.querySelectorAll('.tile').length > 1")
    return browser


def chosen(browser):
    return browser.text(".tile[aria-current] .key")


def marks(server):
    """Lines of the table, or none."""
    return server.marks.read_text().splitlines()[1:] if server.marks.exists() else []


def set_value(browser, label, value):
    """Chooses from the list with this label."""
    browser.run(
        "const s = [...document.querySelectorAll('label')].find((l) => l.firstChild.textContent === arguments[0]).querySelector('select, input');"
        "s.value = arguments[1]; s.dispatchEvent(new Event(s.tagName === 'SELECT' ? 'change' : 'input'))", label, value,
    )  # fmt: skip


def tiles(browser):
    return browser.run("return [...document.querySelectorAll('.tile .key')].map((e) => e.textContent)")


def test_images_are_listed_in_order_with_their_pictures(browser, server):
    opened(browser, server)
    assert tiles(browser) == listing()
    assert f"1 to {len(listing())} of {len(listing())}" in browser.text("[role=status]")
    # A photograph takes many bytes, a map alone few.
    browser.wait("document.querySelector('.tile canvas').toDataURL().length > 20000")
    assert "source:" in browser.all(".tile")[0].text and "suspicion" in browser.all(".tile")[0].text


def test_keyboard_alone_marks_notes_and_undoes(browser, server):
    opened(browser, server)
    names = listing()
    assert chosen(browser) == names[0]
    browser.run("document.querySelector('.tile[aria-current]').focus()")
    browser.press("j", "j", "k", "RIGHT")
    assert chosen(browser) == names[2]
    browser.press("3")
    browser.wait("document.querySelector('.tile[aria-current] .badge')?.textContent === 'Exclude'")
    assert marks(server) == [f"{names[2]}\texclude\t"]
    browser.press("2")
    browser.wait("document.querySelector('.tile[aria-current] .badge')?.textContent === 'Wrong label'")
    browser.press("n")
    browser.wait("document.activeElement.id === 'note'")
    browser.press(*"two cats 3", "TAB", "ENTER")
    browser.wait("document.querySelector('.tile[aria-current] .badge')?.textContent === 'Wrong label, note'")
    assert marks(server) == [f"{names[2]}\twrong-label\ttwo cats 3"]
    assert chosen(browser) == names[2]
    browser.wait("document.activeElement.closest('.tile, .marks') !== null")
    browser.press("u")
    browser.wait("document.querySelector('.tile[aria-current] .badge')?.textContent === 'Wrong label'")
    browser.press("u")
    browser.wait("document.querySelector('.tile[aria-current] .badge')?.textContent === 'Exclude'")
    browser.press("u")
    browser.wait("document.querySelector('.tile[aria-current] .badge') === null")
    assert marks(server) == []
    assert "Exclude: 0" in browser.text(".marks")


def test_buttons_do_the_same(browser, server):
    opened(browser, server)
    browser.click(browser.all(".tile")[3])
    assert chosen(browser) == listing()[3]
    good = browser.all(".marks button")[0]
    browser.click(good)
    browser.wait("document.querySelector('.marks button').getAttribute('aria-pressed') === 'true'")
    assert marks(server) == [f"{listing()[3]}\tgood\t"]
    assert browser.run("return document.activeElement === document.querySelector('.marks button')")


def test_pages_turn_and_the_focus_stays(browser, server):
    opened(browser, server)
    set_value(browser, "Images a page", "12")
    browser.wait("document.querySelectorAll('.tile').length === 12")
    next = next_button(browser)
    browser.run("arguments[0].focus()", next)
    browser.press("ENTER")
    browser.wait("document.querySelector('.tile .key').textContent === " + json.dumps(listing()[12]))
    assert browser.run("return document.activeElement.textContent") == "Next page"
    assert next_button(browser).get_attribute("aria-disabled") == "true"
    assert "13 to" in browser.text("[role=status]")
    browser.run("document.querySelector('.tile[aria-current]').focus()")
    browser.press("k")
    browser.wait("document.querySelectorAll('.tile').length === 12")
    assert chosen(browser) == listing()[11]
    assert browser.run("return document.activeElement.className") == "tile"
    browser.press("j")
    browser.wait("document.querySelector('.tile .key').textContent === " + json.dumps(listing()[12]))
    assert chosen(browser) == listing()[12]


def next_button(browser):
    return next(button for button in browser.all("main > .controls button") if button.text == "Next page")


def test_search_and_sort(browser, server):
    opened(browser, server)
    browser.run("document.querySelector('.tile').focus()")
    browser.press("/")
    assert browser.run("return document.activeElement.type") == "search"
    browser.press(*"n0210")
    browser.wait("document.querySelectorAll('.tile').length === " + str(sum("n0210" in key for key in listing())))
    set_value(browser, "Key", "")
    browser.wait(f"document.querySelectorAll('.tile').length === {len(listing())}")
    set_value(browser, "Class", listing()[0].split("/")[0])
    browser.wait(f"document.querySelectorAll('.tile').length < {len(listing())}")
    assert listing()[0] in tiles(browser)
    set_value(browser, "Class", "")
    browser.wait(f"document.querySelectorAll('.tile').length === {len(listing())}")
    set_value(browser, "Sort by", "suspicion")
    wanted = [image["key"] for image in server.images(order="suspicion")["images"]]
    browser.wait("document.querySelector('.tile .key').textContent === " + json.dumps(wanted[0]))
    assert tiles(browser) == wanted


def test_an_opened_image(browser, server):
    opened(browser, server)
    browser.run("document.querySelector('.tile').focus()")
    browser.press("ENTER")
    browser.wait("document.querySelector('dialog[open] .crop')")
    assert browser.text("#detail-title") == listing()[0]
    cells = browser.all("dialog [role=gridcell]")
    browser.run("arguments[0].focus()", cells[0])
    browser.press("DOWN", "RIGHT")
    assert browser.text("#own-panel-cell caption").startswith("Cell in row 1, column 1")
    browser.run("document.querySelector('#detail-title').focus()")
    browser.press("1")
    browser.wait("document.querySelector('.marks button').getAttribute('aria-pressed') === 'true'")
    assert_accessible(browser)
    browser.press("j")
    browser.wait("document.querySelector('#detail-title').textContent === " + json.dumps(listing()[1]))
    browser.press("ESCAPE")
    browser.wait("!document.querySelector('dialog[open]')")
    assert browser.run("return document.activeElement.querySelector('.key').textContent") == listing()[1]
    assert marks(server) == [f"{listing()[0]}\tgood\t"]


def assert_crop(browser, dataset, key):
    """The crop of an opened image has the target that relabel pool prints; its box."""
    browser.wait("(page => page.frameRequest == null)(relabel.opened[0])")
    box = [
        float(browser.one(f"#own-crop-{side}").get_attribute("value")) for side in ("top", "left", "height", "width")
    ]
    wanted, rest, _ = pool(dataset, key, box)
    target = browser.run(
        "const v = relabel.opened[0]; return relabel.pool(v.given.header, v.map, v.crop.box, v.profile)"
    )
    assert dict(target["classes"]) == pytest.approx(wanted, abs=1e-6) and target["rest"] == pytest.approx(
        rest, abs=1e-6
    )
    got = browser.run(
        "return [...document.querySelector('#own-panel-targets section').querySelectorAll('li')]"
        ".map((row) => [Number(row.dataset.class), Number(row.querySelector('data').value)])"
    )
    assert dict(got) == {name: pytest.approx(wanted[name], abs=1e-6) for name, _ in got} and len(got) == 6
    return box


def test_the_crop_of_an_opened_image(browser, server, dataset):
    """By mouse, keys and finger; it stays where it is when the next image is opened."""
    opened(browser, server)
    browser.run("document.querySelector('.tile').focus()")
    browser.press("ENTER")
    browser.wait("document.querySelector('dialog[open] .crop')")
    before = assert_crop(browser, dataset, listing()[0])
    browser.drag("dialog .crop", 50, 30)
    moved = assert_crop(browser, dataset, listing()[0])
    assert moved[0] > before[0] and moved[1] > before[1] and moved[2:] == before[2:]
    browser.drag("dialog .crop .se", 20, -10)
    assert assert_crop(browser, dataset, listing()[0])[2] < moved[2]
    browser.run("arguments[0].focus()", browser.one("dialog .crop"))
    browser.press("ARROW_LEFT", "SHIFT+ARROW_DOWN")
    kept = assert_crop(browser, dataset, listing()[0])
    assert browser.text("#detail-title") == listing()[0]
    browser.press("j")
    browser.wait("document.querySelector('#detail-title').textContent === " + json.dumps(listing()[1]))
    browser.wait("document.querySelector('dialog[open] .crop')")
    assert assert_crop(browser, dataset, listing()[1]) == kept
    browser.press("ESCAPE")
    opened(browser, server, width=390, touch=True)
    browser.run("document.querySelector('.tile').click(); document.querySelector('.tile').click()")
    browser.wait("document.querySelector('dialog[open] .crop')")
    browser.touch_drag("dialog .crop", 30, 20)
    assert assert_crop(browser, dataset, listing()[0]) != before
    assert browser.run("const d = document.querySelector('dialog'); return d.scrollWidth <= d.clientWidth")
    assert_accessible(browser)
    browser.resize(1280)


def test_pictures_are_shown_as_stored(browser, tmp_path):
    """EXIF's wish for a rotation is not followed: maps and boxes mean the picture as it is stored."""
    turned_picture(tmp_path / "pictures" / "a.jpg")
    write_shard(tmp_path / "a.h5", keys=["a"], rows=1, attributes={"map_extent": np.array([0, 0, 0.01, 0.01], "<f4")})
    pixels = (
        "const c = document.querySelector(arguments[0]); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "const at = (x) => [...d.slice(4 * (Math.floor(c.height * .8) * c.width + Math.floor(c.width * x)), 4 * (Math.floor(c.height * .8) * c.width + Math.floor(c.width * x)) + 3)];"
        "return [c.width / c.height, at(.2), at(.8)]"
    )
    with serving(tmp_path / "a.h5", "--pictures", tmp_path / "pictures") as server:
        server.wait(lambda state: state["pictures"] == "ready")
        browser.open(server.address)
        browser.wait(
            "document.querySelector('.tile canvas')?.width === 240 && document.querySelector('.tile canvas').height === 120"
        )
        browser.run("document.querySelector('.tile').click()")
        browser.wait("document.querySelector('dialog .picture')")
        for place in (".tile canvas", "dialog .picture"):
            ratio, left, right = browser.run(pixels, place)
            assert ratio == 2 and left[2] > 200 > left[0] and right[0] > 200 > right[2]
        leave(browser)


@pytest.mark.parametrize("width", [390, 1280])
def test_read_aloud_and_small(browser, server, width):
    opened(browser, server, width=width)
    assert_accessible(browser)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return [...document.querySelectorAll('[aria-live]')].length") >= 2
    reached = [label for _, _, label in browser.reachable()]
    for wanted in ("Key", "Class", "Sort by", "Previous page", "Next page", "Good", "Undo"):
        assert any(wanted in (label or "") for label in reached), (wanted, reached)


def test_two_datasets(browser, dataset, tmp_path):
    (tmp_path / "x.txt").write_text(listing()[0] + "\n")
    packed(SAMPLES / "maps", "-o", tmp_path / "few", "--orientation", "yx", "--exclude", tmp_path / "x.txt")
    with serving(dataset, "--compare", tmp_path / "few") as server:
        opened(browser, server)
        assert "not in the other dataset" in browser.all(".tile")[0].text
        assert len(browser.all(".tile:first-child canvas")) == 2 * len(listing())
        browser.run("document.querySelectorAll('.tile')[1].click(); document.querySelectorAll('.tile')[1].click()")
        browser.wait("document.querySelectorAll('dialog[open] .crop').length === 2")
        assert len(browser.all("dialog .cells")) == 2
        ids = browser.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert len(ids) == len(set(ids))
        assert "relabel browse with --marks" in browser.text(".marks")
        leave(browser)


def test_a_server_that_ended_is_said(browser, server):
    opened(browser, server)
    server.stop()
    browser.run("document.querySelector('.tile').focus()")
    browser.press("1")
    browser.wait("document.querySelector('[role=status]').className === 'bad'")
    assert "does not answer" in browser.text("[role=status]")
    # The failed request is all that the console complains of.
    assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in browser.complaints())
