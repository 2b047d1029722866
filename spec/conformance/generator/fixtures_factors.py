"""Shards whose maps are sums of products, sound ones and broken ones (section 4.11): rules V032 to V034."""

from dataclasses import replace

import numpy as np
from registry import Fixtures
from shard_writer import Shard

FIXTURES = Fixtures()
breaks, sound = FIXTURES.breaks, FIXTURES.sound

COLUMNS = {"class_factor": ("image factor class", False), "factor_scale": ("image factor", True)}


def values(rows, k, classes, seed=1):
    """What the factors of some images say of classes: stored numbers and scales; the last image needs one factor less."""
    generator = np.random.default_rng(seed)
    numbers = generator.integers(0, 255, (rows, k, classes)).astype("u1")
    scales = (2.0 ** generator.integers(-6, 1, (rows, k))).astype("<f4")
    if k > 1:
        numbers[-1, -1], scales[-1, -1] = 127, 0
    return {"class_factor": numbers, "factor_scale": scales}


def shard(given=None, without=(), feature=True, **changes):
    """A shard of factors; `given` replaces values, `without` leaves datasets out."""
    settings = {
        "cell_order": "class", "encoding": "fixed8", "step": 1.0, "offset": -127.0, "k": 3, "images_per_chunk": 2,
    } | changes
    made = Shard(**settings)
    ids = np.broadcast_to(np.arange(made.k, dtype="<u2"), made.shape)
    if made.encoding == "fixed8":
        stored = np.random.default_rng(made.seed).integers(0, 255, made.shape).astype("u1")
        made = replace(made, stored=stored if made.stored is None else made.stored)
    made = replace(made, ids=np.ascontiguousarray(ids) if made.ids is None else made.ids)
    columns = {}
    for name, data in (values(made.rows, made.k, made.num_classes) | (given or {})).items():
        if name in without:
            continue
        axes, shuffled = COLUMNS[name]
        column = made.column(data, {"axes": axes}, shuffled=shuffled)
        if name == "class_factor":
            column = replace(column, chunk=(made.images_per_chunk, *data.shape[1:]))
        columns[name] = column
    attributes = {"format_version": "1.1", "features_required": "factors"} if feature else {}
    return replace(made, extra_columns=columns, attributes=attributes | made.attributes)


def of_vectors(header, maps):
    """A shard of maps of factors from the test vectors of pooling, which share a header and a shape."""
    labels = list(maps.values())
    sizes = {"rows": len(labels), "k": labels[0]["top_k"]} | {name: labels[0][name] for name in ("height", "width")}
    shape = len(labels), sizes["height"], sizes["width"], sizes["k"]
    numbers = np.array([each["class_factor"] for each in labels]).reshape(len(labels), sizes["k"], -1)
    meaning = {"orientation": header["orientation"], "temperature": np.float64(header["temperature"])}
    meaning |= {"map_extent": np.array(header["map_extent"], "<f4")}
    return shard(
        **sizes, num_classes=header["num_classes"], keys=list(maps), encoding="float32", step=None, offset=None,
        scores=np.array([each["score"] for each in labels]).reshape(shape), attributes=meaning,
        given={
            "class_factor": (numbers + 127).astype("u1"),
            "factor_scale": np.array([each["factor_scale"] for each in labels], "<f4"),
        },
    )


def with_number(name, place, value, **changes):
    """A shard that has another number in one place of a dataset."""
    data = values(5, 3, 10)[name]
    data[place] = value
    return shard(given={name: data}, **changes)


def stating(numbers, kind="<f8", **attributes):
    """A shard whose `class_factor` states an error of targets."""
    own = {"axes": "image factor class", "target_error": np.array(numbers, kind)} | attributes
    return shard(column_changes={"class_factor": {"attributes": own}})


def add(rule, variant, made):
    breaks(rule, variant)(lambda folder: made.write(folder / "a.h5"))


def add_sound(name, made):
    sound(name)(lambda folder: made.write(folder / "a.h5"))


# ------------------------------------------------------------------------------------------- sound

add_sound("factors", shard())
add_sound("factors_of_one", shard(k=1, height=1, width=1))
add_sound("factors_in_floats", shard(encoding="float32", step=None, offset=None))
add_sound("factors_with_labels", shard(optional=("source_label", "map_extent", "image_size")))
add_sound("factors_uncompressed", shard(compression="none"))
add_sound("factors_with_their_error", stating([5, 40, 1.25, 2.5, 3], quality=np.float64(0.0003)))
add_sound("factors_not_measured", stating([0, 0, 0, 0, 0]))
add_sound("factors_at_temperature", shard(attributes={"temperature": np.float64(2.5)}))

