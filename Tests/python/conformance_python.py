"""The Python package as the runner of the conformance pack wants it (spec/conformance/README.md).

    python conformance_python.py read PATH | write JSON SHARD | equal A B | verify PATH

The package only reads. So `write` is the independent writer of these tests, `shard_writer.py`, and
`verify` gives the rules that the package itself checks on opening and reading everything.
"""

import contextlib
import json
import pathlib
import sys
from dataclasses import replace

import numpy as np

# A program of its own, not a test, for which conftest would do this.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "spec" / "conformance" / "generator"))

import fixtures_views  # noqa: E402
from shard_writer import Shard, canonical, encode, keys_array, utf8_type  # noqa: E402

import relabel_hdf5  # noqa: E402
from relabel_hdf5 import CorruptError, RelabelError, UnsafeError, UnsupportedError  # noqa: E402
from relabel_hdf5.views.partners import partners  # noqa: E402

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
        if header.has_factors:
            columns["class_factor"] = (batch.class_factor.astype(int) - 127).tolist()
            columns["factor_scale"] = batch.factor_scale.tolist()
        if header.has_views:
            columns |= view_columns(maps.views)
    relation = {} if header.classes_are == "exclusive" else {"classes_are": header.classes_are}
    if header.view_size is not None:
        relation["view_size"] = list(header.view_size)
    return {
        "header": {name: getattr(header, name) for name in HEADER} | {"k": header.top_k} | relation,
        "storage": {"encoding": header.encoding, "scale_factor": header.step, "add_offset": header.offset},
        "images": [dict(zip(columns, image)) for image in zip(*columns.values())],
    }


def read_views(maps):
    """Everything that is said of views, and each in every way that it can be asked for."""
    views = maps.views
    rows = views.at(range(len(maps)))
    for name in ("view", "box", "flip", "seed", "replay", "mixup_lambda", "mixup_partner", "cutmix_lambda", "cutmix_box",
                 "cutmix_partner", "operations"):  # fmt: skip
        getattr(rows, name)
    views.epochs, views.images
    for key in set(maps.keys()):
        views.of(key)
    for kind in ("mixup", "cutmix"):
        with contextlib.suppress(UnsupportedError):  # partners that nobody knows
            partners(rows, kind)


def view_columns(views):
    """What is known of each view; null for what is not known, or where there is nothing."""
    rows = views.at(range(len(views)))
    count = len(rows)

    def unless(values, missing):
        return [None if value == missing else value for value in values.tolist()]

    def share(values):
        return [None if value != value else value for value in values.tolist()]

    texts = rows.source.table.column_or("operations", rows.positions, b"").tolist()
    return {
        "view": rows.view.tolist(),
        "view_box": [None] * count if rows.box is None else rows.box.tolist(),
        "view_flip": unless(rows.flip, 255),
        "view_seed": [None] * count if rows.seed is None else rows.seed.tolist(),
        "replay": unless(rows.replay, [-1] * 3),
        "mixup_lambda": share(rows.mixup_lambda),
        "mixup_partner": rows.mixup_partner.tolist(),
        "cutmix_lambda": share(rows.cutmix_lambda),
        "cutmix_box": unless(rows.cutmix_box, [-1] * 4),
        "cutmix_partner": rows.cutmix_partner.tolist(),
        "operations": [text.decode() or None for text in texts],
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


NOTHING = {
    "view_flip": 255, "replay": [-1] * 3, "mixup_lambda": np.nan, "mixup_partner": [-1] * 2, "cutmix_lambda": np.nan,
    "cutmix_box": [-1] * 4, "cutmix_partner": [-1] * 2, "operations": "",
}  # fmt: skip


def columns_of_views(made, images):
    """The HDF5 datasets of views, those left out in which nothing is known."""
    found = {}
    for name in [*fixtures_views.COLUMNS, "operations"]:
        nothing = NOTHING.get(name)
        values = [nothing if image[name] is None else image[name] for image in images]
        if all(value == nothing or value != value for value in values):
            continue
        if name == "operations":
            column = made.column(keys_array(values), {"axes": "image"}, shuffled=False)
            found[name] = replace(column, fill=None, type=utf8_type(column.data.dtype.itemsize))
            continue
        kind, axes, shuffled = fixtures_views.COLUMNS[name]
        attributes = {"axes": axes} | ({"source_type": "float64"} if name == "view_box" else {})
        found[name] = made.column(np.array(values, kind), attributes, shuffled=shuffled)
    return found


def shard(held):
    """The description of a shard that holds this content."""
    header, storage, images = held["header"], held["storage"], held["images"]
    shape = (len(images), header["height"], header["width"], header["k"])
    scores = np.array([image["score"] for image in images], np.float64).reshape(shape)
    packing = {"step": storage["scale_factor"], "offset": storage["add_offset"]}
    ids = np.array([image["class_index"] for image in images], np.int64).reshape(shape)
    optional = optional_columns(held)
    has_views = bool(images) and "view" in images[0]
    size = header.get("view_size")
    made = Shard(
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
            "view_size": np.array(size, "<i8") if size else None,
        },
        views=has_views,
        optional=tuple(optional),
        column_changes={name: {"data": data} for name, data in optional.items()},
    )
    if images and "class_factor" in images[0]:
        return of_factors(made, images)
    return replace(made, extra_columns=columns_of_views(made, images)) if has_views else made


def of_factors(made, images):
    """The description of a shard of factors."""
    numbers = np.array([image["class_factor"] for image in images], int) + 127
    scales = np.array([image["factor_scale"] for image in images], "<f4")
    column = made.column(numbers.astype("u1"), {"axes": "image factor class"}, shuffled=False)
    columns = {
        "class_factor": replace(column, chunk=(made.images_per_chunk, *numbers.shape[1:])),
        "factor_scale": made.column(scales, {"axes": "image factor"}),
    }
    features = {"format_version": "1.1", "features_required": "factors"}
    return replace(made, extra_columns=columns, attributes=features | made.attributes)


def verified(path):
    """The report of opening a shard or dataset and reading all of it, and the error that it met, if any."""
    try:
        content(path)
        with relabel_hdf5.open(path) as maps:
            if maps.header.has_views:
                read_views(maps)
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
