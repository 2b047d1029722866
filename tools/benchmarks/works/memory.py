"""Peak memory and time for an image of packing, verifying and reading, as datasets grow.

Reading is a lookup by key and an epoch of targets in chunk order, in batches of 256. The first batch is opening and
256 random targets, in a process that has imported the package and read nothing.
"""

import os
import shutil
import subprocess

from data import write_tar
from measure import BIN, HERE, ONE_THREAD, PYTHON, SWIFT, figure, peak

LIMITS = {
    "pack": 120, "verify": 150, "read, Swift library": 150, "read, Python with Swift": 150,
    "read, Python with NumPy": 150,
}
GROWING_BYTES = 32
# With fewer, a process more or less weighs as much as what grows.
ENOUGH = 1_000_000
WITHIN = 15
ENGINES = {"Python with Swift": SWIFT, "Python with NumPy": {"RELABEL_LIBRARY": "none"}}
FIRST_SECONDS, FIRST_MEGABYTES = 0.5, 150


def first_batch(dataset, environment):
    """Seconds and peak megabytes of a process that opens a dataset for one batch."""
    command = [PYTHON, HERE / "contenders" / "first_batch.py", dataset]
    environment = {**os.environ, **ONE_THREAD, **environment}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return tuple(map(float, output.split()))


def measured(bench, images):
    """Seconds and megabytes of each work, and of a first batch by each engine."""
    tar, dataset = bench.folder / "maps.tar", bench.folder / "dataset"
    write_tar(bench.maps, tar, images)
    found = {"pack": peak([BIN / "relabel-pack", tar, "--output", dataset, "--orientation", "yx"])}
    tar.unlink()
    found["verify"] = peak([BIN / "relabel-verify", dataset])
    reader = [PYTHON, HERE / "contenders" / "read_targets.py", dataset]
    found["read, Swift library"] = peak([BIN / "relabel-benchmark", "targets", dataset])
    found["read, Python with Swift"] = peak(reader, SWIFT)
    found["read, Python with NumPy"] = peak(reader, {"RELABEL_LIBRARY": "none"})
    first = {name: first_batch(dataset, environment) for name, environment in ENGINES.items()}
    shutil.rmtree(dataset)
    return found, first


def of_first_batches(first):
    """Rows of the first batch of each size; the goals are for the largest, and count for ImageNet's."""
    for images, engines in first.items():
        is_goal = images == max(first) and images >= ENOUGH
        for name, (seconds, megabytes) in engines.items():
            title = f"open and first 256 random, {images:,} images"
            has_goal = is_goal and name == "Python with Swift"
            yield figure(title, name, round(seconds, 3), "s", FIRST_SECONDS if has_goal else None)
            yield figure(title, name, round(megabytes, 1), "MB", FIRST_MEGABYTES if has_goal else None)


def rows(bench):
    sizes = sorted(bench.sizes)
    by_size, first = {}, {}
    for images in sizes:
        by_size[images], first[images] = measured(bench, images)
    found = list(of_first_batches(first))
    for work, limit in LIMITS.items():
        for images in sizes:
            seconds, megabytes = by_size[images][work]
            found.append(figure(f"peak memory, {images:,} images", work, megabytes, "MB",
                                limit if images == sizes[-1] else None,
                                microseconds=round(seconds / images * 1e6, 2), microseconds_against=0))
        few, many = by_size[sizes[0]][work], by_size[sizes[-1]][work]
        growth = (many[1] - few[1]) * 1e6 / (sizes[-1] - sizes[0])
        found.append(figure("memory that grows", work, round(max(growth, 0), 1), "bytes an image",
                            GROWING_BYTES if sizes[-1] >= ENOUGH else None))
        change = 100 * (many[0] / sizes[-1] / (few[0] / sizes[0]) - 1)
        found.append(figure(f"time an image, {sizes[0]:,} to {sizes[-1]:,}", work, round(change, 1), "% more",
                            WITHIN))
    return found
