"""One student: trained with one kind of target on crops of the scenes, and scored.

    python students.py RUN.json RESULT.json
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "checking"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision_import  # noqa: E402, F401  # torchvision beside a CPU build of torch
from annotators import normalised  # noqa: E402
from networks import CONFIG, STUDENTS  # noqa: E402
from PIL import Image  # noqa: E402
from scenes import SET_UPS, SIDE  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402
from torchvision import transforms as T  # noqa: E402

import relabel_hdf5  # noqa: E402
from relabel_hdf5.train import EpochSampler, RelabelFolder, SoftMixup  # noqa: E402

BATCH = 64


class Numbered(Dataset):
    """The folder's items with their numbers, so that every kind of target sees the same crops."""

    def __init__(self, folder):
        self.folder = folder

    def __len__(self):
        return len(self.folder)

    def __getitems__(self, numbers):
        items = self.folder.__getitems__(numbers)
        return [(*item, number) for item, number in zip(items, numbers)]


def targets_of(run, folder):
    """What makes the targets [B, C] of a batch: of the pooled ones, the labels and the numbers of its items."""
    count = len(folder.maps.classes)
    whole = folder.maps.targets(folder.positions, np.tile([0.0, 0, 1, 1], (len(folder), 1)), outside="clamp")[0]
    whole = torch.from_numpy(whole)
    cleaned = functional.one_hot(whole.argmax(1), count).float()
    kinds = {
        "single": lambda pooled, label, number: functional.one_hot(label, count).float(),
        "smoothing": lambda pooled, label, number: functional.one_hot(label, count) * 0.9 + 0.1 / count,
        "cleaning": lambda pooled, label, number: cleaned[number],
        "global": lambda pooled, label, number: whole[number],
        "localised": lambda pooled, label, number: pooled,
    }
    make = kinds[run["target"]]
    if "temperature" not in run:
        return make
    return lambda *item: (make(*item).log() / run["temperature"]).softmax(1)


