"""Targets of maps of factors from storage, against the best five classes of the same maps, and what making factors costs."""

import json
import pathlib
import shutil

import numpy as np
from data import pack, write_varied_dense
from measure import BIN, HERE, PYTHON, SWIFT, Commands, Server, row, turns
from pixel_crops import pixel_crop

import relabel_hdf5
from works.dense import real

# 0.9 MB each before they are packed.
IMAGES = 1024
SAMPLES = sorted((HERE.parents[1] / "samples" / "dense").rglob("*.npy"))
# All ways from storage to targets, by their own engine; at most so many times the time of the best five classes.
GOAL = 1.3


def job(dataset, images):
    """What the package's contender is told; the path of the file that says it."""
    rng = np.random.default_rng(0)
    with relabel_hdf5.open(dataset) as maps:
        order = relabel_hdf5.epoch_order(0, 0, maps.chunks).tolist()
    path = pathlib.Path(dataset) / "job.json"
    boxes = [pixel_crop(rng, 375, 500) for _ in range(images)]
    path.write_text(json.dumps({"dataset": str(dataset), "chunk": order, "boxes": boxes}))
    return path


def rows(bench):
    count = min(IMAGES, bench.images)
    source, forms = bench.folder / "dense", {"factors": ["--maps", "factors"], "top 5": ["--top-k", 5]}
    write_varied_dense(real(bench.maps.folder) or SAMPLES, source, count)
    made = {
        name: pack(source, bench.folder / name.replace(" ", "-"), "--score-kind", "logit", *options)
        for name, options in forms.items()
    }
    jobs = {name: job(dataset, count) for name, dataset in made.items()}

    def package(name, environment):
        command = [PYTHON, HERE / "contenders" / "package.py", jobs[name], "chunk"]
        return Server(*([*command, part] for part in range(2)), environment=environment)

    ways = {
        "Swift library, 1 thread": lambda name: Server([BIN / "relabel-benchmark", "pooled", made[name], 1]),
        "Python, Swift": lambda name: package(name, SWIFT),
        "Python, NumPy": lambda name: package(name, {"RELABEL_LIBRARY": "none"}),
    }
    found = []
    for way, contender in ways.items():
        times = turns({name: contender(name) for name in forms}, bench.rounds)
        goal = None if way == "Python, NumPy" else GOAL
        work = "storage to target of factors, chunk-aware"
        found.append(row(work, way, "top 5", times["factors"], times["top 5"], count, goal, at_most=True))

    def packer(name):
        output = bench.folder / "timed"
        return Commands(
            [BIN / "relabel-pack", source, "--output", output, "--score-kind", "logit", *forms[name], "--jobs", 2],
            before=lambda: shutil.rmtree(output, ignore_errors=True),
        )

    times = turns({name: packer(name) for name in forms}, bench.rounds)
    found.append(row(
        "pack from dense float32 .npy, factors", "relabel-pack --maps factors, 2 jobs", "--top-k 5", times["factors"],
        times["top 5"], count, at_most=True,
    ))
    return found
