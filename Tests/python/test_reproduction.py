"""The paper's claim at the size of a test: the whole way, and localised targets above single labels."""

import json
import os
import statistics
import subprocess
import sys

from conftest import BIN, ROOT

REPRODUCE = ROOT / "samples" / "reproduction" / "reproduce.py"


def test_the_whole_way(tmp_path):
    environment = {**os.environ, "RELABEL_BIN": str(BIN), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, REPRODUCE, "--quick", "--output", tmp_path / "out"]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1200)
    assert found.returncode == 0, found.stderr
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    top1 = {"single": [], "localised": []}
    for result in document["runs"].values():
        top1[result["run"]["target"]].append(result["scores"]["top1"])
    deviation = max(map(statistics.stdev, top1.values()))
    assert statistics.fmean(top1["localised"]) - statistics.fmean(top1["single"]) > 2 * deviation
    assert "orientation yx proven" in document["labels"]["strong"]["text"]
    assert document["labels"]["strong"]["findings"] == {}
    # The crop's own target names what the crop shows more often than any other, before anybody trains.
    named = {kind: row["names"] for kind, row in document["labels"]["strong"]["targets"].items()}
    assert named["localised"] > 1.2 * max(named[kind] for kind in named if kind != "localised")
    assert document["label_seconds"]["ours"] < document["label_seconds"]["released"]
    report = (tmp_path / "out" / "report.html").read_text()
    assert report.count("<img ") == 3 and "<table>" in report
    # What is there is not done again.
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert again.returncode == 0 and "6 students, 6 of them trained before" in again.stdout
