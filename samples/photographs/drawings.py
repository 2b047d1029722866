"""Figures of the report: nearness by crop area, by what is stored, collages with their maps, students."""

from __future__ import annotations

import matplotlib

matplotlib.use("agg")

import collages as composing  # noqa: E402
import maps  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.patches import Rectangle  # noqa: E402
from settings import AREAS, FORMS, TARGETS  # noqa: E402

AREA_NAMES = [f"{low:.0%}–{high:.0%}" for low, high in AREAS]


def closeness(path, rows):
    """The divergence by crop area of each kind of target, for dense maps of each input size."""
    scales = list(dict.fromkeys(row["scale"] for row in rows if row["scale"]))
    figure, axes = plt.subplots(1, len(scales), figsize=(3.1 * len(scales), 3.2), sharey=True, squeeze=False)
    for axis, scale in zip(axes[0], scales):
        for kind in TARGETS[1:]:
            (row,) = (row for row in plain(rows, scale, "dense") if row["target"] == kind)
            means, errors = zip(*row["divergence"][1:])
            axis.errorbar(range(len(AREAS)), means, errors, capsize=3, marker="o", ms=3, label=kind)
        axis.set_xticks(range(len(AREAS)), AREA_NAMES, fontsize=7)
        axis.set_xlabel("share of the picture", fontsize=8)
        axis.set_title(f"map at {scale}", fontsize=9)
    axes[0][0].set_ylim(0)
    axes[0][0].set_ylabel("KL(answer on the crop ‖ target), nats", fontsize=8)
    axes[0][0].legend(fontsize=7)
    _write(figure, path)


def forms(path, rows):
    """The divergence of localised and global targets by what is stored, for each input size."""
    scales = list(dict.fromkeys(row["scale"] for row in rows if row["scale"]))
    figure, axes = plt.subplots(1, len(scales), figsize=(3.1 * len(scales), 3.4), sharey=True, squeeze=False)
    for axis, scale in zip(axes[0], scales):
        for shift, kind in ((-0.2, "global"), (0.2, "localised")):
            found = [row["divergence"][0] for form in FORMS for row in plain(rows, scale, form) if row["target"] == kind]
            means, errors = zip(*found)
            axis.bar(np.arange(len(FORMS)) + shift, means, 0.4, yerr=errors, capsize=3, label=kind)
        axis.set_xticks(range(len(FORMS)), [form.replace(", ", ",\n") for form in FORMS], fontsize=7, rotation=40, ha="right")
        axis.set_title(f"map at {scale}", fontsize=9)
    axes[0][0].set_ylabel("KL, all crops, nats", fontsize=8)
    axes[0][0].legend(fontsize=7)
    _write(figure, path)


def plain(rows, scale, form):
    """The rows of an input size and a form, at temperature 1."""
    return [row for row in rows if row["scale"] == scale and row["form"] == form and "temperature" not in row]


def collages(path, network, scale, pictures, whole, count=3):
    """Collages, and how sure each cell is of the first tile's class; the tile is framed, its transpose is dashed."""
    composed, tiles = composing.compose(pictures, max(count, len(pictures)))
    spread = np.linspace(0, len(pictures) - 1, count).astype(int)
    dense = maps.annotate(network, scale, [composed[place] for place in spread])
    figure, axes = plt.subplots(2, count, figsize=(3 * count, 6), squeeze=False)
    for column, place in enumerate(spread):
        tile = tiles[2 * place]
        label = whole[tile.picture].argmax()
        sure = dense[column, label] - np.logaddexp.reduce(dense[column], axis=0)
        axes[0, column].imshow(composed[place], extent=(0, 1, 1, 0))
        axes[1, column].imshow(sure, extent=(0, 1, 1, 0), cmap="magma")
        axes[0, column].set_title(class_names()[label], fontsize=8)
        for axis in axes[:, column]:
            top, left, height, width = tile.box
            axis.add_patch(Rectangle((left, top), width, height, fill=False, color="cyan", lw=1.5))
            axis.add_patch(Rectangle((top, left), height, width, fill=False, color="white", lw=1, ls="--"))
            axis.set_axis_off()
    axes[1, 0].set_title("log-probability of the framed tile's class", fontsize=8)
    _write(figure, path)


def students(path, rows):
    """The divergence of students from the annotator's answers, by what they were trained with."""
    rows = [row for row in rows if "−" not in row["target"]]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for axis, part in zip(axes, ("seen", "unseen")):
        means, errors = zip(*(row[f"divergence_{part}"] for row in rows))
        axis.bar(range(len(rows)), means, yerr=errors, capsize=3, color="#4477aa")
        axis.set_xticks(range(len(rows)), [row["target"] for row in rows], fontsize=7, rotation=30, ha="right")
        axis.set_ylabel("KL(annotator ‖ student), nats", fontsize=8)
        axis.set_title(f"other crops of {'training' if part == 'seen' else 'held-out'} pictures", fontsize=9)
    _write(figure, path)


def class_names():
    """Names of the 1,000 classes, each up to its first comma."""
    lines = (maps.ANNOTATOR.parent / "classes.tsv").read_text().splitlines()
    return [line.split("\t")[1].partition(",")[0] for line in lines]


def _write(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
