"""Labels of crops of any size, in files laid out as their own programs save them; the numbers are drawn."""

import json

import numpy as np
import torch
from data import key

SIDE = 224


def coordinates(rng, count, kind):
    """Crop boxes: top, left, height and width, as fractions of the picture."""
    sides = rng.uniform(0.2, 0.6, (count, 4))
    sides[:, :2] *= 0.6
    return sides.astype(kind)


def lists(rng, images, epochs, batch):
    """The pictures of each batch of each epoch, by epoch and number."""
    for epoch in range(epochs):
        order = rng.permutation(images)
        for number, start in enumerate(range(0, images, batch)):
            yield epoch, number, order[start : start + batch]


def mixed(rng, count):
    """Partners' slots, lambda and box of a batch."""
    top, left = rng.integers(0, SIDE // 2, 2)
    box = [top, left, top + SIDE // 3, left + SIDE // 4]
    return rng.permutation(count), float(rng.beta(1, 1)), [np.int64(edge) for edge in box]


def listing(folder, images):
    """The list of pictures, which these files don't name."""
    path = folder / "images.txt"
    path.write_text("".join(f"{key(number)}.JPEG\n" for number in range(images)))
    return path


def write_sre2l(folder, images, epochs, batch=128, classes=1000):
    """`epoch_E/batch_B.tar`: six slots with float16 logits of all classes, as SRe2L saves them; gives the paths."""
    rng, paths = np.random.default_rng(0), []
    for epoch, number, order in lists(rng, images, epochs, batch):
        partners, share, box = mixed(rng, len(order))
        slots = [
            torch.from_numpy(coordinates(rng, len(order), np.float32)), torch.from_numpy(rng.random(len(order)) < 0.5),
            torch.from_numpy(partners), share, box,
            torch.from_numpy(rng.normal(0, 2, (len(order), classes)).astype(np.float16)),
        ]  # fmt: skip
        path = folder / f"epoch_{epoch}" / f"batch_{number}.tar"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(slots, path)
        paths.append(path)
    return paths


def write_lpqld(folder, images, epochs, batch=128, classes=1000, kept=50):
    """`batch_N.tar`: seven slots with the best logits and their classes, as LPQLD saves them; gives the paths."""
    rng, paths, index = np.random.default_rng(1), [], {}
    folder.mkdir(parents=True)
    for number, (_, _, order) in enumerate(lists(rng, images, epochs, batch)):
        partners, share, box = mixed(rng, len(order))
        best = -np.sort(-rng.normal(4, 2, (len(order), kept)), 1)
        ids = rng.permuted(np.tile(np.arange(classes, dtype=np.int16), (len(order), 1)), axis=1)[:, :kept]
        slots = [
            torch.from_numpy(coordinates(rng, len(order), np.float16)), torch.from_numpy(rng.random(len(order)) < 0.5),
            torch.from_numpy(partners.astype(np.uint8)), share,
            [torch.tensor(int(edge), dtype=torch.uint8) for edge in box],
            torch.from_numpy(best.astype(np.float16)), torch.from_numpy(np.ascontiguousarray(ids)),
        ]  # fmt: skip
        paths.append(folder / f"batch_{number}.tar")
        torch.save(slots, paths[-1])
        index[str(number)] = order.tolist()
    (folder / "sampler_indices_batch.json").write_text(json.dumps(index))
    return paths


def write_fkd(folder, images, crops=500, classes=1000, kept=5):
    """`train/CLASS/NAME.tar`: boxes, flips, and the best classes with their probabilities, as FKD saves them."""
    rng, paths = np.random.default_rng(2), []
    for number in range(images):
        likely = rng.choice(classes, 40, False)  # a picture's crops show few classes
        ids = rng.permuted(np.tile(likely, (crops, 1)), axis=1)[:, :kept]
        scores = -np.sort(-rng.dirichlet(np.full(kept + 1, 0.5), crops)[:, :kept], 1)
        arrays = [
            coordinates(rng, crops, np.float32), rng.random(crops) < 0.5,
            np.stack([ids, scores], 1).astype(np.float32),
        ]  # fmt: skip
        path = folder / "imagenet" / "train" / f"{key(number)}.tar"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(arrays, path)
        paths.append(path)
    return paths
