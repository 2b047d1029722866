"""Ratio of relabel-verify to a bare decode of the same chunks, in turn in one run; peak memory."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("RELABEL_BIN", HERE.parents[1] / ".build" / "release"))
DECODE = BIN / "relabel-benchmark"
THREADS = (1, 2)
RATIO_GOAL = 1.3
MEMORY_GOAL = 150


def varied(originals, images):
    """Ids and scores [n, y, x, rank] of maps that were flipped, rolled and given a little noise."""
    rng = np.random.default_rng(0)
    _, k, height, width = originals[0].shape
    ids = np.empty((images, height, width, k), np.uint16)
    scores = np.empty((images, height, width, k), np.float32)
    for number in range(images):
        planes = originals[number % len(originals)].transpose(0, 2, 3, 1)
        planes = planes[:, :: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        planes = np.roll(planes, rng.integers((height, width)), (1, 2))
        noise = rng.normal(0, 0.05, (height, width, 1)) + rng.normal(0, 0.01, (height, width, k))
        scores[number], ids[number] = planes[0] + noise, planes[1]
    return ids, scores


def prepare(source, folder, images):
    """A dataset made from the maps below `source`, packed with the defaults."""
    paths = sorted(source.rglob("*.pt"))
    if not paths:
        raise SystemExit(f"there is no .pt file below {source}")
    ids, scores = varied([torch.load(path, weights_only=True).numpy() for path in paths], images)
    np.savez(folder / "maps.npz", class_index=ids, score=scores)
    command = [BIN / "relabel-pack", folder / "maps.npz", "--output", folder / "dataset"]
    subprocess.run(
        [*command, "--score-kind", "logit", "--num-classes", str(max(1000, int(ids.max()) + 1))],
        check=True, stdout=subprocess.DEVNULL,
    )
    (folder / "maps.npz").unlink()
    return folder / "dataset"


class Decoder:
    """The bare decode: one process with the shards open."""

    def __init__(self, dataset, threads):
        self.process = subprocess.Popen(
            [DECODE, "decode", str(threads), *sorted(map(str, dataset.glob("*.h5")))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{DECODE} did not start")

    def seconds(self):
        """Seconds and processor seconds of one pass."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def verifier(dataset, threads):
    return [str(BIN / "relabel-verify"), "--jobs", str(threads), str(dataset)]


def processor_seconds():
    """Of all children so far that have ended, and theirs."""
    times = os.times()
    return times.children_user + times.children_system


def verify_seconds(dataset, threads):
    """Seconds and processor seconds of the program from its start to its end."""
    before, start = processor_seconds(), time.perf_counter()
    subprocess.run(verifier(dataset, threads), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, processor_seconds() - before


def proportional_kib(process):
    """Memory of a process and its children, shared pages shared out."""
    try:
        rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0
    own = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")]
    return sum(own) + sum(map(proportional_kib, children))


def peak_megabytes(dataset, threads):
    """The most memory that the verifier and its helpers have at once, looked at every 2 ms."""
    process = subprocess.Popen(verifier(dataset, threads), stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, proportional_kib(process.pid))
        time.sleep(0.002)
    return peak * 1024 / 1e6


def measure(dataset, images, threads, rounds):
    """One row of the table."""
    decoder = Decoder(dataset, threads)
    runs = [(decoder.seconds(), verify_seconds(dataset, threads)) for _ in range(rounds)]
    decoder.stop()
    ratios = sorted(verify[0] / decode[0] for decode, verify in runs)
    ratio, memory = statistics.median(ratios), peak_megabytes(dataset, threads)
    return {
        "threads": threads, "against": "bare decode", "ratio": round(ratio, 2),
        "spread": [round(ratios[0], 2), round(ratios[-1], 2)], "goal": RATIO_GOAL,
        "processor_ratio": round(statistics.median(verify[1] / decode[1] for decode, verify in runs), 2),
        "microseconds": round(statistics.median(verify[0] for _, verify in runs) / images * 1e6, 2),
        "microseconds_against": round(statistics.median(decode[0] for decode, _ in runs) / images * 1e6, 2),
        "peak_megabytes": round(memory), "memory_goal": MEMORY_GOAL,
        "met": ratio <= RATIO_GOAL and memory <= MEMORY_GOAL,
    }


def main():
    parser = argparse.ArgumentParser(prog="tools/benchmarks/verify")
    parser.add_argument("maps", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=65_536, help="how many images to make of the maps")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = prepare(options.maps, pathlib.Path(folder), options.images)
        rows = [measure(dataset, options.images, threads, options.rounds) for threads in THREADS]
    print(f"{options.images} images, {options.rounds} rounds; verify from start to end, decode with its shards open")
    print(f"{'threads':>7}{'ratio':>8}{'spread':>16}{'goal':>6}{'processor':>11}{'µs/image':>10}{'decode':>8}{'peak MB':>9}")
    for row in rows:
        spread = f"{row['spread'][0]} … {row['spread'][1]}"
        print(
            f"{row['threads']:>7}{row['ratio']:>8}{spread:>16}{row['goal']:>6}{row['processor_ratio']:>11}"
            f"{row['microseconds']:>10}{row['microseconds_against']:>8}{row['peak_megabytes']:>9}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
