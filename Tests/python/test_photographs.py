"""Real photographs without labels: maps tell places, and targets follow what the network says of the crop."""

import json
import os
import subprocess
import sys

import pytest
from conftest import BIN, ROOT

pytestmark = pytest.mark.long
PHOTOGRAPHS = ROOT / "samples" / "photographs" / "photographs.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs the sample, as often as asked, into one folder."""
    folder = tmp_path_factory.mktemp("photographs") / "out"
    environment = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, PHOTOGRAPHS, "--quick", "--output", folder]

    def again(*more):
        return folder, subprocess.run([*command, *more], capture_output=True, text=True, env=environment, timeout=600)

    return again


@pytest.fixture(scope="module")
def document(run):
    folder, found = run()
    assert found.returncode == 0, found.stderr
    return json.loads((folder / "results.json").read_text())


def rows(document, **wanted):
    found = [row for row in document["closeness"]["lite0"] if "temperature" not in row]
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def test_localised_targets_are_nearer_than_global_and_transposed_ones(document):
    nearness = {
        kind: rows(document, scale="2 × own size", form="dense", target=kind)[0]["divergence"][0][0]
        for kind in ("localised", "global", "transposed")
    }
    assert nearness["localised"] < nearness["transposed"] and nearness["localised"] < nearness["global"]
    # Large crops of a map at the network's own size are what the network says of nearly the whole picture.
    assert rows(document, scale="own size", form="dense", target="localised")[0]["divergence"][-1][0] < 0.2


def test_collages_tell_orientation_and_place(document):
    said = {
        (row["form"], row["orientation"]): row["right_way"][0]
        for row in document["collages"]["lite0"] if row["scale"] == "2 × own size" and "form" in row
    }  # fmt: skip
    assert said["dense", "yx"] > 0.9 and said["dense", "xy"] < 0.1
    assert said["top 5", "yx"] > 0.9 and said["top 5", "xy"] < 0.1
    (cells,) = (row for row in document["collages"]["lite0"] if row["scale"] == "2 × own size" and "form" not in row)
    assert cells["pointing"][0] > 0.7 > cells["chance"]
    assert cells["cells_inside"][0] > cells["cells_transposed"][0] + 0.1


def test_the_report_has_its_tables_and_figures_and_nothing_is_done_again(document, run):
    folder, found = run()
    assert found.returncode == 0, found.stderr
    assert "cells" not in found.stdout and "student 1" not in found.stdout
    assert json.loads((folder / "results.json").read_text()) == document
    report = (folder / "report.md").read_text()
    for name in ("closeness", "forms", "collages", "students"):
        assert f"({name}.png)" in report and (folder / f"{name}.png").stat().st_size > 5_000
    assert {row["target"] for row in document["students"]} == {"global", "localised", "localised − global"}
    _, other = run("--images", ROOT / "samples" / "images" / "n01443537")
    assert other.returncode and "of another run" in other.stderr
