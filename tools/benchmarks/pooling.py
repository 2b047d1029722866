"""Ratios of LabelPooling against the released code, all contenders in turn in one run."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import relabel_hdf5

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from pixel_crops import pixel_crop

BIN = pathlib.Path(os.environ.get("RELABEL_BIN", HERE.parents[1] / ".build" / "release"))
SWIFT = {"RELABEL_LIBRARY": str(BIN / "libRelabelC.so")}
CONTENDERS = {
    "released code": (["/usr/bin/python3", HERE / "contenders" / "released.py"], {}),
    "Python, NumPy": ([sys.executable, HERE / "contenders" / "package.py"], {"RELABEL_LIBRARY": "none"}),
    "Python, Swift": ([sys.executable, HERE / "contenders" / "package.py"], SWIFT),
    "Swift library": ([sys.executable, HERE / "contenders" / "swift.py"], SWIFT),
}
WORKS = {
    "pool": "pooled target from a loaded map",
    "chunk": "storage to target, chunk-aware order",
    "random": "storage to target, random order",
}
GOALS = {
    ("Swift library", "pool"): 250, ("Swift library", "chunk"): 40, ("Swift library", "random"): 12,
    ("Python, NumPy", "chunk"): 4, ("Python, NumPy", "random"): 4,
}
# One thread each: the two processes of a contender have a core each.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Contender:
    """Two processes that do one half of a work each."""

    def __init__(self, command, environment, job, work):
        environment = {**os.environ, **ONE_THREAD, **environment}
        self.halves = [
            subprocess.Popen(
                [*map(str, command), str(job), work, str(part)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            )
            for part in range(2)
        ]
        for process in self.halves:
            if process.stdout.readline().strip() != "ready":
                raise SystemExit(f"{command[-1]} did not start")

    def seconds(self):
        """One run: the time of the slower half."""
        for process in self.halves:
            process.stdin.write("\n")
            process.stdin.flush()
        return max(float(process.stdout.readline()) for process in self.halves)

    def stop(self):
        for process in self.halves:
            process.stdin.close()
            process.wait()


def prepare(source, folder, images):
    """Copies of the maps until there are enough, packed; returns the job of all contenders."""
    originals = sorted(source.rglob("*.pt"))
    if not originals:
        raise SystemExit(f"there is no .pt file below {source}")
    files, rng = [], np.random.default_rng(0)
    for number in range(images):
        original = originals[number % len(originals)]
        place = folder / "maps" / str(number // len(originals)) / original.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, place)
        files.append(place)
    dataset = folder / "dataset"
    subprocess.run([BIN / "relabel-pack", folder / "maps", "--output", dataset], check=True, stdout=subprocess.DEVNULL)
    with relabel_hdf5.open(dataset) as maps:
        chunk_order = relabel_hdf5.epoch_order(0, 0, maps.chunks)
        random_order = relabel_hdf5.epoch_order(0, 0, len(maps))
    keys = [path.relative_to(folder / "maps").with_suffix("").as_posix() for path in files]
    job = {
        "dataset": str(dataset), "pool": [str(path) for path in files[:2048]], "pool_keys": keys[:2048],
        "files": [str(files[place]) for place in rng.permutation(images)],
        "boxes": [pixel_crop(rng, 375, 500) for _ in range(images)],
        "chunk": chunk_order.tolist(), "random": random_order.tolist(),
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path, {"pool": len(job["pool"]), "chunk": images, "random": images}


def measure(job, counts, rounds):
    """Rows of the table: every contender against the released code, in turn, several rounds."""
    rows = []
    for work, title in WORKS.items():
        contenders = {name: Contender(*how, job, work) for name, how in CONTENDERS.items()}
        times = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, contender in contenders.items():
                times[name].append(contender.seconds() / counts[work])
        for contender in contenders.values():
            contender.stop()
        baseline = times.pop("released code")
        for name, seconds in times.items():
            ratios = sorted(slow / fast for slow, fast in zip(baseline, seconds))
            goal, ratio = GOALS.get((name, work)), statistics.median(ratios)
            rows.append({
                "work": title, "contender": name, "against": "released code", "ratio": round(ratio, 1),
                "spread": [round(ratios[0], 1), round(ratios[-1], 1)], "goal": goal,
                "met": None if goal is None else ratio >= goal,
                "microseconds": round(statistics.median(seconds) * 1e6, 2),
                "microseconds_against": round(statistics.median(baseline) * 1e6, 1),
            })
    return rows


def main():
    parser = argparse.ArgumentParser(prog="tools/benchmarks/pooling")
    parser.add_argument("maps", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=5120, help="how many images to make of the maps")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(*prepare(options.maps, pathlib.Path(folder), options.images), options.rounds)
    print(f"{options.images} images, {options.rounds} rounds, two processes of one thread each")
    print(f"{'work':38}{'contender':16}{'ratio':>8}{'spread':>16}{'goal':>6}{'µs/image':>10}{'released':>10}")
    for row in rows:
        spread = f"{row['spread'][0]} … {row['spread'][1]}"
        goal = "" if row["goal"] is None else f"{row['goal']}"
        print(
            f"{row['work']:38}{row['contender']:16}{row['ratio']:>8}{spread:>16}{goal:>6}"
            f"{row['microseconds']:>10}{row['microseconds_against']:>10}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["met"] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
