"""Scenes of two or three garments on cluttered ground, each with the label of one of them: pictures with many classes."""

from __future__ import annotations

import colorsys
import dataclasses
import gzip
import json
import pathlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")  # Debian's dataset-fashion-mnist
GARMENTS = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
TINTS = ("red", "orange", "yellow", "green", "jade", "cyan", "azure", "blue", "violet", "pink")
"""Hues around the circle, a tenth of it apart."""
SIDE, GARMENT = 64, 28
HUE_DEVIATION = 0.07
"""How far a garment's hue is from that of its class: seven tenths of the way to the next, so that neighbours overlap."""


@dataclasses.dataclass(frozen=True)
class SetUp:
    """What classes there are: garments in grey, or each garment in each of ten tints."""

    tints: tuple[str, ...] = ()

    @property
    def classes(self):
        """Names of classes; those of a garment lie together."""
        return tuple(f"{kind}-{tint}" for kind in GARMENTS for tint in self.tints) if self.tints else GARMENTS

    def dressed(self, generator, garment, kind):
        """A garment [28, 28] as pixels [28, 28, 3] of an appearance at random, and its class."""
        if not self.tints:
            return np.repeat(garment[..., None], 3, 2), int(kind)
        tint = int(generator.integers(len(self.tints)))
        hue = tint / len(self.tints) + generator.normal(0, HUE_DEVIATION)
        colour = np.array(colorsys.hsv_to_rgb(hue % 1, 0.7, 1))
        return (garment[..., None] * colour).astype(np.uint8), int(kind) * len(self.tints) + tint


SET_UPS = {"ten": SetUp(), "hundred": SetUp(TINTS)}



def garments(part):
    """Garments [N, 28, 28], uint8, and their kinds [N]; `part` is `train` or `t10k`."""
    found = []
    for kind, start in (("images-idx3", 16), ("labels-idx1", 8)):
        path = FOLDER / f"{part}-{kind}-ubyte.gz"
        if not path.exists():
            raise SystemExit(f"{path} is not there: apt-get install dataset-fashion-mnist")
        found.append(np.frombuffer(gzip.decompress(path.read_bytes())[start:], np.uint8))
    return found[0].reshape(-1, GARMENT, GARMENT), found[1].astype(int)


def ground(generator, side=SIDE):
    """A cluttered ground [side, side, 3] in grey: coarse and fine noise."""
    coarse = generator.integers(0, 90, (side // 8 + 1, side // 8 + 1)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), np.float32)
    grey = np.clip(smooth + generator.normal(0, 8, (side, side)), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 2)


def scene(generator, images, kinds, set_up):
    """One scene [64, 64, 3], and top, left and class of each garment; garments overlap by a quarter at most."""
    picture = ground(generator)
    placed = []
    wanted = int(generator.integers(2, 4))
    for _ in range(60):
        if len(placed) == wanted:
            break
        top, left = (int(v) for v in generator.integers(0, SIDE - GARMENT + 1, 2))
        overlaps = [
            max(0, GARMENT - abs(top - other[0])) * max(0, GARMENT - abs(left - other[1])) for other in placed
        ]
        if any(overlap > GARMENT * GARMENT / 4 for overlap in overlaps):
            continue
        choice = int(generator.integers(len(images)))
        garment, label = set_up.dressed(generator, images[choice], kinds[choice])
        if label in (other[2] for other in placed):
            continue
        spot = picture[top : top + GARMENT, left : left + GARMENT]
        np.maximum(spot, garment, out=spot)
        placed.append((top, left, label))
    return picture, placed


def write(folder, count, part, seed, garment_range, set_up):
    """Writes scenes as torchvision's ImageFolder wants them, under the class of one garment at random.

    `scenes.json` beside them says where every garment is, by key, and `boxes.csv` the same for `relabel-verify`: no student
    sees either.
    """
    folder = pathlib.Path(folder)
    done = folder / "scenes.json"
    if done.exists():
        return json.loads(done.read_text())
    images, kinds = garments(part)
    images, kinds = images[slice(*garment_range)], kinds[slice(*garment_range)]
    generator = np.random.default_rng(seed)
    truth = {}
    for name in set_up.classes:
        (folder / "images" / name).mkdir(parents=True, exist_ok=True)
    for place in range(count):
        picture, placed = scene(generator, images, kinds, set_up)
        label = placed[int(generator.integers(len(placed)))][2]
        key = f"{set_up.classes[label]}/{place:05}"
        Image.fromarray(picture).save(folder / "images" / f"{key}.png")
        truth[key] = placed
    with open(folder / "boxes.csv", "w") as file:
        print("key,class,top,left,height,width,image_height,image_width", file=file)
        for key, placed in truth.items():
            for top, left, label in placed:
                print(key, set_up.classes[label], top, left, GARMENT, GARMENT, SIDE, SIDE, sep=",", file=file)
    done.write_text(json.dumps(truth))
    return truth
