"""The tree itself: what a checkout must not hold."""

import subprocess

from conftest import ROOT


def test_no_two_paths_differ_only_by_case():
    """macOS and Windows take such paths for one, and a checkout then mixes two folders."""
    paths = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known: dict[str, str] = {}
    for path in paths.splitlines():
        # Folders, too: `Sources/Relabel` and `Sources/relabel` hold no file of the same name.
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            part = "/".join(parts[:count])
            assert known.setdefault(part.lower(), part) == part
