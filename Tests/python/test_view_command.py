"""relabel view as a command: forms and files, SVG and PNG, what it refuses; and relabel show --colour."""

import json
import os
import pty
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
import shard_writer
import view_shards
from conftest import BIN, ROOT, SAMPLES, tool, turned_picture
from PIL import Image
from shard_writer import write_shard

KEY = "n01443537/n01443537_00069"
SVG = "{http://www.w3.org/2000/svg}"


def view(path, *options, key=KEY, **how):
    return tool("relabel", "view", path, "--key", key, *options, **how)


def needs_rsvg(test):
    return pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="librsvg2-bin is not installed")(test)


def on_terminal(command, **variables):
    """Exit code and output of a command whose standard output is a terminal."""
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
    process = subprocess.Popen(
        [str(BIN / "relabel"), *map(str, command)], stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.PIPE,
        env=environment | {"TERM": "xterm"} | variables,
    )  # fmt: skip
    os.close(follower)
    output = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(leader)
    errors = process.stderr.read().decode()
    return process.wait(), output.decode().replace("\r\n", "\n"), errors


# ------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("ending, start", [(".html", b"<!doctype html>"), (".svg", b"<?xml"), (".SVG", b"<?xml")])
def test_ending_says_the_form(sample_dataset, tmp_path, ending, start):
    file = tmp_path / f"map{ending}"
    result = view(sample_dataset, "-o", file)
    assert (result.returncode, result.stdout) == (0, f"{file}\n")
    assert file.read_bytes().startswith(start)
    assert sorted(tmp_path.iterdir()) == [file]


