"""Crop boxes as training draws them, for the tools that check and time pooling."""

import numpy as np


def pixel_crop(rng, height, width):
    """A box as RandomResizedCrop(scale=(0.08, 1)) draws it, in whole pixels of a picture."""
    while True:
        area, ratio = height * width * rng.uniform(0.08, 1), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        h, w = int(round(np.sqrt(area / ratio))), int(round(np.sqrt(area * ratio)))
        if 0 < h <= height and 0 < w <= width:
            top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
            return [top / height, left / width, h / height, w / width]