# ----------------------------------------------------------------------------- layout: L004, L005…

add("L004", "factors_in_1_0", shard(attributes={"format_version": "1.0"}))
add("L004", "factors_of_probabilities", shard(
    encoding="float32", step=None, offset=None, score_kind="probability", attributes={"fill": "zero"}))
add("L004", "factors_by_score", shard(cell_order="score", stored=np.broadcast_to(
    np.array([200, 130, 127], "u1"), (5, 3, 4, 3)) - np.arange(5, dtype="u1")[:, None, None, None]))
add("L005", "class_factor_missing", shard(without={"class_factor"}))
add("L005", "factor_scale_missing", shard(without={"factor_scale"}))
add("L005", "class_factor_without_feature", shard(without={"factor_scale"}, feature=False))
add("L005", "factors_with_normalizer", shard(optional=("log_normalizer",), column_changes={"log_normalizer": {
    "data": np.full((5, 3, 4), 200, "<f4")}}))
add("L006", "class_factor_int16", shard(column_changes={"class_factor": {
    "data": np.zeros((5, 3, 10), "<i2"), "fill": b"\xff" * 2}}))
add("L007", "class_factor_of_other_classes", shard(column_changes={"class_factor": {
    "data": np.zeros((5, 3, 9), "u1"), "chunk": (2, 3, 9)}}))
add("L007", "factor_scale_of_other_factors", shard(column_changes={"factor_scale": {
    "data": np.ones((5, 2), "<f4"), "chunk": (4, 2)}}))
add("L008", "class_factor_axes", shard(column_changes={"class_factor": {"attributes": {"axes": "image class factor"}}}))
add("L012", "class_factor_in_other_chunks", shard(column_changes={"class_factor": {"chunk": (3, 3, 10)}}))

add("L004", "target_error_float32", stating([5, 40, 1.25, 2.5, 3], "<f4"))
add("L004", "target_error_of_four", stating([5, 40, 1.25, 2.5]))
add("L004", "quality_negative", stating([5, 40, 1.25, 2.5, 3], quality=np.float64(-0.5)))
add("L004", "target_error_of_classes", Shard(column_changes={"class_index": {
    "attributes": {"axes": "image y x rank", "target_error": np.zeros(5)}}}))

# ----------------------------------------------------------------------------------- values: V…

add("V003", "scale_infinite", with_number("factor_scale", (1, 1), np.inf))
add("V007", "class_factor_unwritten", with_number("class_factor", (2, 1, 4), 255))
add("V007", "factor_scale_unwritten", shard(given={"factor_scale": np.frombuffer(
    np.where(np.arange(15) == 4, np.float32(1).view("<u4") * 0 + 0x7FC00000, np.float32(0.5).view("<u4")).astype("<u4")
    .tobytes(), "<f4").reshape(5, 3)}))
add("V032", "three", with_number("factor_scale", (3, 0), 3))
add("V032", "negative", with_number("factor_scale", (3, 0), -0.5))
add("V032", "subnormal", with_number("factor_scale", (0, 2), 2.0**-130))
add("V033", "swapped", shard(ids=np.ascontiguousarray(np.where(
    (np.arange(5) == 4)[:, None, None, None], np.array([0, 1, 3], "<u2"), np.array([0, 1, 2], "<u2"))
    * np.ones((5, 3, 4, 1), "<u2"))))
for variant, numbers in {
    "negative": [5, 40, -1.25, 2.5, 3],
    "not_finite": [5, 40, np.nan, 2.5, 3],
    "infinite": [5, 40, np.inf, 2.5, 3],
    "half_an_image": [4.5, 40, 1.25, 2.5, 3],
    "more_images_than_rows": [6, 48, 1.25, 2.5, 3],
    "crops_of_nothing": [0, 40, 1.25, 2.5, 3],
    "fewer_crops_than_images": [5, 4, 1.25, 2.5, 3],
    "half_l1_above_one": [5, 40, 1.25, 40.5, 3],
    "more_other_classes_than_crops": [5, 40, 1.25, 2.5, 41],
    "divergence_of_nothing": [0, 0, 1.25, 0, 0],
}.items():
    add("V034", variant, stating(numbers))
