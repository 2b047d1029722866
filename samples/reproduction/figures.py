"""Figures of the report: bars with deviation, learning curves, scenes with maps, crops and targets."""

from __future__ import annotations

import base64
import io
import json
import statistics
import textwrap

import matplotlib

matplotlib.use("agg")

import numpy as np  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402
from PIL import Image  # noqa: E402

import relabel_hdf5  # noqa: E402


def bars(found, title):
    """Top-1 on single garments of each row, with the deviation over seeds."""
    students = {student for student, _, _ in found}
    names = [
        "\n".join([target, textwrap.fill(labelled, 13), *([student] if len(students) > 1 else [])])
        for student, labelled, target in found
    ]
    values = [[100 * result["scores"]["top1"] for result in several] for several in found.values()]
    figure, axes = plt.subplots(figsize=(1.5 + 1.1 * len(names), 3.4))
    spread = [statistics.stdev(v) if len(v) > 1 else 0 for v in values]
    axes.bar(range(len(names)), [statistics.fmean(v) for v in values], yerr=spread, capsize=4, color="#4477aa")
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_ylabel("top-1, %")
    axes.set_title(title, fontsize=9)
    return _written(figure)


def curves(found):
    """The loss of each epoch, of the first seed of each row; targets of more entropy have a higher floor."""
    figure, axes = plt.subplots(figsize=(6, 3.2))
    for (_, _, target), several in found.items():
        axes.plot(range(1, len(several[0]["losses"]) + 1), several[0]["losses"], label=target)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss in training")
    axes.legend(fontsize=7)
    return _written(figure)


def examples(folder, count=4):
    """Scenes, the best class of each cell, a crop, and what the crop's target says."""
    keys = list(json.loads((folder / "train" / "scenes.json").read_text()))[:count]
    generator = np.random.default_rng(3)
    figure, axes = plt.subplots(count, 4, figsize=(9, 2.2 * count), squeeze=False)
    with relabel_hdf5.open(folder / "labels" / "strong") as maps:
        colours = plt.get_cmap("tab10" if len(maps.classes) == 10 else "turbo", len(maps.classes))
        for row, key in zip(axes, keys):
            picture = Image.open(folder / "train" / "images" / f"{key}.png")
            row[0].imshow(picture)
            row[0].set_title(f"labelled '{key.partition('/')[0]}'", fontsize=8)
            row[1].imshow(maps[key].class_index[..., 0], cmap=colours, vmin=0, vmax=len(maps.classes) - 1)
            row[1].set_title("best class of each cell", fontsize=8)
            height, width = generator.uniform(0.4, 0.6, 2)
            top, left = generator.uniform(0, 1 - height), generator.uniform(0, 1 - width)
            box = (int(64 * left), int(64 * top), int(64 * (left + width)), int(64 * (top + height)))
            row[2].imshow(picture.crop(box))
            row[2].set_title("a crop", fontsize=8)
            target = maps.targets([key], [[top, left, height, width]])[0]
            best = np.sort(np.argsort(-target)[:10])
            row[3].barh(range(10), target[best], color=colours(best))
            row[3].set_yticks(range(10), [maps.classes[label].id for label in best], fontsize=6)
            row[3].set_title("its target", fontsize=8)
            for axis in row[:3]:
                axis.set_axis_off()
    figure.tight_layout()
    return _written(figure)


def _written(figure):
    """The figure as the address of an image that lies in the page itself."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
