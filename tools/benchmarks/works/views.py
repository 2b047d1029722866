"""Labels of crops: replaying a stored run, and all views of one picture, against `torch.load` of the files they come in."""

import json

import h5py
import numpy as np
import view_data
from data import key, pack
from measure import HERE, PYTHON, SWIFT, Server, figure, row, turns

CONTENDER = HERE / "contenders" / "views.py"
ENGINES = {"Swift": SWIFT, "NumPy": {"RELABEL_LIBRARY": "none"}}
REPLAY, RANDOM = 5, 10
BATCH = 128
EPOCHS = 12
PICTURES = 24
"""Pictures that are asked for at random, whose views a stored run has all over it."""


def rows(bench):
    """The rows of each form; sizes depend on how many images the user wants to time with."""
    images = max(BATCH, bench.images // 8 // BATCH * BATCH)
    found = []
    for name, of in {"SRe2L": run_of_all, "LPQLD": run_of_best}.items():
        found += stored_run(bench, name, images, of)
    return [*found, *crops(bench, max(8, bench.images // 64))]


def run_of_all(folder, images):
    """The files of a run with scores of all classes, and what the packer is told."""
    return view_data.write_sre2l(folder, images, EPOCHS, BATCH), []


def run_of_best(folder, images):
    """The files of a run with the best classes, and what the packer is told."""
    return view_data.write_lpqld(folder, images, EPOCHS, BATCH), ["--num-classes", 1000]


def stored_run(bench, name, images, of):
    """A run of training: its batches in order, and all views of one picture."""
    folder = bench.folder / name
    files, told = of(folder / "source", images)
    listing = view_data.listing(folder, images)
    dataset = pack(
        folder / "source", folder / "dataset", "--images", listing, "--score-kind", "logit", "--view-size", "224x224", *told
    )
    batches = images // BATCH
    places = [(number // batches, number % batches) for number in range(len(files))]
    wanted = np.random.default_rng(5).choice(images, PICTURES, False)
    job = {
        "dataset": str(dataset), "files": [str(path) for path in files], "is_full": name == "SRe2L",
        "batches": places if name == "SRe2L" else [(0, number) for number in range(len(files))],
        "keys": [key(int(number)) for number in wanted], "places": found_at(files, images, wanted, name),
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    yield from compared(
        bench, folder, f"views replay: batches of {BATCH}, {name}", "torch replay", "replay", len(files), REPLAY
    )
    yield from compared(
        bench, folder, f"views random access: {EPOCHS} of a picture, {name}", "torch one", "images", PICTURES, RANDOM
    )
    yield size(f"{name}, {len(files)} files", folder / "source", dataset)


def found_at(files, images, wanted, name):
    """The file and the slot of each epoch that hold a picture, for each picture that is wanted."""
    found = {int(number): [] for number in wanted}
    for path in sorted(files[0].parents[2 if name == "SRe2L" else 1].glob("dataset/*.h5")):
        with h5py.File(path) as file:
            places, indexes = file["replay"][:], file["image_index"][:]
        for place in np.flatnonzero(np.isin(indexes, wanted)):
            epoch, batch, slot = places[place].tolist()
            number = epoch * (images // BATCH) + batch if name == "SRe2L" else batch
            found[int(indexes[place])].append((str(files[number]), slot))
    return [found[int(number)] for number in wanted]


def crops(bench, images):
    """A file for each picture with 500 crops."""
    folder = bench.folder / "FKD"
    files = view_data.write_fkd(folder / "source", images)
    dataset = pack(
        folder / "source", folder / "dataset", "--score-kind", "probability", "--num-classes", 1000, "--view-size", "224x224"
    )
    order = np.random.default_rng(6).permutation(images)
    job = {
        "dataset": str(dataset), "files": [str(files[number]) for number in order], "is_full": False,
        "keys": [key(int(number)) for number in order],
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    yield from compared(
        bench, folder, "views random access: 500 crops of a picture, FKD", "torch arrays", "images", images, RANDOM
    )
    yield size(f"FKD, {len(files)} files", folder / "source", dataset)


def compared(bench, folder, title, theirs, ours, count, goal):
    """Our engines against `torch.load`, in turn."""
    command = [PYTHON, CONTENDER, folder / "job.json"]
    contenders = {"torch": Server([*command, theirs, 0])}
    for engine, environment in ENGINES.items():
        contenders[engine] = Server([*command, ours, 0], environment=environment)
    times = turns(contenders, bench.rounds)
    baseline = times.pop("torch")
    for engine, seconds in times.items():
        yield row(title, f"Python, {engine}", "torch.load of the files", seconds, baseline, count,
                  goal if engine == "Swift" else None)


def size(name, source, dataset):
    """Bytes of a dataset against those of its files."""
    own, theirs = (sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) for folder in (dataset, source))
    return figure("size of views", name, round(own / theirs, 3), "of its bytes", against="files of torch.save")
