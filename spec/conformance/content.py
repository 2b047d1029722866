"""What a shard or a dataset of shards holds, as the JSON of README.md: read with h5py and NumPy alone.

Written from the text of the specification; it checks nothing and shares nothing with the readers under test.
"""

import json
import pathlib

import h5py
import numpy as np

HEADER = ["format_version", "writer", "build_id", "num_classes", "score_kind", "fill", "temperature",
          "cell_order", "row_order", "orientation", "map_extent"]


def plain(value):
    """An attribute or array as JSON has it; float32 numbers keep their exact value as float64."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def read_header(file):
    """What is equal in all shards of a dataset, but for how scores are stored (sections 5.1 and 10)."""
    header = {name: plain(file.attrs[name]) for name in HEADER}
    if "classes_are" in file.attrs:
        header["classes_are"] = plain(file.attrs["classes_are"])
    if "view_size" in file.attrs:
        header["view_size"] = plain(file.attrs["view_size"])
    pieces = sorted(name for name in file.attrs if name.startswith("metadata_0"))
    header["metadata"] = json.loads(b"".join(bytes(file.attrs[name]) for name in pieces))
    header["height"], header["width"], header["k"] = file["score"].shape[1:]
    return header


def read_storage(score):
    """How scores are stored (section 5.2)."""
    return {name: plain(score.attrs.get(name)) for name in ["encoding", "scale_factor", "add_offset"]}


def decoded(score):
    """Scores in float32 (section 6.1)."""
    stored = score[:].astype(np.float32)
    if "scale_factor" not in score.attrs:
        return stored
    return stored * score.attrs["scale_factor"] + score.attrs["add_offset"]


def read_images(file):
    """The rows, each with what the optional HDF5 datasets say of it (section 4.5)."""
    rows = len(file["score"])
    columns = {
        "key": [plain(key) for key in file["image_key"][:]],
        "image_index": plain(file["image_index"][:]),
        "map_extent": [plain(file.attrs["map_extent"])] * rows,
        "class_index": plain(file["class_index"][:]),
        "score": plain(decoded(file["score"])),
    }
    for name in ["image_size", "map_extent", "log_normalizer"]:
        if name in file:
            columns[name] = plain(file[name][:])
    if "source_label" in file:
        columns["source_label"] = [None if c == -1 else c for c in plain(file["source_label"][:])]
    if "image_sha256" in file:
        digests = [row.tobytes() for row in file["image_sha256"][:]]
        columns["image_sha256"] = [None if d == b"\xff" * 32 else d.hex() for d in digests]
    if "class_factor" in file:
        columns["class_factor"] = plain(file["class_factor"][:].astype(int) - 127)
        columns["factor_scale"] = plain(file["factor_scale"][:])
    if "view" in file:
        columns |= read_views(file)
    return [{name: column[row] for name, column in columns.items()} for row in range(rows)]


def read_views(file):
    """What the rows say of their views (section 4.10); null where there is nothing."""
    def column(name, none, empty=lambda value: False):
        if name not in file:
            return [none] * len(file["view"])
        return [none if empty(value) else value for value in plain(file[name][:])]

    text = [value.decode() for value in file["operations"][:]] if "operations" in file else [""] * len(file["view"])
    return {
        "view": plain(file["view"][:]),
        "view_box": column("view_box", None),
        "view_flip": column("view_flip", None, lambda flip: flip == 255),
        "view_seed": column("view_seed", None),
        "replay": column("replay", None, lambda place: place[0] == -1),
        "mixup_lambda": column("mixup_lambda", None, lambda share: share != share),
        "mixup_partner": column("mixup_partner", [-1, -1]),
        "cutmix_lambda": column("cutmix_lambda", None, lambda share: share != share),
        "cutmix_box": column("cutmix_box", None, lambda box: box[0] == -1),
        "cutmix_partner": column("cutmix_partner", [-1, -1]),
        "operations": [value or None for value in text],
    }


def shards(path):
    """The shards of a dataset in the order of its index (section 11.2), or the shard itself."""
    if path.is_file():
        return [path]
    index = json.loads((path / "index.json").read_bytes())
    return [path / shard["path"] for shard in index["shards"]]


def content(path):
    """The content of a shard or dataset."""
    images = []
    for shard in shards(pathlib.Path(path)):
        with h5py.File(shard, "r") as file:
            header, storage = read_header(file), read_storage(file["score"])
            images += read_images(file)
    return {"header": header, "storage": storage, "images": images}


def text(document):
    """A content as text: a line for each member of its header and each image."""
    parts = [f'"{name}": {block(document[name])}' for name in ["header", "storage", "images"]]
    return "{" + ",\n ".join(parts) + "}\n"


def block(value):
    """An object or array with one member on each line."""
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {compact(member)}" for name, member in value.items()]
        return "{\n  " + ",\n  ".join(lines) + "}"
    return "[" + ",".join("\n  " + compact(member) for member in value) + "]"


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
