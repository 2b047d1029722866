"""The mutation fuzzer in small, and proof that it sees a verifier that fails (tools/fuzz/README.md)."""

import json
import os
import subprocess
import sys

import pytest
from conftest import BIN, ROOT

PROGRAM = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import shards
outcome = shards.fuzz(pathlib.Path(sys.argv[2]), sys.argv[3], count=int(sys.argv[4]), seed=3)
print(json.dumps([outcome.runs, outcome.sound, outcome.rules, [what for _, what in outcome.faults]]))
"""


def fuzz(verifier, kept, count):
    """Mutants, how many were called sound, broken rules and faults.

    In a process of its own: a large parent's memory would count as its children's.
    """
    words = [sys.executable, "-c", PROGRAM, ROOT / "tools/fuzz", verifier, kept, str(count)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_verifier_stands(tmp_path):
    runs, sound, rules, faults = fuzz(BIN / "relabel-verify", tmp_path / "kept", 100)
    assert faults == [] and runs == 100 and not (tmp_path / "kept").exists()
    # The mutants are worth something: some stay sound, and refusals have many reasons.
    assert sound > 0 and len(rules) >= 10


SOUND = '{"findings": [], "exit_code": 0}'
BAD_VERIFIERS = {
    "crashing": ("os.kill(os.getpid(), 11)", 1, "signal 11"),
    "failing": ("sys.exit(70)", 1, "exit code 70"),
    "chatting": ("print('fine')", 1, "no JSON"),
    "contradicting": (f"print({SOUND!r}); sys.exit(5)", 1, "contradicts"),
    "greedy": (f"x = b'x' * (300 << 20); print({SOUND!r})", 1, "MB of memory"),
    "slow": (f"while time.process_time() < 2.5: pass\nprint({SOUND!r})", 1, "s of processor time"),
    "gullible": (f"print({SOUND!r})", 20, "called sound"),
}


@pytest.mark.parametrize("name", BAD_VERIFIERS)
def test_a_bad_verifier_is_seen(name, tmp_path):
    body, count, told = BAD_VERIFIERS[name]
    verifier = tmp_path / "verifier"
    verifier.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    verifier.chmod(0o755)
    _, _, _, faults = fuzz(verifier, tmp_path / "kept", count)
    assert faults and any(told in what for what in faults)
    assert len(list((tmp_path / "kept").iterdir())) == len(faults)


FOREIGN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import foreign
originals = [*foreign.of_others(("earliest", "v110")), *foreign.of_others(("v110", "v110"))]
if sys.argv[3] == "0":
    foreign.mutate = lambda chance, content, donor: (content, [])
outcome = foreign.fuzz(sys.argv[2], count=10, seed=2)
print(json.dumps([outcome.ends, [what for _, what in outcome.faults]]))
"""


def foreign(kept, *, mutates, tools=BIN):
    """How packing of files of others ended, and the faults."""
    words = [sys.executable, "-c", FOREIGN, ROOT / "tools/fuzz", kept, str(int(mutates))]
    environment = os.environ | {"RELABEL_BIN": str(tools)}
    result = subprocess.run(words, capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_packer_stands_before_files_of_others(tmp_path):
    assert foreign(tmp_path / "kept", mutates=False) == [{"0": 10}, []]
    ends, faults = foreign(tmp_path / "kept", mutates=True)
    assert faults == [] and len(ends) > 1 and not (tmp_path / "kept").exists()


BAD_PACKERS = {
    "crashing": ("os.kill(os.getpid(), 11)", "signal 11"),
    "failing": ("sys.exit(70)", "exit code 70"),
    "leaving": ("os.mkdir(out); open(out + '/index.json', 'w'); sys.exit(5)", "an error, and an index.json"),
    "gullible": ("os.mkdir(out); open(out + '/index.json', 'w').write('{}')", "not sound"),
}


@pytest.mark.parametrize("name", BAD_PACKERS)
def test_a_bad_packer_is_seen(name, tmp_path):
    body, told = BAD_PACKERS[name]
    packer = tmp_path / "relabel-pack"
    packer.write_text(f"#!{sys.executable}\nimport os, sys\nout = sys.argv[sys.argv.index('-o') + 1]\n{body}\n")
    packer.chmod(0o755)
    (tmp_path / "relabel-verify").symlink_to(BIN / "relabel-verify")
    _, faults = foreign(tmp_path / "kept", mutates=True, tools=tmp_path)
    assert len(faults) == 10 and all(told in what for what in faults)
