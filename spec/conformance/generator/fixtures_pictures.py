"""Datasets that break a rule of the checks with pictures; adds to the fixtures of the other rules.

The functions give back the path to verify and the options that make the verifier look.
"""

from dataclasses import replace

from pictures import (
    boxes_text,
    copying,
    digests,
    localised,
    png,
    sizes,
    write_dense,
    write_pictures,
)
from registry import Fixtures
from shard_writer import two_shards, write_dataset

FIXTURES = Fixtures()
breaks = FIXTURES.breaks


def with_pictures(folder, *shards, **dataset):
    """A dataset, a picture for each of its images, and the options to compare them."""
    shards = shards or two_shards()
    for shard in shards:
        write_pictures(folder / "pictures", shard.image_keys())
    return write_dataset(folder / "dataset", *shards, **dataset), ["--images", folder / "pictures"]


@breaks("I001", "missing")
def picture_missing(folder):
    made = with_pictures(folder)
    (folder / "pictures" / "train" / "n0006.png").unlink()
    return made


@breaks("I001", "all")
def other_folder(folder):
    """A folder without pictures."""
    path, _ = with_pictures(folder)
    (folder / "empty").mkdir()
    return path, ["--images", folder / "empty"]


@breaks("I002", "unknown")
def picture_unknown(folder):
    made = with_pictures(folder)
    (folder / "pictures" / "train" / "n0008.JPEG").write_bytes(png(6, 8))
    return made


@breaks("I002", "twice")
def picture_twice(folder):
    """One key, two endings: only one of them can have been annotated."""
    made = with_pictures(folder)
    (folder / "pictures" / "train" / "n0001.jpg").write_bytes(png(6, 8))
    return made


@breaks("I003", "transposed")
def sizes_transposed(folder):
    shards = [replace(shard, **sizes(shard, height=8, width=6)) for shard in two_shards()]
    return with_pictures(folder, *shards)


@breaks("I004", "other_file")
def other_file(folder):
    """One picture is another file of the same size."""
    shards = [
        replace(shard, **digests(shard, [png(6, 8, key.encode()) for key in shard.image_keys()]))
        for shard in two_shards()
    ]
    made = with_pictures(folder, *shards)
    (folder / "pictures" / "train" / "n0003.png").write_bytes(png(6, 8, b"edited"))
    return made


def with_boxes(folder, shard, rows):
    (folder / "boxes.csv").write_text(boxes_text(rows))
    return write_dataset(folder / "dataset", shard), ["--boxes", folder / "boxes.csv"]


@breaks("I005", "contradicted")
def orientation_contradicted(folder):
    shard, rows = localised(attributes={"orientation": "xy"})
    return with_boxes(folder, shard, rows)


@breaks("I005", "unknown")
def orientation_unknown(folder):
    shard, rows = localised(transposed=True, attributes={"orientation": "unknown"})
    return with_boxes(folder, shard, rows)


def recomputed(folder, **fresh):
    shards = two_shards()
    path, options = with_pictures(folder, *shards)
    for shard in shards:
        write_dense(folder / "fresh", shard, **fresh)
    return path, [*options, "--recompute", 4, "--annotator", copying(folder / "fresh")]


@breaks("I006", "scores")
def other_scores(folder):
    """The scores of every class are half a unit higher."""
    return recomputed(folder, shift=0.5)


@breaks("I006", "classes")
def other_classes(folder):
    """The maps of the next image: an annotator that is off by one."""
    shards = two_shards()
    path, options = with_pictures(folder, *shards)
    for shard in shards:
        write_dense(folder / "fresh", replace(shard, seed=shard.seed + 7))
    return path, [*options, "--recompute", 4, "--annotator", copying(folder / "fresh")]
