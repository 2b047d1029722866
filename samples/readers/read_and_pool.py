"""Prints the ten best classes of a crop box: read_and_pool.py SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]

Needs only h5py, and pool.py beside it.
"""

import os
import sys

os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # no filter plugins (section 16)

import h5py
import numpy as np
from pool import cell_weights, need, pool

KNOWN = {  # other values are refused (section 12.3)
    "features_required": ["none"],
    "score_kind": ["logit", "probability", "log_probability"],
    "fill": ["zero", "uniform"],
    "orientation": ["yx", "xy", "unknown"],
    "encoding": ["fixed16", "fixed8", "float16", "float32"],
}


def text(value):
    """An attribute; fixed-length strings come as bytes (section 3.6)."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def read_map(path, key):
    """Class ids and decoded scores [y, x, rank] of an image, and all attributes that say what they mean."""
    with h5py.File(path) as shard:
        need(shard.attrs.get("format") == b"relabel", f"{path} is not a shard of label maps")
        about = {name: text(value) for name, value in [*shard.attrs.items(), *shard["score"].attrs.items()]}
        found = f"{path}, format version {about['format_version']}, written by {about['writer']}"
        need(about["format_version"].startswith("1."), f"{found}: this reader knows version 1")
        for name, words in KNOWN.items():
            need(about[name] in words, f"{found}: {name} is {about[name]}: this reader knows {words}")
        rows = np.flatnonzero(shard["image_key"][:] == key.encode())
        need(len(rows) == 1, f"there is no image {key} in {path}")
        ids, stored = shard["class_index"][rows[0]].astype(int), shard["score"][rows[0]]
        about["map_extent"] = shard["map_extent"][rows[0]] if "map_extent" in shard else about["map_extent"]
    need(ids.max() < about["num_classes"], f"{key}: class id {ids.max()} of {about['num_classes']}")
    need(np.diff(np.sort(ids)).all(), f"{key}: a class id occurs twice in a cell")
    need(np.isfinite(stored).all() and (stored != about.get("_FillValue")).all(), f"{key} was never written")
    return ids, stored.astype(float) * about.get("scale_factor", 1) + about.get("add_offset", 0), about


need(len(sys.argv) in (7, 8), __doc__)
ids, score, about = read_map(*sys.argv[1:3])
profile = sys.argv[7] if len(sys.argv) == 8 else None
weights = cell_weights(ids.shape, sys.argv[3:7], profile, about["orientation"], about["map_extent"])
target, rest = pool(ids, score, weights, about)
for best in np.argsort(-target, kind="stable")[:10]:
    print(best, f"{target[best]:.9g}")
print("rest", f"{rest:.9g}")
