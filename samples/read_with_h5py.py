"""Prints the labels of one image as JSON: read_with_h5py.py SHARD KEY (needs only h5py)."""
import json
import sys

import h5py

with h5py.File(sys.argv[1]) as shard:
    header = [shard.attrs[name] for name in ("format", "format_version", "features_required")]
    if header[0] != b"relabel" or not header[1].startswith(b"1.") or header[2] != b"none":
        sys.exit(f"this reader can't read {header}")
    row = [key.decode() for key in shard["image_key"]].index(sys.argv[2])
    ids, score = shard["class_index"][row], shard["score"]
    values = score[row].astype("float32")
    if "scale_factor" in score.attrs:
        values = values * score.attrs["scale_factor"] + score.attrs["add_offset"]
    print(json.dumps({"key": sys.argv[2], "image_index": int(shard["image_index"][row]),
                      "class_index": ids.tolist(), "score": values.tolist()}, sort_keys=True))
