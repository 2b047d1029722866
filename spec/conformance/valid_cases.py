"""The valid shards and datasets of the pack, and pairs of them to compare."""

import numpy as np
from all_fixtures import SOUND
from shard_writer import ANNOTATOR, ENCODINGS, SCORE_KINDS, Shard, two_shards

SMALL = {"rows": 3, "height": 2, "width": 3, "k": 2}
BASE = "fixed16-logit"


def grid():
    """Every encoding and score kind, in both cell orders and filter profiles."""
    shards = {f"{BASE}-class": {"cell_order": "class"}, f"{BASE}-none": {"compression": "none"}}
    for encoding in ENCODINGS:
        for kind in SCORE_KINDS:
            name, settings = f"{encoding}-{kind}", {"encoding": encoding, "score_kind": kind}
            shards[name] = settings
            shards[f"{name}-class-none"] = settings | {"cell_order": "class", "compression": "none"}
    for kind in SCORE_KINDS:
        shards[f"independent-{kind}"] = {"classes_are": "independent", "score_kind": kind}
    shards["independent-temperature"] = {"classes_are": "independent", "attributes": {"temperature": np.float64(2.5)}}
    return shards


def extent(*sides):
    return np.array(sides, "<f4")


EXTENTS = extent([0, 0, 1, 1], [0.25, 0, 0.75, 0.5], [0.0625, 0.125, 0.5, 0.875])

EDGES = {
    "one-cell": {"height": 1, "width": 1},
    "one-class": {"k": 1, "num_classes": 1},
    "k-1": {"k": 1},
    "square": {"height": 3, "width": 3},
    "one-image": {"rows": 1},
    "whole-chunks": {"rows": 4},
    "one-image-per-chunk": {"images_per_chunk": 1, "rows_per_identity_chunk": 1},
    "uint32-ids": {"num_classes": 65_536},
    "uint16-ids-to-the-end": {"num_classes": 65_535},
    "extent-of-each-image": {
        "optional": ("map_extent",), "column_changes": {"map_extent": {"data": EXTENTS}}},
    "extent-of-all": {"attributes": {"map_extent": extent(0.125, 0.25, 0.75, 0.5)}},
    "padded-keys": {"key_width": 40},
    "orientation-xy": {"attributes": {"orientation": "xy"}},
    "orientation-unknown": {"attributes": {"orientation": "unknown"}},
    "temperature": {"attributes": {"temperature": np.float64(2.5)}},
    "largest-seed": {"attributes": {"row_order": f"shuffled:{2**64 - 1}"}},
}

# Odd, but sound: fixtures of the tests, by their names there.
ODD = [
    "no_rows", "all_classes", "all_optional", "unicode_keys", "long_key", "dots_in_keys", "large_indexes",
    "other_step", "highest_stored", "probability_one", "zeros_tie", "zero_fill_of_probabilities",
    "no_metadata", "escapes", "names_by_code_point", "padded_text", "unknown_optional_feature",
    "optional_feature_with_dataset", "newer_minor_version", "vendor_on_dataset", "deflate_skipped",
    "all_but_checksum_skipped", "stored_blocks", "dataset", "dataset_with_left_out",
    "dataset_with_unknown_members", "views", "views_by_image", "views_of_all_classes", "views_of_tokens", "views_alone",
    "views_in_no_batch", "views_independent", "views_with_unknown_partners", "views_of_pixels", "views_in_two_shards",
    "factors", "factors_of_one", "factors_in_floats", "factors_with_labels", "factors_uncompressed", "factors_at_temperature",
]


# ----------------------------------------------------------------------------------- pairs to compare


IDS, STORED = Shard(**SMALL).labels()
TEXT = Shard(**SMALL).metadata()

# The content of the base shard, stored in other ways.
SAME = {
    "float32": {"encoding": "float32", "ids": IDS, "scores": Shard(**SMALL).decoded()},
    "pieces": {"pieces": [TEXT[at : at + 7] for at in range(0, len(TEXT), 7)]},  # some cut a letter
    "attributes": {"attributes": {"x-host": "here"}, "key_width": 20, "largest_error": 0.001953125},
}


def changed(at, ids, stored):
    """The base shard with other entries in one place."""
    labels = {"ids": IDS.copy(), "stored": STORED.copy()}
    labels["ids"][at], labels["stored"][at] = ids, stored
    return labels


def joined():
    """One shard with all rows of the dataset that is called `dataset`."""
    shards = two_shards()
    ids, stored = (np.concatenate(parts) for parts in zip(*(shard.labels() for shard in shards)))
    return Shard(rows=8, ids=ids, stored=stored)


CELL = (1, 0, 2)
UNUSED = min(set(range(10)) - set(IDS[CELL].tolist()))

# The base shard with one thing changed.
DIFFERENT = {
    "id": changed((*CELL, 1), UNUSED, STORED[*CELL, 1]),
    "score": changed((*CELL, 0), IDS[*CELL, 0], STORED[*CELL, 0] + 1),
    "cells": changed(0, IDS[0, :, ::-1], STORED[0, :, ::-1]),
    "key": {"keys": ["train/n0000", "train/n0001", "train/n0003"]},
    "order-of-keys": {"keys": ["train/n0001", "train/n0000", "train/n0002"]},
    "image-index": {"image_indexes": [0, 1, 3]},
    "rows": {"rows": 2, "ids": IDS[:2], "stored": STORED[:2]},
    "classes": {"num_classes": 11, "ids": IDS, "stored": STORED,
                "document": {"annotator": ANNOTATOR, "classes": None}},
    "metadata": {"document": TEXT.replace(b"CC0-1.0", b"CC-BY-4.0")},
}

ALIKE = [BASE, f"{BASE}-none", "one-image-per-chunk", "padded-keys"]
UNLIKE = [f"{BASE}-class", "orientation-xy", "orientation-unknown", "temperature", "extent-of-all"]
PAIRS = [
    ("dataset", "joined", True),
    *((BASE, name, True) for name in ALIKE),
    *((BASE, name, False) for name in UNLIKE),
    *((BASE, f"same-{name}", True) for name in SAME),
    *((BASE, f"different-{name}", False) for name in DIFFERENT),
]
"""Names of two valid cases, and whether they hold the same."""


def valid():
    """The names of all valid cases, each with a function that makes it in an empty folder."""
    changes = grid() | EDGES
    changes |= {f"same-{name}": settings for name, settings in SAME.items()}
    changes |= {f"different-{name}": settings for name, settings in DIFFERENT.items()}
    shards = {name: Shard(**SMALL | settings) for name, settings in changes.items()} | {"joined": joined()}
    cases = {name: lambda folder, shard=shard: shard.write(folder / "a.h5") for name, shard in shards.items()}
    sound = dict(SOUND)
    return cases | {name.replace("_", "-"): sound[name] for name in ODD}
