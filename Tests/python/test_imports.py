"""What lies outside Tests stands without it."""

import ast
import subprocess

import pytest
from conftest import ROOT

OWN = {path.stem for path in (ROOT / "Tests" / "python").glob("*.py")} | {"Tests"}


def imported(program):
    """The first names of all modules that a program imports, wherever its path leads."""
    names = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def programs():
    """Every Python program outside Tests, those without an extension too."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        path = ROOT / name
        if name.startswith("Tests/") or not path.is_file() or path.suffix not in ("", ".py"):
            continue
        content = path.read_bytes()
        if path.suffix == ".py" or content.startswith(b"#!") and b"python" in content.splitlines()[0]:
            yield name, content.decode()


@pytest.mark.parametrize("program", [
    "import test_pack",
    "import sys\nsys.path.insert(0, str(TESTS))\nimport attacks as a",
    "from Tests.python import attacks",
    "def later():\n    from conftest import tool",
])  # fmt: skip
def test_an_import_from_tests_is_seen(program):
    assert imported(program) & OWN


def test_nothing_outside_tests_imports_from_it():
    found = {name: imported(program) & OWN for name, program in programs()}
    assert len(found) > 100 and "spec/conformance/run" in found
    assert {name: names for name, names in found.items() if names} == {}
