"""A folder of pictures with targets against torchvision's ImageFolder, and a warm batch of maps.

Pictures of 500×375 are cropped, flipped and normalised, in one process on one core; the figure is processor time.
"""

import numpy as np
from data import pack, write_files
from measure import HERE, PYTHON, SWIFT, Server, figure, row, turns
from PIL import Image

CONTENDERS = HERE / "contenders"
ENGINES = {"Swift": SWIFT, "NumPy": {"RELABEL_LIBRARY": "none"}}
PICTURES = 512
SIZE = 500, 375
MOST = {"batches": 1.05, "items": 1.15}
TITLES = {"batches": "pictures in batches of 64", "items": "pictures item by item"}
WARM_MICROSECONDS = 4


def write_pictures(bench, files, folder):
    """A JPEG for each map, made of the samples' pictures."""
    samples = sorted((HERE.parents[1] / "samples" / "images").rglob("*.JPEG"))
    for number, file in enumerate(files):
        path = folder / file.relative_to(bench.folder / "maps").with_suffix(".jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(samples[number % len(samples)]).convert("RGB").resize(SIZE).save(path, quality=90)


def folders(bench):
    files = write_files(bench.maps, bench.folder / "maps", PICTURES)
    write_pictures(bench, files, bench.folder / "images")
    pack(bench.folder / "maps", bench.folder / "dataset", "--orientation", "yx")
    for how, title in TITLES.items():
        command = [PYTHON, CONTENDERS / "folder.py"]
        contenders = {"ImageFolder": Server([*command, "ImageFolder", how, bench.folder])}
        for engine, environment in ENGINES.items():
            contenders[engine] = Server([*command, "RelabelFolder", how, bench.folder], environment=environment)
        times = turns(contenders, bench.rounds)
        baseline = times.pop("ImageFolder")
        for engine, seconds in times.items():
            yield row(title, f"RelabelFolder, {engine}", "torchvision's ImageFolder", seconds, baseline, 256,
                      MOST[how], at_most=True)


def warm(bench):
    ids, scores = bench.maps.arrays(bench.images)
    np.save(bench.folder / "ids.npy", ids)
    np.save(bench.folder / "scores.npy", np.rint((scores + 128) * 256).astype(np.uint16))
    source = bench.folder / "maps.npz"
    np.savez(source, class_index=ids, score=scores)
    dataset = pack(source, bench.folder / "plain", "--compression", "none", "--score-kind", "logit",
                   "--num-classes", bench.maps.num_classes, "--orientation", "yx")
    command = [PYTHON, CONTENDERS / "warm_batch.py"]
    contenders = {"memmap": Server([*command, "memmap", bench.folder])}
    for engine, environment in ENGINES.items():
        contenders[engine] = Server([*command, "package", dataset], environment=environment)
    times = turns(contenders, bench.rounds)
    baseline = times.pop("memmap")
    for engine, seconds in times.items():
        microseconds = round(float(np.median(seconds)) / bench.images * 1e6, 2)
        yield figure("warm batch of 256 random maps, uncompressed", f"Python, {engine}", microseconds, "µs a map",
                     WARM_MICROSECONDS if engine == "Swift" else None)
        yield row("warm batch of 256 random maps, uncompressed", f"Python, {engine}", "NumPy memmap, same bytes",
                  seconds, baseline, bench.images, at_most=True)


def rows(bench):
    return [*folders(bench), *warm(bench)]
