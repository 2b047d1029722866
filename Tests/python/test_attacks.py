"""The attack corpus: every file is refused with the right code, quickly and in little memory."""

import json
import os
import subprocess
import sys

import pytest
from attacks import ATTACKS
from conftest import BIN

SECONDS = 2
MEGABYTES = 200


# A process starts with the peak memory of the one that it was forked from, so a small one measures.
MEASURE = """
import json, os, subprocess, sys, time
start = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
output = process.stdout.read().decode()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.monotonic() - start
print(json.dumps([os.waitstatus_to_exitcode(status), output, seconds, usage.ru_maxrss / 1024]))
"""


def measured(path, environment):
    """Exit code, report, seconds and megabytes (the most of any process) of one verification."""
    command = [sys.executable, "-S", "-c", MEASURE, BIN / "relabel-verify", "--format", "json", "--jobs", "2", path]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    code, output, seconds, megabytes = json.loads(result.stdout)
    return code, json.loads(output), seconds, megabytes


@pytest.mark.parametrize("codes, make", [pytest.param(codes, make, id=name) for name, codes, make in ATTACKS])
def test_attack(codes, make, tmp_path):
    made = make(tmp_path)
    path, environment = made if isinstance(made, tuple) else (made, {})
    code, report, seconds, megabytes = measured(path, environment)
    if seconds > SECONDS:  # a busy machine gets a second chance, a hang does not pass it
        code, report, seconds, megabytes = measured(path, environment)
    findings = [f"{f['rule']}: {f['message']}" for f in report["findings"]]
    assert code in codes, findings
    assert not report["complete"] or report["verdict"] != "sound"
    assert seconds < SECONDS and megabytes < MEGABYTES, (seconds, megabytes, findings)
    assert not (tmp_path / "MARK").exists(), "a plugin was loaded"
    assert not any("helper process" in finding for finding in findings), findings


def test_attacks_have_their_own_names():
    names = [name for name, _, _ in ATTACKS]
    assert len(names) == len(set(names))
