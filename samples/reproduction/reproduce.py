"""The paper's claim, in an hour or two on two cores: scenes → annotators → label maps → students → report.

    python samples/reproduction/reproduce.py            # everything
    python samples/reproduction/reproduce.py --quick    # the whole way and two rows, in three minutes
    python samples/reproduction/reproduce.py --set-up hundred --output hundred    # a hundred classes, in forms of labels

The same command run again goes on where it stopped. Needs Debian's dataset-fashion-mnist, PyTorch, torchvision and timm.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import time

import labels
import plan
import report
import scenes
import targets

HERE = pathlib.Path(__file__).resolve().parent


def main():
    options = parse()
    folder = pathlib.Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()

    def say(text):
        print(f"{(time.monotonic() - begin) / 60:6.1f} min  {text}", flush=True)

    size = plan.QUICK[options.set_up] if options.quick else plan.FULL
    count = size.scenes
    say(f"{count} scenes to train with, {count // 5} to test with")
    set_up, specs = scenes.SET_UPS[options.set_up], plan.LABELS[options.set_up]
    scenes.write(folder / "train", count, "train", 0, (0, 20_000), set_up)
    scenes.write(folder / "test", count // 5, "t10k", 1, (0, 10_000), set_up)
    runs = plan.runs(options.set_up, options.seeds, 12 if options.quick else options.epochs, options.quick)
    used = {"strong", *(run["labelled"] for run in runs.values())}
    wanted = [name for name in specs if name in used | {plan.dense_of(options.set_up, one) for one in used}]
    studied = plan.STUDIED[options.set_up][: 1 if options.quick else None]
    annotators = sorted({*studied, *(specs[name]["annotator"] for name in wanted)})
    labels.train_annotators(folder, annotators, set_up, size, say)
    for name in studied:
        labels.write_dense(folder, name)
    said = {}
    for name in wanted:
        say(f"labels '{name}'")
        output, text = labels.annotate(folder, name, specs[name], set_up)
        said[name] = {
            "text": text, "findings": labels.findings(folder, output), "targets": targets.quality(folder, output),
            "bytes": labels.bytes_of_image(output),
        }  # fmt: skip
        for run in runs.values():
            if run["labelled"] == name:
                run |= {"images": str(folder / "train" / "images"), "test": str(folder / "test"), "labels": str(output)}
    for name in wanted:
        dense = plan.dense_of(options.set_up, name)
        if dense in said:
            said[name]["lost"] = targets.lost(*(labels.folder_of(folder, one) for one in (name, dense)))
            say("'{}' against all classes: {}".format(name, said[name]["lost"]))
    if not options.report:
        train(folder, runs, options.jobs, say)
    report.write(folder, runs, said, specs, sys.argv[1:])
    say(f"the report: {folder / 'report.md'}, {folder / 'report.html'}, {folder / 'results.json'}")


def train(folder, runs, jobs, say):
    """All students, `jobs` at a time; those with a result are done."""
    (folder / "runs").mkdir(exist_ok=True)
    left = [name for name in runs if not (folder / "runs" / f"{name}.json").exists()]
    say(f"{len(runs)} students, {len(runs) - len(left)} of them trained before")

    def one(name):
        settings = folder / "runs" / f"{name}.run"
        settings.write_text(json.dumps(runs[name]))
        command = [sys.executable, HERE / "students.py", settings, folder / "runs" / f"{name}.json"]
        found = subprocess.run(command, capture_output=True, text=True, env=labels.environment())
        if found.returncode:
            raise SystemExit(f"the student {name} failed:\n{found.stderr[-2000:]}")
        return name

    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for place, done in enumerate(concurrent.futures.as_completed([pool.submit(one, name) for name in left]), 1):
            rate = (time.monotonic() - begin) / place
            say(f"{done.result()}: {place} of {len(left)}, {rate * (len(left) - place) / 60:.0f} min left")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--set-up", choices=scenes.SET_UPS, default="ten",
        help="ten garments, or a hundred: each in ten tints. (default: ten)",
    )  # fmt: skip
    parser.add_argument("--output", default="reproduction", help="The folder for everything. (default: reproduction)")
    parser.add_argument("--quick", action="store_true", help="Two rows on few scenes.")
    parser.add_argument("--report", action="store_true", help="Write the report of the students that are trained.")
    parser.add_argument("--seeds", type=int, default=3, help="Seeds of each row. (default: 3)")
    parser.add_argument("--epochs", type=int, default=16, help="Epochs of a student. (default: 16)")
    parser.add_argument("--jobs", type=int, default=2, help="Students at a time. (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
