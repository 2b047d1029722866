"""What label maps show of themselves: in notebooks, and over their pictures."""

import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from conftest import ROOT, SAMPLES
from matplotlib import pyplot
from PIL import Image
from shard_writer import class_table, write_shard

import relabel_hdf5
from relabel_hdf5 import UsageError, Writer, label_pooling
from relabel_hdf5.exporting.image_labels import mean_softmax
from relabel_hdf5.showing.cells import GREY, PALETTE, cells_of

matplotlib.use("Agg")
GOLDFISH = "n01443537/n01443537_00069"
HOSTILE = '<script>alert("1")</script> & $\\frac{1}$ \x1b[31m\u202e\n_'
VOID = {"img", "br"}


@pytest.fixture(scope="module")
def maps(sample_dataset):
    with relabel_hdf5.open(sample_dataset) as opened:
        yield opened


@pytest.fixture(autouse=True)
def figures():
    yield
    pyplot.close("all")


def picture_of(key):
    return SAMPLES / "images" / f"{key}.JPEG"


def one_map(path, **changes):
    """The first map of a shard of one's own."""
    return relabel_hdf5.open(write_shard(path, **{"rows": 1, "images_per_chunk": 1, **changes}))[0]


class Page(HTMLParser):
    """The elements and texts of a page, whose tags have to be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


# ------------------------------------------------------------------------------------------------ cells


def test_the_cells_are_those_of_the_map(maps):
    map = maps[GOLDFISH]
    cells = cells_of(map)
    assert np.array_equal(cells.best, map.class_index[..., 0])  # the best entry of a cell comes first
    assert [one.label for one in cells.leading][0] == "1 goldfish, Carassius auratus"
    counts = [(cells.best == one.class_index).sum() for one in cells.leading]
    assert counts == [one.cells for one in cells.leading] == sorted(counts, reverse=True)
    assert sum(counts) + cells.other_cells == 225 and len(cells.leading) == len(PALETTE)
    # Means and the probability of a cell, by code of their own.
    expected = mean_softmax(maps.batch([map.position]))[0]
    assert [one.mean for one in cells.leading] == pytest.approx([expected[one.class_index] for one in cells.leading], rel=1e-5)
    logits = np.zeros(1000)
    logits[map.class_index[3, 4]] = map.score[3, 4]
    assert cells.probability[3, 4] == pytest.approx((np.exp(logits) / np.exp(logits).sum()).max(), rel=1e-5)


@pytest.mark.parametrize(("orientation", "profile", "is_turned"), [
    ("yx", None, False), ("xy", None, True), ("unknown", None, False), ("unknown", "relabel-2021", True),
    ("yx", "relabel-2021", True), ("xy", "relabel", True),
])  # fmt: skip
def test_how_a_grid_lies(orientation, profile, is_turned, tmp_path):
    """As `label_pooling` takes it: a crop of one cell has that cell's best class."""
    map = one_map(tmp_path / "x.h5", attributes={"orientation": orientation}, height=4, width=4, cell_order="class", seed=3)
    cells = cells_of(map, profile)
    best = np.take_along_axis(map.class_index, map.score.argmax(-1)[..., None], -1)[..., 0]
    assert np.array_equal(cells.best, best.T if is_turned else best)
    named = profile or ("relabel" if orientation == "unknown" else None)
    box = (0.25, 0.5, 0.25, 0.25)  # the cell in row 1, column 2 of the picture
    assert label_pooling(map, box, named).argmax() == cells.best[1, 2]


def test_cells_that_there_are_not(maps, tmp_path):
    for classes in (0, 9):
        with pytest.raises(UsageError, match=f"classes is {classes}; there are colours for 1 to 8"):
            maps[0].plot(classes=classes)
    with pytest.raises(UsageError, match="not defined for a grid of 3x4"):
        one_map(tmp_path / "x.h5").plot(profile="relabel-2021")


# --------------------------------------------------------------------------------------------- notebooks


def test_a_map_in_a_notebook(maps):
    page = Page(maps[GOLDFISH]._repr_html_())
    assert GOLDFISH in page.text and "15×15 cells, 5 of 1,000 classes in each" in page.text
    (grid,) = page.all("svg")
    assert grid["role"] == "img" and grid["aria-label"].startswith(f"Label map of {GOLDFISH}, 15 by 15 cells. Best class: 1 gold")
    squares = page.all("rect")
    assert len(squares) == 225 and {square["fill"] for square in squares} == {*PALETTE, GREY}
    assert page.text.count("row 7, column 7: 1 goldfish") == 1
    assert "1 goldfish, Carassius auratus68 %45 %" in page.text and "23 other13 %" in page.text
    scopes = [header["scope"] for header in page.all("th")]
    assert scopes == ["col"] * 4 + ["row"] * 9


