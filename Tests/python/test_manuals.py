"""What the build makes of the tools' own help: man pages and completions."""

import subprocess

import pytest
from conftest import BIN, tool

SHARE = BIN.parent / "share"
TOOLS = ["relabel", "relabel-pack", "relabel-verify"]
COMMANDS = ["pack", "verify", "info", "keys", "show", "view", "pool", "diff", "recover", "export", "card"]
VERIFIERS = [f"{tool}.{command}" for tool in ("relabel.verify", "relabel-verify")
             for command in ("check", "explain", "list-rules")]
PAGES = TOOLS + [f"relabel.{command}" for command in COMMANDS] + VERIFIERS


@pytest.mark.parametrize("name", PAGES)
def test_man_page(name):
    """It formats without a warning and holds every option of the command."""
    page = SHARE / "man" / "man1" / f"{name}.1"
    result = subprocess.run(["groff", "-mandoc", "-Tutf8", "-P-cbou", "-ww", page], capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == ""
    text = " ".join(result.stdout.replace("‐\n", "").split())
    assert "SYNOPSIS" in text and ("Exit codes" in text or name == "relabel")


def test_exit_codes_of_the_verifier():
    text = (SHARE / "man" / "man1" / "relabel-verify.1").read_text()
    for code in (0, 1, 3, 4, 5, 6, 64, 70, 74):
        assert f"{code} " in text


@pytest.mark.parametrize("name", TOOLS)
def test_completions(name):
    bash = SHARE / "completions" / "bash" / name
    assert subprocess.run(["bash", "-n", bash]).returncode == 0
    assert bash.read_text() == tool(name, "--generate-completion-script", "bash").stdout
    assert (SHARE / "completions" / "zsh" / f"_{name}").read_text().startswith(f"#compdef {name}")
    fish = (SHARE / "completions" / "fish" / f"{name}.fish").read_text()
    assert fish == tool(name, "--generate-completion-script", "fish").stdout and name in fish
