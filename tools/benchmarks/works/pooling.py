"""Targets: pooling alone, and all the way from storage, against the code released with the paper."""

import json

import numpy as np
from data import pack, write_files
from measure import BIN, HERE, PYTHON, SWIFT, SYSTEM_PYTHON, Server, row, turns
from pixel_crops import pixel_crop

import relabel_hdf5

CONTENDERS = HERE / "contenders"
HOW = {
    "released code": ([SYSTEM_PYTHON, CONTENDERS / "released.py"], {}),
    "Swift library": ([PYTHON, CONTENDERS / "swift.py"], SWIFT),
    "Python, Swift": ([PYTHON, CONTENDERS / "package.py"], SWIFT),
    "Python, NumPy": ([PYTHON, CONTENDERS / "package.py"], {"RELABEL_LIBRARY": "none"}),
}
# The work as contenders know it, what rows call it, images a chunk.
WORKS = [
    ("pool", "pooled target from a loaded map", 4),
    ("chunk", "storage to target, chunk-aware", 4),
    ("chunk", "storage to target, chunk-aware, 16 a chunk", 16),
    ("random", "storage to target, random order", 4),
]
GOALS = {
    ("Swift library", "pool", 4): 250, ("Swift library", "chunk", 4): 40, ("Swift library", "chunk", 16): 50,
    ("Swift library", "random", 4): 12, ("Python, NumPy", "chunk", 4): 4, ("Python, NumPy", "random", 4): 4,
}
# The released code holds 0.9 MB for each map that it pools.
POOLED = 2048


def job(bench, files, dataset):
    """What all contenders are told; the path of the file that says it."""
    rng, images = np.random.default_rng(0), len(files)
    with relabel_hdf5.open(dataset) as maps:
        orders = {
            "chunk": relabel_hdf5.epoch_order(0, 0, maps.chunks),
            "random": relabel_hdf5.epoch_order(0, 0, len(maps)),
        }
    keys = [path.relative_to(bench.folder / "maps").with_suffix("").as_posix() for path in files]
    path = dataset / "job.json"
    path.write_text(json.dumps({
        "dataset": str(dataset), "pool": [str(path) for path in files[:POOLED]], "pool_keys": keys[:POOLED],
        "files": [str(files[place]) for place in rng.permutation(images)],
        "boxes": [pixel_crop(rng, 375, 500) for _ in range(images)],
        "chunk": orders["chunk"].tolist(), "random": orders["random"].tolist(),
    }))
    return path


def rows(bench):
    files = write_files(bench.maps, bench.folder / "maps", bench.images)
    jobs = {
        chunk: job(bench, files, pack(
            bench.folder / "maps", bench.folder / f"chunks-of-{chunk}", "--images-per-chunk", chunk
        ))
        for chunk in (4, 16)
    }
    found = []
    for work, title, chunk in WORKS:
        contenders = {
            name: Server(
                *([*command, jobs[chunk], work, part] for part in range(2)), environment=environment
            )
            for name, (command, environment) in HOW.items()
        }
        times = turns(contenders, bench.rounds)
        baseline = times.pop("released code")
        images = min(POOLED, len(files)) if work == "pool" else len(files)
        for name, seconds in times.items():
            goal = GOALS.get((name, work, chunk))
            found.append(row(title, name, "released code, 2 workers", seconds, baseline, images, goal))
    threads = turns({
        count: Server([BIN / "relabel-benchmark", "targets", bench.folder / "chunks-of-4", count]) for count in (1, 2)
    }, bench.rounds)
    found.append(row(
        "storage to target, chunk-aware, one process", "Swift library, 2 threads", "1 thread", threads[2], threads[1],
        len(files),
    ))
    return found
