"""The Python package as the runner of the conformance pack wants it (spec/conformance/README.md).

    python conformance_python.py read PATH | write JSON SHARD | equal A B | verify PATH

The package only reads. So `write` is the independent writer of these tests, `shard_writer.py`, and
`verify` gives the rules that the package itself checks on opening and reading everything.
"""

import json
import pathlib
import sys

import numpy as np

# A program of its own, not a test, for which conftest would do this.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "spec" / "conformance" / "generator"))

from shard_writer import Shard, canonical, encode  # noqa: E402

import relabel_hdf5  # noqa: E402
from relabel_hdf5 import CorruptError, RelabelError, UnsafeError, UnsupportedError  # noqa: E402

HEADER = ["format_version", "writer", "build_id", "num_classes", "score_kind", "fill", "temperature",
          "cell_order", "row_order", "orientation", "map_extent", "metadata", "height", "width"]
ATTRIBUTES = ["writer", "build_id", "fill", "orientation", "row_order"]
EXIT_CODES = {CorruptError: 5, UnsafeError: 4, UnsupportedError: 6}


def content(path):
    """What a shard or dataset holds, the optional HDF5 datasets that the package does not read left out."""
    with relabel_hdf5.open(path) as maps:
        header, batch = maps.header, maps.batch(range(len(maps)))
        columns = {
            "key": list(maps.keys()),
            "image_index": maps.image_indexes().tolist(),
            "map_extent": batch.extent.tolist(),
            "class_index": batch.class_index.tolist(),
            "score": batch.score.tolist(),
        }
    relation = {} if header.classes_are == "exclusive" else {"classes_are": header.classes_are}
    return {
        "header": {name: getattr(header, name) for name in HEADER} | {"k": header.top_k} | relation,
        "storage": {"encoding": header.encoding, "scale_factor": header.step, "add_offset": header.offset},
        "images": [dict(zip(columns, image)) for image in zip(*columns.values())],
    }


def meaning(path):
    """The content without how it is stored."""
    held = content(path)
    return held["header"], held["images"]


# How an optional HDF5 dataset stores what a content says of an image (section 4.5).
OPTIONAL = {
    "image_size": ("<u4", list),
    "image_sha256": ("u1", lambda digest: list(bytes.fromhex(digest or "ff" * 32))),
    "source_label": ("<i4", lambda label: -1 if label is None else label),
    "map_extent": ("<f4", list),
    "log_normalizer": ("<f4", list),
}


def optional_columns(held):
    """The data of the optional HDF5 datasets; extents only where an image has its own."""
    images, extent = held["images"], held["header"]["map_extent"]
    names = set(images[0]) & set(OPTIONAL) if images else set()
    if all(image["map_extent"] == extent for image in images):
        names -= {"map_extent"}
    return {
        name: np.array([stored(image[name]) for image in images], kind)
        for name, (kind, stored) in OPTIONAL.items()
        if name in names
    }


def shard(held):
    """The description of a shard that holds this content."""
    header, storage, images = held["header"], held["storage"], held["images"]
    shape = (len(images), header["height"], header["width"], header["k"])
    scores = np.array([image["score"] for image in images], np.float64).reshape(shape)
    packing = {"step": storage["scale_factor"], "offset": storage["add_offset"]}
    ids = np.array([image["class_index"] for image in images], np.int64).reshape(shape)
    optional = optional_columns(held)
    return Shard(
        **dict(zip(["rows", "height", "width", "k"], shape)),
        **{name: header[name] for name in ["num_classes", "score_kind", "cell_order"]},
        **packing,
        classes_are=header.get("classes_are", "exclusive"),
        encoding=storage["encoding"],
        keys=[image["key"] for image in images],
        image_indexes=[image["image_index"] for image in images],
        ids=ids.astype("<u2" if header["num_classes"] <= 65_535 else "<u4"),
        stored=encode(scores, storage["encoding"], *packing.values()),
        document=canonical(header["metadata"]),
        attributes={name: header[name] for name in ATTRIBUTES} | {
            "temperature": np.float64(header["temperature"]),
            "map_extent": np.array(header["map_extent"], "<f4"),
        },
        optional=tuple(optional),
        column_changes={name: {"data": data} for name, data in optional.items()},
    )


def verified(path):
    """The report of opening a shard or dataset and reading all of it, and the error that it met, if any."""
    try:
        content(path)
    except RelabelError as error:
        return {"findings": [{"rule": error.rule, "severity": "error", "message": str(error)}]}, error
    return {"findings": []}, None


def main(command, *arguments):
    """Runs one command; gives back its exit code."""
    try:
        if command == "read":
            print(json.dumps(content(*arguments)))
        elif command == "write":
            document, path = map(pathlib.Path, arguments)
            shard(json.loads(document.read_text())).write(path)
        elif command == "equal":
            one, other = map(meaning, arguments)
            return 0 if one == other else 1
        elif command == "verify":
            report, error = verified(*arguments[:1])
            print(json.dumps(report))
            return EXIT_CODES.get(type(error), 1) if error else 0
    except RelabelError as error:
        print(error, file=sys.stderr)
        return EXIT_CODES.get(type(error), 1)
    except OSError as error:
        print(error, file=sys.stderr)
        return 74
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
