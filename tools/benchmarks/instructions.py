"""Counts the kernels' instructions for a map with callgrind and compares them with instructions.json."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = ROOT / ".build" / "release"
RECORD = HERE / "instructions.json"
# Those of dense maps, and those of packed ones.
DENSE = ("topk", "factors", "pooling-factors")
KERNELS = (*DENSE, "cells", "pooling", "encode", "decode", "shuffle", "unshuffle", "fletcher32")
# Another compiler of the same series, or another libc's memcpy, moves counts by a few percent.
TOLERANCE = 0.05


def count(program, kernel, data):
    """Instructions of `kernel` for each map of `data`."""
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--toggle-collect=relabel_counted", "--callgrind-out-file=/dev/null",
         program, "count", kernel, data],
        capture_output=True, text=True,
    )
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found or int(found[1]) == 0:
        raise SystemExit(f"{kernel} can't be counted:\n{run.stderr}")
    return round(int(found[1]) / int(run.stdout))


def verdict(kernel, instructions, recorded):
    """What to say about a count, and whether it passes."""
    if recorded is None:
        return "is not on record: tools/check-instructions --update", False
    change = instructions / recorded - 1
    text = f"{instructions:,} instructions a map, {change:+.1%} of the {recorded:,} on record"
    if change > TOLERANCE:
        return f"{text}: slower; if that is wanted, tools/check-instructions --update", False
    if change < -TOLERANCE:
        return f"{text}: faster; keep it with tools/check-instructions --update", True
    return text, True


def main():
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = pathlib.Path(folder) / "dataset"
        subprocess.run([BIN / "relabel-pack", ROOT / "samples" / "maps", "--output", dataset], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Valgrind 3.19 can't read the debugging sections; the symbol table stays.
        program = pathlib.Path(folder) / "relabel-benchmark"
        subprocess.run(["strip", "--strip-debug", "-o", program, BIN / "relabel-benchmark"], check=True)
        dense = min((ROOT / "samples" / "dense").rglob("*.npy"))
        counts = {kernel: count(program, kernel, dense if kernel in DENSE else dataset) for kernel in KERNELS}
    if "--update" in sys.argv[1:]:
        RECORD.write_text(json.dumps(counts, indent=2) + "\n")
    passed = True
    for kernel, instructions in counts.items():
        text, passes = verdict(kernel, instructions, counts[kernel] if "--update" in sys.argv else record.get(kernel))
        print(f"{kernel:12}{text}")
        passed = passed and passes
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
