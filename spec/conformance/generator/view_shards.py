"""Shards of views for tests: what a row is a view of, as columns of `shard_writer.Shard`."""

import json
from dataclasses import dataclass, field

import numpy as np
from shard_writer import ANNOTATOR, Column, Shard, canonical, chain, class_table, utf8_type

NOT_MIXED = np.frombuffer(bytes(6) + b"\xf8\x7f", "<f8")[0]
DOCUMENT = {
    "dialect": "sre2l", "chain": ["crop", "resize", "flip", "mixup", "cutmix"], "interpolation": "bilinear",
    "teacher_mode": "eval",
}  # fmt: skip
AXES = {
    "view_box": "image box", "replay": "image replay", "mixup_partner": "image partner",
    "cutmix_partner": "image partner", "cutmix_box": "image edge",
}  # fmt: skip
TYPES = {
    "view": "<i4", "view_box": "<f8", "view_flip": "u1", "view_seed": "<i8", "replay": "<i4", "mixup_lambda": "<f8",
    "mixup_partner": "<i8", "cutmix_lambda": "<f8", "cutmix_box": "<i4", "cutmix_partner": "<i8",
}  # fmt: skip
ORDER = [*TYPES, "operations"]


@dataclass
class Views:
    """Rows that are views; `columns` has the values of each view column by name, all of one length."""

    keys: list
    image_indexes: list
    columns: dict
    view_size: tuple | None = (8, 8)
    source_type: str = "float64"
    document: dict = field(default_factory=lambda: dict(DOCUMENT))
    row_order: str = "source"
    rows_per_identity_chunk: int = 4
    compression: str = "deflate"

    def shard(self, **changes):
        """The description of a shard with these rows, on 1×1 grids unless changed."""
        settings = {
            "rows": len(self.keys), "height": 1, "width": 1, "keys": self.keys, "image_indexes": self.image_indexes,
            "rows_per_identity_chunk": self.rows_per_identity_chunk, "compression": self.compression,
        } | changes  # fmt: skip
        extra = {name: self._column(name, self.columns[name]) for name in ORDER if name in self.columns}
        attributes = {
            "format_version": "1.1", "features_required": "views", "row_order": self.row_order,
            "view_size": None if self.view_size is None else np.array(self.view_size, "<i8"),
        } | settings.pop("attributes", {})  # fmt: skip
        document = {"annotator": ANNOTATOR, "licence": "CC0-1.0", "views": self.document}
        document["classes"] = class_table() if settings.get("num_classes", 10) == 10 else None
        settings.setdefault("document", json.loads(canonical(document)))
        extra |= settings.pop("extra_columns", {})
        return Shard(**settings, attributes=attributes, extra_columns=extra)

    def _column(self, name, values):
        attributes = {"axes": AXES.get(name, "image")}
        if name == "operations":
            texts = [value.encode() if isinstance(value, str) else value for value in values]
            data = np.array(texts, f"S{max(map(len, texts), default=1) or 1}")
        else:
            data = np.array(values, TYPES[name])
        if name == "view_box":
            attributes["source_type"] = self.source_type
        column = Column(
            data=data,
            chunk=(self.rows_per_identity_chunk, *data.shape[1:]),
            filters=chain(name not in ("view_flip", "operations"), self.compression),
            fill=fill(data.dtype),
            attributes=attributes,
        )
        if name == "operations":
            column.type = utf8_type(data.dtype.itemsize)
        return column


def fill(kind):
    """The fill value of a view column: all ones for integers, the quiet NaN, none for text."""
    if kind.kind == "S":
        return None
    return NOT_MIXED.tobytes() if kind.kind == "f" else b"\xff" * kind.itemsize


def crops(images=3, views=2, seed=5, folder="n01"):
    """A few crops of each of some images, rows by image: `Views` with view, view_box and view_flip."""
    generator = np.random.default_rng(seed)
    count = images * views
    image = np.repeat(np.arange(images), views)
    top_left = generator.integers(0, 5, (count, 2)) / 8
    size = generator.integers(2, 4, (count, 2)) / 8
    return Views(
        keys=[f"{folder}/{number:03}" for number in image],
        image_indexes=image.tolist(),
        columns={
            "view": np.tile(np.arange(views), images),
            "view_box": np.concatenate([top_left, size], 1),
            "view_flip": generator.integers(0, 2, count),
        },
    )


def replayed(images=6, epochs=2, batch=4, seed=6, mix="cutmix", folder="n01", view_size=(8, 8)):
    """Whole runs as SRe2L stores them: every epoch goes through the images in an order of its own, mixed in batches."""
    generator = np.random.default_rng(seed)
    rows = {name: [] for name in ("image", "view", "replay", "flip", "lam", "partner", "box")}
    for epoch in range(epochs):
        order = generator.permutation(images)
        for number, start in enumerate(range(0, images, batch)):
            part = order[start : start + batch]
            slots = generator.permutation(len(part))
            lam = float(generator.beta(1, 1))
            top, left = (int(side) for side in generator.integers(0, min(view_size) // 2, 2))
            box = [top, left, top + view_size[0] // 2, left + view_size[1] // 2 - 1]
            for slot, image in enumerate(part):
                rows["image"].append(int(image))
                rows["view"].append(epoch)
                rows["replay"].append([epoch, number, slot])
                rows["flip"].append(int(generator.integers(0, 2)))
                rows["lam"].append(lam)
                rows["partner"].append([int(part[slots[slot]]), int(slots[slot])])
                rows["box"].append(box)
    count = len(rows["image"])
    top_left = generator.integers(0, 5, (count, 2)) / 8
    columns = {
        "view": rows["view"],
        "view_box": np.concatenate([top_left, generator.integers(2, 4, (count, 2)) / 8], 1),
        "view_flip": rows["flip"],
        "replay": rows["replay"],
    }
    if mix:
        columns |= {f"{mix}_lambda": rows["lam"], f"{mix}_partner": rows["partner"]}
    if mix == "cutmix":
        columns["cutmix_box"] = rows["box"]
    return Views(
        keys=[f"{folder}/{image:03}" for image in rows["image"]], image_indexes=rows["image"], columns=columns,
        view_size=view_size, row_order="replay",
    )  # fmt: skip
