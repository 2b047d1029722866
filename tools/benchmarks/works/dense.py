"""From dense float32 .npy maps to a dataset, against torch.topk and h5py; the top-k kernel against a scan."""

import pathlib
import shutil

import numpy as np
from data import write_dense
from measure import BIN, HERE, PYTHON, Commands, Server, row, turns

# 0.9 MB each.
IMAGES = 1024


def real(folder):
    """Dense maps that the folder of the .pt maps has beside it, `dense` or `dense-npy`."""
    for name in ("dense", "dense-npy"):
        found = sorted((pathlib.Path(folder).parent / name).glob("**/*.npy"))
        if found and np.load(found[0], mmap_mode="r").dtype == np.float32:
            return found
    return []


def rows(bench):
    count = min(IMAGES, bench.images)
    paths = write_dense(bench.maps, bench.folder / "dense", count)
    for path, source in zip(paths, real(bench.maps.folder) * count):
        shutil.copyfile(source, path)
    script = HERE / "contenders" / "pack_dense.py"

    def ours(jobs):
        output = bench.folder / f"dataset-{jobs}"
        return Commands(
            [BIN / "relabel-pack", bench.folder / "dense", "--output", output, "--score-kind", "logit", "--jobs", jobs],
            before=lambda: shutil.rmtree(output, ignore_errors=True),
        )

    times = turns({
        "one": Server([PYTHON, script, bench.folder / "dense", bench.folder / "all.h5", 0, 1]),
        "two": Server(*(
            [PYTHON, script, bench.folder / "dense", bench.folder / f"half-{part}.h5", part, 2] for part in range(2)
        )),
        "ours": ours(2), "one thread": ours(1),
    }, bench.rounds)
    kernel = turns({
        name: Server([BIN / "relabel-benchmark", name, paths[0]]) for name in ("scan", "topk")
    }, bench.rounds)
    maps = 256 * 2**20 // (np.load(paths[0], mmap_mode="r").nbytes)
    work = "pack from dense float32 .npy"
    return [
        row(work, "relabel-pack, verified", "2 scripts of torch.topk + h5py", times["ours"], times["two"], count, 4.5),
        row(work, "relabel-pack, verified", "torch.topk + h5py, 2 threads", times["ours"], times["one"], count),
        row(work, "relabel-pack --jobs 2", "relabel-pack --jobs 1", times["ours"], times["one thread"], count, 1.85),
        row("top-k kernel", "TopK.reduce", "memory scan", kernel["topk"], kernel["scan"], maps, 2.5, at_most=True),
    ]
