"""Batches of crops and their targets with NumPy and Pillow alone: feed_numpy.py PICTURES DATASET."""

import pathlib
import sys

import numpy as np
from PIL import Image

import relabel_hdf5


def batches(pictures, dataset, size=64, batch_size=6, seed=0, epoch=0):
    """Crops [B, size, size, 3] and targets [B, C], float32, in the order of the epoch."""
    paths = {path.relative_to(pictures).with_suffix("").as_posix(): path for path in pathlib.Path(pictures).rglob("*.JPEG")}
    rng = np.random.default_rng((seed, epoch))
    with relabel_hdf5.open(dataset) as maps:
        order = relabel_hdf5.epoch_order(seed, epoch, maps.chunks)  # each chunk of the maps is read once
        for start in range(0, len(order) - batch_size + 1, batch_size):
            positions = order[start : start + batch_size]
            images, boxes = zip(*(crop(paths[maps.key(at)], size, rng) for at in positions))
            yield np.stack(images), maps.targets(positions, np.array(boxes))


def crop(path, size, rng):
    """A random crop of a picture, and its box: top, left, height, width in fractions of the picture."""
    with Image.open(path) as picture:
        height, width = (max(1, int(side * rng.uniform(0.3, 1))) for side in (picture.height, picture.width))
        top, left = rng.integers(picture.height - height + 1), rng.integers(picture.width - width + 1)
        part = picture.convert("RGB").resize((size, size), box=(left, top, left + width, top + height))
        box = top / picture.height, left / picture.width, height / picture.height, width / picture.width
    return np.asarray(part, np.float32) / 255, box


if __name__ == "__main__":
    for images, targets in batches(sys.argv[1], sys.argv[2]):
        assert 0 <= images.min() <= images.max() <= 1 and np.allclose(targets.sum(1), 1, atol=1e-4)
    print(f"the last batch: images {images.shape}, targets {targets.shape}")
