"""What lies outside Tests stands without it."""

import re
import subprocess

from conftest import ROOT

IMPORTS = re.compile(r"sys\.path.*Tests|Tests[\"/, ]*.*python.*sys\.path")


def test_nothing_outside_tests_imports_from_it():
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    outside = [name for name in listed if not name.startswith("Tests/") and (ROOT / name).exists()]
    assert len(outside) > 20
    found = [name for name in outside if IMPORTS.search((ROOT / name).read_text())]
    assert found == []