def train(run):
    """The trained student, the loss of each epoch, and the seconds of loading and of computing a step."""
    torch.manual_seed(run["seed"])
    classes = len(SET_UPS[run["set_up"]].classes)
    network = STUDENTS[run["student"]](classes)
    transform = T.Compose([
        T.RandomResizedCrop(32, scale=(run.get("crop", 0.08), 1)), T.RandomHorizontalFlip(), T.ToTensor(),
        T.Normalize(CONFIG["mean"], CONFIG["std"]),
    ])  # fmt: skip
    folder = RelabelFolder(run["images"], run["labels"], transform, classes="maps", label=True)
    make = targets_of(run, folder)
    sampler = EpochSampler(folder, seed=run["seed"])
    loader = DataLoader(Numbered(folder), BATCH, sampler=sampler, drop_last=True)
    mix = SoftMixup(mixup_alpha=0, cutmix_alpha=1.0, num_classes=classes) if run.get("cutmix") else None
    np.random.seed(run["seed"])  # timm's Mixup draws from NumPy
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = run["epochs"] * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps, pct_start=0.2)
    curve, loading, stepping = [], 0.0, 0.0
    for epoch in range(run["epochs"]):
        sampler.set_epoch(epoch)
        network.train()
        total, begin = 0.0, time.perf_counter()
        for images, pooled, label, number in loader:
            ready = time.perf_counter()
            loading += ready - begin
            targets = make(pooled, label, number).float()
            if mix is not None:
                images, targets = mix(images, targets)
            loss = functional.cross_entropy(network(images), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
            begin = time.perf_counter()
            stepping += begin - ready
        curve.append(round(total / len(loader), 4))
    network.eval()
    return network, curve, loading / steps, stepping / steps


def single_crops(test):
    """Crops [N, 32, 32, 3] of one garment each, and their classes: the garments that nothing covers by more than a tenth."""
    truth = json.loads((pathlib.Path(test) / "scenes.json").read_text())
    crops, labels = [], []
    for key, placed in truth.items():
        picture = np.asarray(Image.open(pathlib.Path(test) / "images" / f"{key}.png"))
        for top, left, label in placed:
            others = [(y, x) for y, x, _ in placed if (y, x) != (top, left)]
            covered = max((max(0, 28 - abs(y - top)) * max(0, 28 - abs(x - left)) for y, x in others), default=0)
            if covered <= 78:
                top, left = min(max(0, top - 2), SIDE - 32), min(max(0, left - 2), SIDE - 32)
                crops.append(picture[top : top + 32, left : left + 32])
                labels.append(label)
    return np.stack(crops), np.array(labels)


WINDOWS = [(top, left) for top in (0, 16, 32) for left in (0, 16, 32)]


def scenes_as_wholes(test, classes):
    """Scenes resized [N, 32, 32, 3], their windows [N, 9, 32, 32, 3], and which classes each scene shows [N, C]."""
    truth = json.loads((pathlib.Path(test) / "scenes.json").read_text())
    pictures, windows, shows = [], [], np.zeros((len(truth), classes), bool)
    for place, (key, placed) in enumerate(truth.items()):
        picture = Image.open(pathlib.Path(test) / "images" / f"{key}.png")
        pictures.append(np.asarray(picture.resize((32, 32), Image.Resampling.BILINEAR)))
        pixels = np.asarray(picture)
        windows.append([pixels[top : top + 32, left : left + 32] for top, left in WINDOWS])
        shows[place, [label for _, _, label in placed]] = True
    return np.stack(pictures), np.array(windows), shows


def answers(network, pictures):
    """Probabilities [N, C]."""
    with torch.inference_mode():
        return torch.cat([network(normalised(part)).softmax(1) for part in np.array_split(pictures, 20)]).numpy()


def score(network, test, classes):
    """Top-1 and calibration on crops of one garment; top-1 in the label set and mean average precision on scenes."""
    crops, labels = single_crops(test)
    found = answers(network, crops)
    sure, right = found.max(1), found.argmax(1) == labels
    bins = np.clip((sure * 15).astype(int), 0, 14)
    gaps = [abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean() for b in range(15) if (bins == b).any()]
    pictures, windows, shows = scenes_as_wholes(test, classes)
    of_scenes = answers(network, pictures)
    of_windows = answers(network, windows.reshape(-1, 32, 32, 3)).reshape(*windows.shape[:2], -1).max(1)
    return {
        "top1": float(right.mean()), "calibration_error": float(sum(gaps)),
        "in_label_set": float(shows[np.arange(len(shows)), of_scenes.argmax(1)].mean()),
        "mean_average_precision": mean_average_precision(of_scenes, shows),
        "of_windows": mean_average_precision(of_windows, shows),
    }  # fmt: skip


def mean_average_precision(scores, shows):
    """The mean over classes of the precision at each scene that shows the class, scenes ranked by its score [N, C].

    Classes that no scene shows are left out.
    """
    precisions = []
    for label in np.flatnonzero(shows.any(0)):
        hits = shows[np.argsort(-scores[:, label], kind="stable"), label]
        precisions.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    return float(np.mean(precisions))


def main(run_path, result_path):
    run = json.loads(pathlib.Path(run_path).read_text())
    torch.set_num_threads(1)
    begin = time.perf_counter()
    network, curve, loading, stepping = train(run)
    result = {
        "run": run, "scores": score(network, run["test"], len(SET_UPS[run["set_up"]].classes)), "losses": curve, "loading_seconds": loading,
        "computing_seconds": stepping,
        "seconds": round(time.perf_counter() - begin, 1), "engine": relabel_hdf5.engine(),
    }  # fmt: skip
    partial = pathlib.Path(f"{result_path}.part")
    partial.write_text(json.dumps(result, indent=1))
    os.replace(partial, result_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
