"""What long commands say while they work: a bar on a terminal, nothing with --quiet, and no colour."""

import os
import pty
import re
import subprocess
import sys

import pytest
from conftest import BIN, SAMPLES


def on_terminal(*command):
    """What a command prints to a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([str(word) for word in command], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    return text.decode(), process.wait()


def packing(folder, *options):
    return [BIN / "relabel-pack", SAMPLES / "maps", "--output", folder, "--orientation", "yx", *options]


@pytest.mark.parametrize(
    ("command", "count"),
    [("pack", "18 of 18 images"), ("verify", "18 of 18 images"), ("recover", "18 rows")],
)
def test_a_terminal_shows_how_far_the_work_is(tmp_path, sample_dataset, command, count):
    commands = {
        "pack": packing(tmp_path / "out"),
        "verify": [BIN / "relabel-verify", sample_dataset],
        "recover": [BIN / "relabel", "recover", sample_dataset, "--output", tmp_path / "out"],
    }
    text, code = on_terminal(*commands[command])
    assert code == 0, text
    assert count in text
    if "of" in count:
        assert re.search(r"█{24} 100 %", text), text
    # The line is cleared before the result, and a bar has no colours.
    assert "\r\x1b[K" in text
    assert not re.search(r"\x1b\[\d+m", text.partition("images,")[0])


@pytest.mark.parametrize("command", ["pack", "recover", "verify"])
def test_quiet_says_nothing_of_a_success(tmp_path, sample_dataset, command):
    commands = {
        "pack": packing(tmp_path / "out", "--quiet"),
        "verify": [BIN / "relabel-verify", sample_dataset, "--quiet"],
        "recover": [BIN / "relabel", "recover", sample_dataset, "--output", tmp_path / "out", "--quiet"],
    }
    assert on_terminal(*commands[command]) == ("", 0)


def test_quiet_still_says_what_is_missing(tmp_path):
    maps = tmp_path / "maps"
    maps.mkdir()
    for source in sorted((SAMPLES / "maps").rglob("*.pt"))[:3]:
        (maps / source.name).write_bytes(source.read_bytes())
    (maps / "broken.pt").write_bytes(b"no map")
    options = ["--output", tmp_path / "out", "--orientation", "yx", "--on-bad-input", "skip", "--quiet"]
    text, code = on_terminal(BIN / "relabel-pack", maps, *options)
    assert code == 3
    assert "broken" in text


def test_nothing_of_progress_goes_where_no_terminal_is(tmp_path):
    result = subprocess.run(
        [str(word) for word in packing(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    assert "█" not in result.stdout


def completed(*words):
    """What a shell would offer for the last of the words."""
    script = subprocess.run(
        [BIN / "relabel", "--generate-completion-script", "bash"], capture_output=True, text=True, check=True
    )
    words = [str(word) for word in words]
    shell = f"""
        {script.stdout}
        COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
        $(complete -p relabel | sed 's/.*-F \\([^ ]*\\).*/\\1/') relabel {words[-1]} {words[-2]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", shell], capture_output=True, text=True, env=environment).stdout.split()


def test_keys_are_completed(sample_dataset):
    offered = completed("relabel", "show", sample_dataset, "--key", "n0144")
    assert offered
    assert all(key.startswith("n0144") for key in offered)
    assert completed("relabel", "pool", sample_dataset, "--key", "none") == []


@pytest.mark.parametrize("command", ["keys", "stats"])
def test_classes_are_completed(sample_dataset, command):
    wanted = [line.split("\t")[0] for line in (SAMPLES / "classes.tsv").read_text().splitlines()]
    offered = completed("relabel", command, sample_dataset, "--class", "n0144")
    assert sorted(offered) == sorted(id for id in wanted if id.startswith("n0144")) and offered
    assert len(completed("relabel", command, sample_dataset, "--class", "n0")) == 200
    assert completed("relabel", command, sample_dataset, "--class", "goldfish") == []


@pytest.mark.parametrize("quiet", [False, True])
def test_an_export_shows_a_bar_and_clears_it(tmp_path, sample_dataset, quiet):
    # Once a second is never with 18 images: each is due here.
    code = "\n".join(
        (
            "import sys; from relabel_hdf5.exporting import command, progress",
            "start = progress.Progress.__init__",
            "progress.Progress.__init__ = lambda self, *rest: (start(self, *rest), setattr(self, '_every', 0))[0]",
            "sys.exit(command.main(sys.argv[1:]))",
        )
    )
    options = ["--to", "npz", "--output", tmp_path / "out", *(["--quiet"] if quiet else [])]
    text, status = on_terminal(sys.executable, "-c", code, sample_dataset, *options)
    assert status == 0, text
    bars = re.findall(r"\r\x1b\[K(█+)░* (\d+)%  ([\d,]+) of 18 images", text)
    assert (not bars) == quiet
    assert quiet or (len(bars[-1][0]), *bars[-1][1:]) == (24, "100", "18")
    assert text.splitlines()[-1].rpartition("\x1b[K")[2].endswith("18 images as npz")
