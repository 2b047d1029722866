"""The labels: `relabel-annotate` over the scenes, verified; and labels that are wrong on purpose, which verify as sound."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import torch
from annotators import fit, normalised, train_clean
from networks import ANNOTATORS, trained_annotator
from PIL import Image
from scenes import SIDE

import relabel_hdf5
from relabel_hdf5 import Writer
from relabel_hdf5.annotate import Annotator
from relabel_hdf5.programs import program

HERE = pathlib.Path(__file__).resolve().parent


def train_annotators(folder, names, set_up, size, say):
    """Weights of the annotators: on clean garments of their own, or on the noisy scenes themselves."""
    for name in names:
        path = folder / f"{name}.pth"
        say(f"annotator '{name}'")
        if name == "noisy":
            train_noisy(path, folder, set_up.classes, size.noisy_epochs)
        else:
            make = ANNOTATORS.get(name, trained_annotator)
            epochs = size.epochs // 2 if name == "tokens" else size.epochs
            train_clean(path, make, set_up, size.clean_crops, epochs, with_ground=name != "no-ground")


def train_noisy(path, folder, classes, epochs):
    """Trains on random crops of the scenes, each with the scene's one label."""
    if path.exists():
        return
    generator = np.random.default_rng(1)
    crops, targets = [], []
    for key in json.loads((folder / "train" / "scenes.json").read_text()):
        picture = Image.open(folder / "train" / "images" / f"{key}.png")
        for _ in range(2):
            side = int(generator.integers(20, 65))
            top, left = (int(v) for v in generator.integers(0, 65 - side, 2))
            crop = picture.crop((left, top, left + side, top + side)).resize((32, 32), Image.Resampling.BILINEAR)
            crops.append(np.asarray(crop))
            targets.append(classes.index(key.partition("/")[0]))
    torch.manual_seed(1)
    network = trained_annotator()
    one_hot = torch.nn.functional.one_hot(torch.tensor(targets), len(classes)).float()
    fit(network, normalised(np.stack(crops)), one_hot, epochs, generator)
    torch.save(network.state_dict(), path)


def folder_of(folder, name):
    """Where labels lie."""
    return folder / "labels" / name.replace(" ", "_")


def annotate(folder, name, spec, set_up):
    """One labelled dataset; what the tools said of it."""
    output = folder_of(folder, name)
    said = output.with_suffix(".txt")
    if said.exists():
        return output, said.read_text()
    output.parent.mkdir(exist_ok=True)
    classes = folder / "classes.tsv"
    classes.write_text("".join(f"{identifier}\t{identifier}\n" for identifier in set_up.classes))
    if "wrong" in spec:
        write_wrong(folder / "labels" / "strong", output, spec["wrong"])
        text = ""
    else:
        command = [
            sys.executable, "-m", "relabel_hdf5.annotate", "--model", network_of(spec["annotator"]),
            "--weights", folder / f"{spec['annotator']}.pth", "--input-size", "64", "--images", folder / "train" / "images",
            "--classes", classes, "--output", output, "--batch-size", "64", "--workers", "1", "--check", "32",
            "--overwrite", *spec.get("options", ()),
        ]  # fmt: skip
        found = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        text = found.stderr + found.stdout
        if found.returncode:
            raise SystemExit(f"annotating for '{name}' failed:\n{text}")
    verified = subprocess.run([program("relabel-verify"), output], capture_output=True, text=True)
    text += verified.stdout + verified.stderr
    if verified.returncode:
        raise SystemExit(f"the labels '{name}' do not verify:\n{text}")
    said.write_text(text)
    return output, text


def findings(folder, output):
    """The rules that `relabel-verify` names of labels, with the boxes of the garments: what a user can know before training."""
    command = [program("relabel-verify"), output, "--boxes", folder / "train" / "boxes.csv", "--format", "json"]
    found = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    named = {}
    for finding in json.loads(found.stdout)["findings"]:
        if finding["severity"] != "note":
            named.setdefault(finding["rule"], finding["message"])
    return named


def bytes_of_image(output):
    """What an image takes in shards, everything included."""
    with relabel_hdf5.open(output) as maps:
        return sum(path.stat().st_size for path in output.rglob("*.h5")) / len(maps)


def write_dense(folder, name, count=40):
    """An annotator's maps of the first scenes, as `tools/study-factors` reads them: .npy of [C, 16, 16]."""
    output = folder / "dense" / name
    if output.exists():
        return
    annotator = Annotator(network_of(name), weights=str(folder / f"{name}.pth"), input_size=(SIDE, SIDE))
    for key in list(json.loads((folder / "train" / "scenes.json").read_text()))[:count]:
        pixels = np.asarray(Image.open(folder / "train" / "images" / f"{key}.png"))
        path = output / f"{key}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, annotator.maps(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])[0].numpy())


def network_of(name):
    """What `relabel-annotate` calls the network of an annotator."""
    return f"{HERE / 'networks.py'}:{ANNOTATORS.get(name, trained_annotator).__name__}"


def write_wrong(source, output, wrong):
    """The same maps with one mistake: transposed, other logits, or under the keys of other pictures."""
    with relabel_hdf5.open(source) as maps:
        order = np.argsort(maps.image_indexes())
        keys = [maps.key(int(place)) for place in order]
        if wrong == "shuffled":
            keys = [keys[place] for place in np.random.default_rng(0).permutation(len(keys))]
        with Writer(
            output, num_classes=len(maps.classes), score_kind="logit", classes=maps.classes, overwrite=True,
            annotator={"name": f"wrong on purpose: {wrong}"},
        ) as writer:  # fmt: skip
            for first in range(0, len(order), 256):
                batch = maps.batch(order[first : first + 256])
                ids, scores = batch.class_index, batch.score
                if wrong == "transposed":
                    ids, scores = ids.swapaxes(1, 2), scores.swapaxes(1, 2)
                if wrong == "lowered":
                    scores = scores - 10
                if wrong == "sigmoid":
                    scores = 1 / (1 + np.exp(-scores))
                writer.add_batch(keys[first : first + 256], (ids, scores))


def environment():
    """One thread for each of the processes that run side by side."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