def test_a_page_keeps_the_colours_of_its_notebook(maps):
    """Text has the notebook's own colour and ground: what can be read there can be read here, in the dark, too."""
    for text in (maps[0]._repr_html_(), maps._repr_html_()):
        page = Page(text)
        styles = " ".join(attributes.get("style", "") for _, attributes in page.tags)
        # A ground is given to the swatches alone, which hold no text.
        assert len(re.findall("background", styles)) == len([a for a in page.all("span") if a["aria-hidden"] == "true"])
        assert set(re.findall(r"(?<![-\w])color:(\w+)", styles)) == {"inherit"} and "opacity" not in styles
        assert not {"style", "script", "link"} & {tag for tag, _ in page.tags}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize(("size", "classes", "k"), [((255, 255), 21_000, 1), ((32, 32), 21_000, 5), ((1, 1), 2, 1), ((1, 255), 300, 3)])
def test_any_map_gives_a_page_of_bounded_size(size, classes, k, tmp_path):
    """Hostile names, most classes, largest grids: names are names, and a page is at most 300 kB."""
    generator = np.random.default_rng(0)
    height, width = size
    cells = height * width
    ids = np.array([generator.choice(classes, k, False) for _ in range(cells)], np.uint16).reshape(1, height, width, k)
    table = class_table([{"index": place, "name": HOSTILE + "<&" * 30} for place in range(classes)])
    map = one_map(
        tmp_path / "x.h5", height=height, width=width, k=k, num_classes=classes, ids=ids,
        keys=['<img src=x onerror="alert(1)">/' + "<" * 200], document={"annotator": None, "classes": table},
    )  # fmt: skip
    text = map._repr_html_()
    assert len(text.encode()) < 300_000
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= {
        "figure", "figcaption", "strong", "br", "div", "svg", "rect", "title", "img", "table", "caption", "thead", "tbody",
        "tr", "th", "td", "span",
    }  # fmt: skip
    assert "<script>alert(" in page.text and "<img src=x onerror=" in page.text
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", text) and "\\x1b[31m\\u202e\\n" in page.text
    grid = (page.all("svg") + page.all("img"))[0]
    assert grid["role"] == "img" and "script" in (grid.get("aria-label") or grid["alt"])
    assert len(map._repr_png_()) > 1000
    map.plot().figure.savefig(io.BytesIO())


def test_a_large_grid_is_an_image_of_a_pixel_a_cell(tmp_path):
    import base64

    map = one_map(tmp_path / "x.h5", height=40, width=60, score_kind="probability")
    (image,) = Page(map._repr_html_()).all("img")
    assert (image["width"], image["height"]) == ("300", "200")
    drawn = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
    drawn.load()
    pixels = np.asarray(drawn.convert("RGBA"))
    cells = cells_of(map)
    colours = [tuple(bytes.fromhex(colour[1:])) for colour in (*PALETTE[: len(cells.leading)], GREY)]
    assert pixels.shape == (40, 60, 4)
    assert [tuple(pixel[:3]) for row in pixels.tolist() for pixel in row] == [colours[slot] for slot in cells.slot.ravel()]
    opacity = 0.15 + 0.85 * cells.probability
    assert np.abs(pixels[..., 3] / 255 - opacity).max() < 0.85 / 16 + 0.01


def test_a_dataset_in_a_notebook(maps, tmp_path):
    page = Page(maps._repr_html_())
    for text in ("images18", "classes1,000: tench, Tinca tinca; ", "and 995 more", "grid15×15 cells, 5 classes kept in each",
                 "scoreslogit, stored as fixed16", "orientationyx", "annotatorefficientnet-lite0, fully convolutional"):  # fmt: skip
        assert text in page.text
    shard = write_shard(
        tmp_path / "x.h5", attributes={"orientation": "unknown"}, document={"annotator": {"name": HOSTILE}, "classes": None}
    )
    page = Page(relabel_hdf5.open(shard)._repr_html_())
    assert "<script>alert(" in page.text and "\\x1b[31m\\u202e\\n" in page.text and "licencenot stated" in page.text
    assert "unknown; stored rows are taken to run down the picture" in page.text and "classes10, without names" in page.text


def test_what_can_not_be_read_any_more_says_why(sample_dataset):
    maps = relabel_hdf5.open(sample_dataset)
    map = maps[0]
    maps.close()
    assert "position 0 (" in Page(map._repr_html_()).text and "closed" in map._repr_html_()
    assert "not readable" in Page(maps._repr_html_()).text or "images18" in Page(maps._repr_html_()).text


def test_an_image_for_paper_where_it_costs_little(sample_dataset):
    """Where nobody has loaded matplotlib, a notebook does not wait for it; pyplot makes no figure that would show twice."""
    program = f"""
import sys, relabel_hdf5
map = relabel_hdf5.open({str(sample_dataset)!r})[0]
map._repr_html_()
assert map._repr_png_() is None and not {{"matplotlib", "PIL"}} & sys.modules.keys()
import matplotlib
assert map._repr_png_().startswith(b"\\x89PNG") and "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------------- plots


def overlay(ax):
    """The drawn grid [H, W, 4], and where it lies: left, right, bottom, top."""
    image = ax.get_images()[-1]
    return np.asarray(image.get_array()), image.get_extent()


def test_a_map_over_its_picture(maps):
    map = maps[GOLDFISH]
    path = picture_of(GOLDFISH)
    width, height = Image.open(path).size
    for picture in (path, str(path), Image.open(path), np.asarray(Image.open(path).convert("RGB"))):
        ax = map.plot(picture)
        assert np.asarray(ax.get_images()[0].get_array()).shape == (height, width, 3)
        drawn, extent = overlay(ax)
        assert extent == [-0.5, width - 0.5, height - 0.5, -0.5]
        assert ax.get_xlim() == (-0.5, width - 0.5) and ax.get_ylim() == (height - 0.5, -0.5)
    cells = cells_of(map)
    assert np.array_equal(drawn[..., 3].argmax(), cells.probability.argmax()) and drawn[..., 3].max() < 0.7
    assert drawn[7, 7, :3] == pytest.approx(np.frombuffer(bytes.fromhex(PALETTE[0][1:]), np.uint8) / 255)
    assert ax.get_title(loc="left") == GOLDFISH
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[0] == "1 goldfish, Carassius auratus  68 %" and labels[-1] == "23 other classes  13 %"


def test_axes_of_the_caller_and_an_extent(tmp_path):
    map = one_map(tmp_path / "x.h5", attributes={"map_extent": np.array([0.25, 0.125, 0.5, 0.75], np.float32)})
    _, ax = pyplot.subplots()
    assert map.plot(np.zeros((100, 200, 3), np.uint8), ax=ax, classes=2) is ax
    assert overlay(ax)[1] == [24.5, 174.5, 74.5, 24.5]  # pixels have their centres at whole numbers
    assert ax.get_xlim() == (-0.5, 199.5) and ax.get_ylim() == (99.5, -0.5)
    alone = map.plot()
    assert overlay(alone)[1] == [0.125, 0.875, 0.75, 0.25]
    assert alone.get_aspect() == pytest.approx((0.75 / 4) / (0.5 / 3))  # cells are squares


@pytest.mark.parametrize(("orientation", "profile", "title"), [
    ("unknown", None, "orientation unknown: stored rows are taken to run down the picture"),
    ("unknown", "relabel-2021", "profile relabel-2021"), ("xy", None, "stored transposed, shown upright"), ("yx", None, ""),
])  # fmt: skip
def test_a_title_says_how_the_grid_lies(orientation, profile, title, tmp_path):
    map = one_map(tmp_path / "x.h5", attributes={"orientation": orientation}, height=4, width=4)
    assert map.plot(profile=profile).get_title(loc="left") == "\n".join(filter(None, ["train/n0000", title]))


def test_names_are_no_formulas(tmp_path):
    table = class_table([{"index": place, "name": f"_$\\frac{{{place}$ \n\x1b"} for place in range(10)])
    map = one_map(tmp_path / "x.h5", keys=["$x^2$/_a"], document={"annotator": None, "classes": table})
    with matplotlib.rc_context({"text.usetex": False}):
        ax = map.plot()
        ax.figure.savefig(io.BytesIO())
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.get_title(loc="left") == "$x^2$/_a" and len(labels) == len(cells_of(map).leading) + bool(cells_of(map).others)
    assert re.fullmatch(r"\d _\$\\frac\{\d\$ \\n\\x1b  \d+ %", labels[0])


def test_what_is_no_picture(maps):
    for picture in (np.zeros(5), np.zeros((2, 3, 7)), np.zeros((0, 4, 3)), None.__class__):
        with pytest.raises(UsageError, match="the picture is .* with the shape"):
            maps[0].plot(picture)
    with pytest.raises(FileNotFoundError):
        maps[0].plot("nowhere.png")
    assert maps[0].plot(np.zeros((4, 5))).get_images()[0].get_array().shape == (4, 5)


def test_the_missing_extra_is_named(maps, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'relabel-hdf5\[plot\]'"):
        maps[0].plot()


# ------------------------------------------------------------------------------------------------- views


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    """Four views of a picture: two boxes, one of them beyond the picture, every second view mirrored."""
    folder = tmp_path_factory.mktemp("views") / "views"
    how = {"dialect": "example", "chain": ["crop", "resize", "flip"]}
    with Writer(folder, num_classes=10, score_kind="logit", top_k=3, views=how, view_size=224) as writer:
        for number in range(4):
            for key in ("n01/a", "n01/b"):
                scores = np.zeros((10, 1, 2), np.float32)
                scores[2 + number // 3, :, 0], scores[5, :, 1] = 9, 4
                box = (0.25, 0.5, 0.5, 0.25) if number else (-0.25, 0.0, 0.5, 0.5)
                writer.add(key, scores, view=number, box=box, flip=number % 2 == 1)
    with relabel_hdf5.open(folder) as opened:
        yield opened


def test_a_view_lies_where_it_was_cut(views):
    ax = views[views.positions_of("n01/a")[1]].plot(np.zeros((100, 200, 3), np.uint8))
    drawn, extent = overlay(ax)
    assert extent == [99.5, 149.5, 74.5, 24.5] and ax.get_title(loc="left") == "n01/a, view 1\nmirrored"
    sure = np.frombuffer(bytes.fromhex(PALETTE[0][1:]), np.uint8) / 255
    assert drawn[0, 1, :3] == pytest.approx(sure) and drawn[0, 1, 3] > drawn[0, 0, 3]  # turned back
    assert len(ax.patches) == 8 and sorted(text.get_text() for text in ax.texts) == ["0", "1", "2", "3"]
    # One that leaves the picture is drawn whole.
    ax = views[views.positions_of("n01/a")[0]].plot(np.zeros((100, 200, 3), np.uint8))
    assert overlay(ax)[1] == [-0.5, 99.5, 24.5, -25.5] and ax.get_ylim() == (99.5, -25.5)


def test_a_view_alone_is_as_the_annotator_saw_it(views):
    map = views[views.positions_of("n01/a")[1]]
    drawn, _ = overlay(map.plot())
    assert drawn[0, 0, 3] > drawn[0, 1, 3]
    assert "n01/a" in map._repr_html_() and "views of images" in views._repr_html_()


def test_views_as_boxes(views):
    ax = views.views.of("n01/b").plot(np.zeros((100, 200, 3), np.uint8))
    assert ax.get_title(loc="left") == "n01/b, 4 views" and len(ax.patches) == 8
    boxes = [(patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()) for patch in ax.patches[1::2]]
    assert boxes == [(-0.5, -25.5, 100.0, 50.0)] + [(99.5, 24.5, 50.0, 50.0)] * 3
    colours = [matplotlib.colors.to_hex(patch.get_edgecolor()) for patch in ax.patches[1::2]]
    assert colours == [PALETTE[0]] * 3 + [PALETTE[1]]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[0].startswith("class 2  3×, ") and labels[1].startswith("class 3  1×, ")
    with pytest.raises(UsageError, match="these are views of 2 pictures"):
        views.views.at([0, 1]).plot(np.zeros((4, 4, 3)))


def test_views_without_boxes(tmp_path):
    with Writer(tmp_path / "x", num_classes=3, top_k=3, score_kind="logit", views={"dialect": "example"}) as writer:
        writer.add("a/b", np.zeros((3, 1, 1), np.float32), view=0, seed=4)
    with relabel_hdf5.open(tmp_path / "x") as maps:
        for draw in (maps[0].plot, maps.views.at([0]).plot):
            with pytest.raises(UsageError, match="which part of its picture"):
                draw(np.zeros((4, 4, 3)))
        assert maps[0].plot().get_title(loc="left") == "a/b, view 0\nnobody knows whether it is mirrored"


def test_reading_loads_nothing_of_this():
    program = "import sys, relabel_hdf5; assert not [name for name in sys.modules if 'showing' in name or 'matplotlib' in name]"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
