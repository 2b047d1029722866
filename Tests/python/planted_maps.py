"""A dataset of pictures that have a sky and a ground, and what may be wrong with it."""

import dataclasses

import numpy as np
from shard_writer import class_table, write_shard

CLASSES, GRID, K = 20, 7, 3


@dataclasses.dataclass
class Maps:
    """Class ids and scores [image, y, x, rank] and the source label of each image."""

    ids: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    @classmethod
    def sound(cls, count=400, seed=5):
        """An object before a ground; each tenth object has a second one beside it; skies are hard to name."""
        random = np.random.default_rng(seed)
        labels = random.integers(0, CLASSES, count)
        ids = np.empty((count, GRID, GRID, K), "<u2")
        ids[..., 0] = labels[:, None, None]
        beside = (labels + 3) % CLASSES
        mixed = np.arange(count) % 10 == 0
        ids[mixed, :, : GRID // 2, 0] = beside[mixed, None, None]
        ids[..., 1:] = (ids[..., :1] + random.integers([1, 8], [7, 19], (count, GRID, GRID, 2))) % CLASSES
        ground = np.linspace(5, 14, GRID)[None, :, None, None]
        scores = ground - np.array([0, 3, 4]) + random.uniform(-0.4, 0.4, (count, GRID, GRID, K))
        return cls(ids, scores.astype("<f4"), labels)

    def write(self, path, names=None):
        names = names or [f"thing {number}" for number in range(CLASSES)]
        classes = [{"id": f"c{number:02}", "index": number, "name": name} for number, name in enumerate(names)]
        return write_shard(
            path, rows=len(self.labels), height=GRID, width=GRID, k=K, num_classes=CLASSES, ids=self.ids, scores=self.scores,
            images_per_chunk=16, rows_per_identity_chunk=64, optional=("source_label",),
            column_changes={"source_label": {"data": self.labels.astype("<i4")}},
            document={"annotator": {"name": "planted"}, "classes": class_table(classes), "licence": "CC0-1.0"},
        )  # fmt: skip


def shifted(maps):
    """The annotator counts classes from 1."""
    maps.ids = (maps.ids + 1) % CLASSES


def transposed(maps):
    """Rows of the grid run across the picture."""
    maps.ids, maps.scores = maps.ids.swapaxes(1, 2).copy(), maps.scores.swapaxes(1, 2).copy()


def of_others(maps):
    """Each second map belongs to the next image but one."""
    for part in (maps.ids, maps.scores):
        part[::2] = np.roll(part[::2], 1, axis=0)


def constant(maps):
    """Each tenth map is its first cell over and over."""
    for part in (maps.ids, maps.scores):
        part[::10] = part[::10, :1, :1]


def repeated(maps):
    """A batch of 32 was written twice, and one map eight times."""
    for part in (maps.ids, maps.scores):
        part[64:96] = part[32:64]
        part[200:208] = part[200]
