"""Draws the picture of the README: a photo, its label map, two crops and their targets.

    python3 samples/overview.py DATASET FILE.png

DATASET is packed from samples/maps with --classes samples/classes.tsv; needs matplotlib and Pillow.
"""

import pathlib
import sys

import matplotlib
import numpy as np
from PIL import Image

import relabel_hdf5

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

KEY = "n03877845/n03877845_00020"
CROPS = {"#d7301f": (0.28, 0.12, 0.45, 0.41), "#0570b0": (0.45, 0.48, 0.46, 0.39)}  # top, left, height, width
SHOWN = 5  # classes with a colour of their own

dataset, output = sys.argv[1:]
maps = relabel_hdf5.open(dataset)
label_map = maps[KEY]
names = [entry.name.split(",")[0] for entry in maps.classes]
(path,) = pathlib.Path(__file__).parent.glob(f"images/{KEY}.*")
photo = Image.open(path).convert("RGB")
targets = maps.targets([KEY], [list(CROPS.values())])[0]  # [2, 1000]

best = label_map.class_index[..., 0]
classes, counts = np.unique(best, return_counts=True)
classes = classes[np.argsort(-counts)][:SHOWN]
palette = matplotlib.colormaps["Set2"](np.arange(SHOWN))
grid = np.full((*best.shape, 4), (0.93, 0.93, 0.93, 1))
for colour, found in zip(palette, classes):
    grid[best == found] = colour

figure, axes = plt.subplots(1, 4, figsize=(13, 3.3), width_ratios=[1, 1, 1.05, 1.05], layout="constrained")
width, height = photo.size
axes[0].imshow(photo)
axes[0].set_title("photo, two crops")
axes[1].imshow(grid, extent=(0, width, height, 0), interpolation="nearest")
axes[1].set_title("label map: best classes")
for axis in axes[:2]:
    axis.axis("off")
    axis.set_aspect("equal")
    for colour, (top, left, tall, wide) in CROPS.items():
        box = Rectangle((left * width, top * height), wide * width, tall * height, fill=False, lw=3, color=colour)
        axis.add_patch(box)
handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in palette]
axes[1].legend(handles, [names[found] for found in classes], loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3,
               fontsize=8, frameon=False, handlelength=1)
for axis, target, colour in zip(axes[2:], targets, CROPS):
    order = np.argsort(-target)[:4][::-1]
    axis.barh([names[place] for place in order], target[order], color=colour)
    axis.set_xlim(0, 1)
    axis.set_title("target of this crop", color=colour)
    axis.spines[["top", "right"]].set_visible(False)
figure.savefig(output, dpi=80)
