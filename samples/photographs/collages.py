"""Collages: photographs as tiles on another photograph, so that it is known which cells show what."""

from __future__ import annotations

import dataclasses

import maps
import numpy as np
from closeness import over_pictures
from PIL import Image

SIDE, TILE = 480, 0.3
SPOTS = ((0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1))
"""Places in a grid of 3 × 3 that are not their own transposes."""

FORMS = ("dense", "top 5")


@dataclasses.dataclass(frozen=True)
class Tile:
    """A picture on a collage."""

    collage: int
    picture: int
    box: tuple[float, float, float, float]
    """Top, left, height and width, as fractions of the collage."""


def compose(pictures, count, seed=0):
    """Collages, and the tiles on them: two each, neither where the other's transpose would lie."""
    generator = np.random.default_rng(seed)
    collages, tiles = [], []
    for place in range(count):
        # Every picture as the first tile in turn; the second tile and the ground at random.
        first = place % len(pictures)
        second, ground = generator.choice([other for other in range(len(pictures)) if other != first], 2, replace=False)
        collage = pictures[ground].resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        row, column = SPOTS[generator.integers(len(SPOTS))]
        others = [spot for spot in SPOTS if spot not in ((row, column), (column, row))]
        for picture, spot in ((first, (row, column)), (int(second), others[generator.integers(len(others))])):
            top, left = (number / 3 + generator.uniform(0, 1 / 3 - TILE) for number in spot)
            pixels = round(TILE * SIDE)
            corner = (round(left * SIDE), round(top * SIDE))
            collage.paste(pictures[picture].resize((pixels, pixels), Image.Resampling.BICUBIC), corner)
            tiles.append(Tile(place, picture, (corner[1] / SIDE, corner[0] / SIDE, pixels / SIDE, pixels / SIDE)))
        collages.append(collage)
    return collages, tiles


def measure(network, pictures, whole, count, scales, say):
    """Rows of figures for each way to make maps and each form; `whole` are the answers for the pictures [N, C]."""
    collages, tiles = compose(pictures, count)
    boxes = np.array([[tile.box for tile in tiles if tile.collage == place] for place in range(count)])
    best = whole.argmax(-1)
    rows = []
    for scale in scales:
        dense = maps.annotate(network, scale, collages)
        say(f"{network}, {scale.name}: {count} collages")
        rows.append({"scale": scale.name} | localisation(dense, tiles, best))
        for form in FORMS:
            for orientation in ("yx", "xy"):
                pooled = maps.targets(dense, boxes, form, orientation)
                said = at_places(pooled, tiles, best)
                rows.append({"scale": scale.name, "form": form, "orientation": orientation} | said)
    return rows


def at_places(pooled, tiles, best):
    """How often the target of a tile says its picture's class more than the target of the transposed place."""
    score = {kind: np.array(_of_tiles(pooled[kind], tiles, best)) for kind in pooled}
    wins = (score["localised"] > score["transposed"]).astype(float)
    return {
        "right_way": by_picture(wins, tiles),
        "probability": {kind: by_picture(values, tiles) for kind, values in score.items()},
    }  # fmt: skip


def _of_tiles(targets, tiles, best):
    return [targets[tile.collage, place % 2, best[tile.picture]] for place, tile in enumerate(tiles)]


def localisation(dense, tiles, best):
    """Whether the cells of a tile say its picture's class, and whether the cell that says it most lies on the tile."""
    inside, elsewhere, pointing = [], [], []
    for tile in tiles:
        map_, label = dense[tile.collage], best[tile.picture]
        under = cells_under(tile.box, map_.shape[1:])
        top = map_.argmax(0) == label
        inside.append(top[under].mean())
        elsewhere.append(top[under.T].mean())
        # How much a cell says the class against all others, not its plain logit.
        sure = map_[label] - np.logaddexp.reduce(map_, axis=0)
        pointing.append(float(under.flat[sure.argmax()]))
    return {
        "cells_inside": by_picture(np.array(inside), tiles), "cells_transposed": by_picture(np.array(elsewhere), tiles),
        "pointing": by_picture(np.array(pointing), tiles), "chance": TILE**2,
    }  # fmt: skip


def cells_under(box, grid):
    """Which cells [H, W] have their middles in a box."""
    (top, left, height, width), (rows, columns) = box, grid
    y, x = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    return ((y > top) & (y < top + height))[:, None] & ((x > left) & (x < left + width))[None]


def by_picture(values, tiles):
    """Mean and standard error; tiles of one picture count as one."""
    owners = np.array([tile.picture for tile in tiles])
    return over_pictures(np.array([values[owners == owner].mean() for owner in np.unique(owners)]))
