"""Peak memory and time for an image of packing, verifying and reading, as datasets grow.

Reading is a lookup by key and an epoch of targets in chunk order, in batches of 256.
"""

import shutil

from data import write_tar
from measure import BIN, HERE, PYTHON, SWIFT, figure, peak

LIMITS = {
    "pack": 120, "verify": 150, "read, Swift library": 150, "read, Python with Swift": 150,
    "read, Python with NumPy": 150,
}
GROWING_BYTES = 32
# With fewer, a process more or less weighs as much as what grows.
ENOUGH = 1_000_000
WITHIN = 15


def measured(bench, images):
    """Seconds and megabytes of each work."""
    tar, dataset = bench.folder / "maps.tar", bench.folder / "dataset"
    write_tar(bench.maps, tar, images)
    found = {"pack": peak([BIN / "relabel-pack", tar, "--output", dataset, "--orientation", "yx"])}
    tar.unlink()
    found["verify"] = peak([BIN / "relabel-verify", dataset])
    reader = [PYTHON, HERE / "contenders" / "read_targets.py", dataset]
    found["read, Swift library"] = peak([BIN / "relabel-benchmark", "targets", dataset])
    found["read, Python with Swift"] = peak(reader, SWIFT)
    found["read, Python with NumPy"] = peak(reader, {"RELABEL_LIBRARY": "none"})
    shutil.rmtree(dataset)
    return found


def rows(bench):
    sizes = sorted(bench.sizes)
    by_size = {images: measured(bench, images) for images in sizes}
    found = []
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
