"""What tools print: names from files steer nothing, and what can't be printed is an error."""

import json
import os
import subprocess
import unicodedata

import numpy as np
import pytest
from conftest import BIN, pack, tool, verify
from running import packed

HOSTILE = "\x1b[2J\x9b31m\x7f\u202e\u200b\u2066\u2028::error::x"
COMMANDS = {
    "list-rules": ("relabel-verify", "list-rules"),
    "explain": ("relabel-verify", "explain", "V001"),
    "help": ("relabel-pack", "--help"),
    "version": ("relabel", "--version"),
    "verify": ("relabel-verify", "DATASET"),
    "verify json": ("relabel-verify", "DATASET", "--format", "json"),
    "info": ("relabel", "info", "DATASET"),
    "show": ("relabel", "show", "DATASET", "--key", "a"),
    "pool": ("relabel", "pool", "DATASET", "--key", "a", "--box", "0,0,1,1"),
    "view": ("relabel", "view", "DATASET", "--key", "a", "-o", "-"),
    "drawing": ("relabel", "view", "DATASET", "--key", "a", "-o", "-", "--format", "svg"),
    "pack": ("relabel-pack", "MAPS", "-o", "OUT", "--score-kind", "logit", "--format", "json"),
}


def maps(folder, names=("a",)):
    folder.mkdir()
    for name in names:
        np.save(folder / f"{name}.npy", np.random.default_rng(0).normal(size=(9, 3, 3)).astype("f4"))
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A dataset whose class names and annotator would take over a terminal."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "classes.tsv").write_text("".join(f"c{n}\t{HOSTILE}{n}\n" for n in range(9)), newline="\n")
    (root / "annotator.json").write_text(json.dumps({"name": f"{HOSTILE}\n::set-output name=a::b"}))
    result = pack(maps(root / "maps"), "-o", root / "dataset", "--score-kind", "logit",
                  "--annotator", root / "annotator.json", "--classes", root / "classes.tsv")  # fmt: skip
    if result.returncode:
        pytest.fail(result.stderr)
    return root / "dataset"


def filled(command, dataset, tmp_path):
    places = {"DATASET": dataset, "OUT": tmp_path / "out"}
    if "MAPS" in command:
        places["MAPS"] = maps(tmp_path / "maps")
    name, *arguments = (places.get(word, word) for word in command)
    return [str(BIN / name), *map(str, arguments)]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("stream", ["full", "closed", "pipe"])
def test_output_that_cannot_be_written_is_74(stream, name, hostile, tmp_path):
    command = filled(COMMANDS[name], hostile, tmp_path)
    if stream == "full":
        with open("/dev/full", "w") as output:
            result = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
    elif stream == "closed":
        line = f"exec {' '.join(map(repr, command))} >&-"
        result = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True)
    else:
        reading, writing = os.pipe()
        os.close(reading)
        result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
        os.close(writing)
    assert result.returncode == 74, result.stderr
    assert "standard output: can't be written" in result.stderr


def steering(text):
    """Characters that steer, hide or turn text, and lines that a build service would obey."""
    odd = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    return odd + [line for line in text.split("\n") if line.strip().startswith(("::", "##"))]


@pytest.mark.parametrize("name", ["info", "show", "pool", "view", "drawing", "verify", "verify json"])
def test_names_from_files_steer_nothing(name, hostile, tmp_path):
    command = filled(COMMANDS[name], hostile, tmp_path)
    result = subprocess.run(command, capture_output=True, text=True)
    assert not steering(result.stdout) and not steering(result.stderr)


def strings(value):
    """All strings of a JSON document."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in strings(member)]
    if isinstance(value, list):
        return [text for member in value for text in strings(member)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", ["info", "show", "pool"])
def test_json_says_the_names_as_they_are(name, hostile, tmp_path):
    command = [*filled(COMMANDS[name], hostile, tmp_path), "--format", "json"]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    assert not steering(text)
    assert any(string.startswith(HOSTILE) for string in strings(json.loads(text)))


@pytest.mark.parametrize("key", ["::error::x", "##[error]x", "\u2066x", "a\u200bb", "\x85x"])
def test_names_of_inputs_steer_nothing(key, tmp_path):
    folder = maps(tmp_path / "maps")
    (folder / f"{key}.npy").write_bytes(b"no array")
    result = pack(folder, "-o", tmp_path / "out", "--score-kind", "logit", "--on-bad-input", "skip")
    assert result.returncode == 3 and not steering(result.stdout) and not steering(result.stderr)


@pytest.mark.parametrize("report", ["text", "json", "ndjson", "sarif", "junit"])
def test_file_names_steer_no_report(report, tmp_path):
    path = tmp_path / "::warning::\u202e\u200b.h5"
    path.write_bytes(b"no shard")
    result = subprocess.run(
        [BIN / "relabel-verify", path.name, "--format", report], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode in (4, 5) and not steering(result.stdout)


# Bytes that are no text


@pytest.mark.parametrize(
    "command",
    [["relabel-pack", "MAPS", "-o", b"o\xff", "--score-kind", "logit"], ["relabel-verify", b"o\xff"],
     ["relabel", "info", b"o\xff"], ["relabel", "recover", b"o\xff", "-o", "r"]],
)  # fmt: skip
def test_arguments_that_are_no_text(command, tmp_path):
    maps(tmp_path / "maps")
    name, *arguments = [str(tmp_path / "maps") if word == "MAPS" else word for word in command]
    result = subprocess.run([BIN / name, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 64 and r"'o\xff' is not UTF-8" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]


def test_two_names_that_are_no_text_stay_two(tmp_path):
    folder = maps(tmp_path / "maps")
    for name in (b"x\xff.npy", b"x\xfe.npy"):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write((folder / "a.npy").read_bytes())
    summary = packed(folder, "-o", tmp_path / "out", "--score-kind", "logit", "--on-bad-input", "skip", code=3)
    assert [entry["key"] for entry in summary["left_out"]] == [r"x\xfe", r"x\xff"]
    assert all("not valid UTF-8" in entry["reason"] for entry in summary["left_out"])
    code, report = verify(tmp_path / "out")
    assert code == 0 and report["images"] == 1


def test_a_report_does_not_take_the_place_of_a_link(hostile, tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    assert tool("relabel-verify", hostile, "--format", f"text={tmp_path / 'link'}").returncode == 0
    assert (tmp_path / "link").is_symlink() and "sound" in (tmp_path / "file").read_text()