def test_default_name(sample_dataset, tmp_path):
    """The last part of the key, in the folder where one is."""
    for options, ending in (([], "html"), (["--format", "svg"], "svg")):
        result = view(sample_dataset, *options, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (0, f"n01443537_00069.{ending}\n")
        assert (tmp_path / f"n01443537_00069.{ending}").exists()


def test_nothing_is_overwritten(sample_dataset, tmp_path):
    file = tmp_path / "map.html"
    file.write_text("mine")
    refused = view(sample_dataset, "-o", file)
    assert refused.returncode == 64 and "--overwrite" in refused.stderr
    assert file.read_text() == "mine"
    assert view(sample_dataset, "-o", file, "--overwrite").returncode == 0
    assert file.read_text() != "mine"


def test_standard_output(sample_dataset):
    assert view(sample_dataset, "-o", "-").stdout.startswith("<!doctype html>")
    assert view(sample_dataset, "-o", "-", "--format", "svg").stdout.startswith("<?xml")
    piped = view(sample_dataset, "-o", "/dev/stdout", "--format", "svg")
    assert piped.stdout.startswith("<?xml")


@pytest.mark.parametrize("options, code, words", [
    (["-o", "map.jpg"], 64, ".html, .svg or .png"),
    (["-o", "."], 64, ".html, .svg or .png"),
    (["-o", "none/map.svg"], 74, "no such folder"),
    (["--pictures", "none"], 64, "there is no folder"),
    (["--view", "1"], 64, "--view is for labels of crops"),
    (["-o", "/full.svg/x.svg"], 74, "no such folder"),
])  # fmt: skip
def test_refusals(sample_dataset, tmp_path, options, code, words):
    result = view(sample_dataset, *options, cwd=tmp_path)
    assert result.returncode == code and words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_such_image(sample_dataset, tmp_path):
    result = view(sample_dataset, key="nothing", cwd=tmp_path)
    assert result.returncode == 66 and list(tmp_path.iterdir()) == []


def test_profile_needs_a_square(tmp_path):
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"])
    result = view(tmp_path / "a.h5", "--profile", "relabel-2021", "-o", tmp_path / "a.svg", key="a")
    assert result.returncode == 64 and "not defined for a grid" in result.stderr


def test_damage_is_no_page(sample_dataset, tmp_path):
    """A chunk that is damaged gives an error and no file."""
    broken = tmp_path / "a.h5"
    data = bytearray((sample_dataset / "labels-00000.h5").read_bytes())
    for place in range(len(data) // 3, len(data), 97):
        data[place] ^= 0x55
    broken.write_bytes(data)
    result = view(broken, "-o", tmp_path / "map.html")
    assert result.returncode in (4, 5) and not (tmp_path / "map.html").exists()


@pytest.mark.parametrize("content, words", [
    (b"GIF89a", "no sound JPEG"), (b"<svg onload='alert(1)'/>", "no sound JPEG"), (b"", "no sound JPEG"),
])  # fmt: skip
def test_what_is_no_picture_is_told(tmp_path, content, words):
    """The map is drawn alone, and standard error says why."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(content)
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"])
    result = view(tmp_path / "a.h5", "-o", tmp_path / "a.svg", "--pictures", tmp_path / "pictures", key="a")
    assert result.returncode == 0 and words in result.stderr
    assert "<image" not in (tmp_path / "a.svg").read_text()


def test_two_pictures_of_a_key(tmp_path):
    (tmp_path / "pictures").mkdir()
    for ending in ("jpg", "png"):
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / f"a.{ending}")
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"])
    result = view(tmp_path / "a.h5", "-o", tmp_path / "a.svg", "--pictures", tmp_path / "pictures", key="a")
    assert result.returncode == 0 and "2 pictures" in result.stderr


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "bmp"])
def test_pictures_by_their_real_type(tmp_path, kind):
    """Whatever the name of the file says."""
    (tmp_path / "pictures" / "b").mkdir(parents=True)
    Image.new("RGB", (40, 20), "red").save(tmp_path / "pictures" / "b" / "a.c.jpg", format=kind)
    write_shard(tmp_path / "a.h5", rows=1, keys=["b/a.c"])
    result = view(tmp_path / "a.h5", "-o", tmp_path / "a.svg", "--pictures", tmp_path / "pictures", key="b/a.c")
    assert (result.returncode, result.stderr) == (0, "")
    (image,) = ET.parse(tmp_path / "a.svg").iter(f"{SVG}image")
    assert image.get("href").startswith(f"data:image/{kind};base64,")
    assert (float(image.get("width")), float(image.get("height"))) == (1000, 500)


# --------------------------------------------------------------------------------------- SVG and PNG


def cells(root):
    """The cells of a drawing: place, colour, opacity and title of each."""
    (group,) = root.iter(f"{SVG}g")
    return [(cell, cell.find(f"{SVG}title").text) for cell in group]


def test_drawing(sample_dataset, tmp_path):
    """A cell for each, with its class and the probability that pooling that cell alone gives."""
    view(sample_dataset, "-o", tmp_path / "a.svg", "--pictures", SAMPLES / "images")
    root = ET.parse(tmp_path / "a.svg").getroot()
    found = cells(root)
    assert len(found) == 225 and len({(c.get("x"), c.get("y")) for c, _ in found}) == 225
    labels = json.loads(tool("relabel", "show", sample_dataset, "--key", KEY, "--format", "json").stdout)
    names = [line.split("\t")[1].strip() for line in (SAMPLES / "classes.tsv").read_text().splitlines()]
    for y, x in ((0, 0), (7, 7), (14, 3)):
        cell, title = found[y * 15 + x]
        assert title.startswith(f"row {y}, column {x}: {names[labels['class_index'][y][x][0]]} ")
        width, height = float(cell.get("width")), float(cell.get("height"))
        assert float(cell.get("x")) == pytest.approx(x * width, abs=0.01)
        assert float(cell.get("y")) == pytest.approx(y * height, abs=0.01)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[0] == KEY and texts[1].startswith("goldfish, Carassius auratus 67.") and "23 other classes" in texts[9]


def test_drawing_transposed(tmp_path):
    """Rows of maps that lie xy run along the width."""
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"], attributes={"orientation": "xy"})
    view(tmp_path / "a.h5", "-o", tmp_path / "a.svg", key="a")
    found = cells(ET.parse(tmp_path / "a.svg").getroot())
    assert found[1][1].startswith("row 0, column 1") and found[1][0].get("x") == "0"
    assert float(found[1][0].get("y")) > 0


def test_drawing_of_views(tmp_path):
    rows = view_shards.crops(images=1, views=3)
    rows.shard().write(tmp_path / "a.h5")
    result = view(tmp_path / "a.h5", "--view", 1, "-o", tmp_path / "a.svg", key=rows.keys[0])
    assert result.returncode == 0, result.stderr
    root = ET.parse(tmp_path / "a.svg").getroot()
    (cell, _), box = cells(root)[0], rows.columns["view_box"][1]
    assert float(cell.get("x")) == pytest.approx(box[1] * 1000) and float(cell.get("height")) == pytest.approx(box[2] * 1000)
    assert {"0", "1", "2"} <= {text.text.split(":")[0] for text in root.iter(f"{SVG}text")}


def test_hostile_drawing(tmp_path):
    names = ["</text><script>alert(1)</script>", "\u202ex", "y" * 3000]
    classes = shard_writer.class_table([{"id": f"n{place}", "index": place, "name": name} for place, name in enumerate(names)])
    document = {"annotator": None, "classes": classes}
    write_shard(tmp_path / "a.h5", rows=1, keys=["a&<b>"], num_classes=3, document=document)
    assert view(tmp_path / "a.h5", "-o", tmp_path / "a.svg", key="a&<b>").returncode == 0
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {"svg", "title", "rect", "text", "g"}
    assert "\u202e" not in (tmp_path / "a.svg").read_text() and "y" * 200 not in (tmp_path / "a.svg").read_text()


@needs_rsvg
def test_raster(sample_dataset, tmp_path):
    result = view(sample_dataset, "-o", tmp_path / "a.png", "--pictures", SAMPLES / "images")
    assert result.returncode == 0, result.stderr
    picture = Image.open(tmp_path / "a.png").convert("RGB")
    assert picture.format is None and picture.width == 1032
    # The fish is there under its cells, which are orange.
    red, green, blue = picture.getpixel((500, 400))
    assert red > green > blue
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.png"]
    piped = subprocess.run([str(BIN / "relabel"), "view", sample_dataset, "--key", KEY, "-o", "-", "--format", "png"],
                           capture_output=True, timeout=60)  # fmt: skip
    assert piped.stdout.startswith(b"\x89PNG")


@needs_rsvg
def test_raster_shows_pictures_as_stored(tmp_path):
    turned_picture(tmp_path / "pictures" / "a.jpg")
    # A map that is nearly nowhere leaves the picture to be seen.
    tiny = {"map_extent": shard_writer.np.array([0, 0, 0.01, 0.01], "<f4")}
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"], attributes=tiny)
    result = view(tmp_path / "a.h5", "-o", tmp_path / "a.png", "--pictures", tmp_path / "pictures", key="a")
    assert result.returncode == 0, result.stderr
    drawn = Image.open(tmp_path / "a.png").convert("RGB")
    left, right = drawn.getpixel((300, 300)), drawn.getpixel((800, 300))
    assert left[2] > 200 > left[0] and right[0] > 200 > right[2]


@needs_rsvg
@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "bmp"])
def test_no_picture_is_missing_in_a_raster(tmp_path, kind):
    """A picture is in the PNG, or the command says that it can't be: the program leaves out in silence what it can't decode."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (40, 20), "red").save(tmp_path / "pictures" / "a.jpg", format=kind)
    tiny = {"map_extent": shard_writer.np.array([0, 0, 0.01, 0.01], "<f4")}
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"], attributes=tiny)
    result = view(tmp_path / "a.h5", "-o", tmp_path / "a.png", "--pictures", tmp_path / "pictures", key="a")
    if result.returncode == 0:
        red, green, blue = Image.open(tmp_path / "a.png").convert("RGB").getpixel((800, 300))
        assert red > 200 > 60 > max(green, blue)
    else:
        assert kind == "webp" and result.returncode == 64 and "draws nothing of the picture, webp" in result.stderr
        assert not (tmp_path / "a.png").exists()


def test_without_the_program(sample_dataset, tmp_path):
    result = view(sample_dataset, "-o", tmp_path / "a.png", env={"PATH": str(tmp_path)})
    assert result.returncode == 64 and "librsvg2-bin" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_fails(sample_dataset, tmp_path):
    """Its last words are told, and no file is left."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "rsvg-convert"
    program.write_text("#!/bin/sh\necho no fonts today >&2\nexit 3\n")
    program.chmod(0o755)
    result = view(sample_dataset, "-o", tmp_path / "a.png", env={"PATH": str(tmp_path / "bin")})
    assert result.returncode == 74 and "exit code 3: no fonts today" in result.stderr
    assert not (tmp_path / "a.png").exists()


def test_no_picture_on_a_terminal(sample_dataset):
    code, output, errors = on_terminal(["view", sample_dataset, "--key", KEY, "-o", "-", "--format", "png"])
    assert code == 64 and output == "" and "terminal" in errors


# ---------------------------------------------------------------------------------- relabel show --colour


def show(path, *options, key=KEY):
    result = tool("relabel", "show", path, "--key", key, *options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_colour(sample_dataset):
    """Eight lines of half blocks for fifteen rows, two columns a cell; then the legend with names."""
    plain = show(sample_dataset)
    assert "\x1b" not in plain
    coloured = show(sample_dataset, "--colour", "always")
    assert coloured.startswith(plain)
    lines = coloured[len(plain) :].splitlines()
    grid = [line for line in lines if "▀" in line]
    assert len(grid) == 15 and {line.count("▀") for line in grid} == {30}
    assert all(line.endswith("\x1b[0m") for line in grid)
    legend = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines if "▀" not in line]
    assert legend[0] == "  ██ 67.6 %  1  goldfish, Carassius auratus" and legend[-1].endswith("23 other classes")


@pytest.mark.parametrize("variables, pattern", [
    ({}, "\x1b[38;5;"), ({"COLORTERM": "truecolor"}, "\x1b[38;2;"), ({"NO_COLOR": "1"}, None), ({"TERM": "dumb"}, None),
    ({"NO_COLOR": ""}, "\x1b[38;5;"),
])  # fmt: skip
def test_terminals(sample_dataset, variables, pattern):
    code, output, _ = on_terminal(["show", sample_dataset, "--key", KEY], **variables)
    assert code == 0 and ("\x1b" in output) == (pattern is not None) and (pattern or "") in output
    assert "\x1b" not in on_terminal(["show", sample_dataset, "--key", KEY, "--color", "never"], **variables)[1]


@pytest.mark.parametrize("height, width, lines", [(1, 1, 4), (3, 4, 12), (255, 255, 32), (40, 7, 20)])
def test_colour_of_grids(tmp_path, height, width, lines):
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"], height=height, width=width, k=1)
    output = show(tmp_path / "a.h5", "--colour", "always", key="a")
    grid = [line for line in output.splitlines() if "▀" in line]
    assert len(grid) == lines and max(line.count("▀") for line in grid) <= 80
    assert ("rows and columns is shown" in output) == (width > 80)


def test_hostile_names_steer_nothing(tmp_path):
    names = ["\x1b]0;owned\x07", "\u202ex", "::error::z"]
    classes = shard_writer.class_table([{"id": f"n{place}", "index": place, "name": name} for place, name in enumerate(names)])
    write_shard(tmp_path / "a.h5", rows=1, keys=["a"], num_classes=3, document={"annotator": None, "classes": classes})
    output = show(tmp_path / "a.h5", "--colour", "always", key="a")
    assert not re.sub("\x1b\\[[0-9;]*m", "", output).count("\x1b") and "\u202e" not in output and "\x07" not in output


def test_colours_are_those_of_pages():
    """Palette.swift and palette.js have the same colours in the same order."""
    sources = ROOT / "Sources"
    of_pages = re.findall(r"#([0-9a-f]{6})", (sources / "PageAssets" / "Files" / "palette.js").read_text())
    of_tools = re.findall(r"\(0x(..), 0x(..), 0x(..)\)", (sources / "RelabelPages" / "Palette.swift").read_text())
    assert ["".join(parts).lower() for parts in of_tools] == of_pages and len(of_pages) == 9
