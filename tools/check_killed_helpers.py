"""Kills helper processes of the verifier at random moments; see tools/check-killed-helpers."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "spec" / "conformance" / "generator")]

from running import BIN
from shard_writer import Shard, write_dataset


def build(folder):
    """Sound sets and unsound ones, each with the exit code of an undisturbed run."""
    common = {"rows": 60, "height": 5, "width": 5, "k": 4}
    shards = [Shard(first_index=60 * n, seed=n, **common) for n in range(4)]
    write_dataset(folder / "sound", *shards)
    twice = [*shards[:3], replace(shards[3], keys=shards[0].image_keys())]
    write_dataset(folder / "keys twice", *twice)
    write_dataset(folder / "damaged", *shards)
    path = next((folder / "damaged").glob("*-00002.h5"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return [folder / name for name in ("sound", "keys twice", "damaged")]


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def verify(dataset, delay=None, choose=random):
    """The exit code and report of a run whose helpers are killed after `delay` seconds, and how many were."""
    command = [BIN / "relabel-verify", dataset, "--format", "json", "--jobs", "2"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    killed = 0
    if delay is not None:
        time.sleep(delay)
        for _ in range(choose.randrange(1, 4)):
            for child in children(run.pid)[:1]:
                try:
                    os.kill(child, choose.choice([signal.SIGKILL, signal.SIGTERM]))
                    killed += 1
                except ProcessLookupError:
                    continue
            time.sleep(0.002)
    text = run.stdout.read()
    return run.wait(), json.loads(text), killed


def fault(code, expected, report):
    """What is wrong with how a disturbed run ended, or None."""
    if code == expected:
        return None
    if code not in (70, 74):
        return f"ended with {code}, undisturbed with {expected}"
    return None if report["failures"] else f"ended with {code} and says no reason"


def main(runs=200, seed=0):
    choose = random.Random(int(seed))
    with tempfile.TemporaryDirectory() as folder:
        sets = build(pathlib.Path(folder))
        expected, lengths = {}, {}
        for dataset in sets:
            start = time.monotonic()
            expected[dataset] = verify(dataset)[0]
            lengths[dataset] = time.monotonic() - start
        if expected[sets[0]] != 0 or 0 in (expected[sets[1]], expected[sets[2]]):
            raise SystemExit(f"undisturbed runs end with {list(expected.values())}")
        counts, faults = Counter(), []
        for number in range(int(runs)):
            dataset = sets[number % len(sets)]
            delay = choose.uniform(0, lengths[dataset])
            code, report, killed = verify(dataset, delay, choose)
            counts[dataset.name, "disturbed" if killed else "not met", code] += 1
            if found := fault(code, expected[dataset], report):
                faults.append(f"run {number}, {dataset.name}: {found}")
        for (name, how, code), count in sorted(counts.items()):
            print(f"{name:12} {how:10} exit {code:2}  {count}")
        for line in faults:
            print(line)
        raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
