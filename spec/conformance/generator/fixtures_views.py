"""Shards whose rows are views of images, sound ones and broken ones: rules V024 to V031, M012 and P004."""

from dataclasses import replace

import numpy as np
from registry import Fixtures
from shard_writer import ANNOTATOR, Shard, class_table, keys_array, utf8_type, write_dataset

FIXTURES = Fixtures()
breaks, sound = FIXTURES.breaks, FIXTURES.sound

# Section 4.10: type, axes and whether bytes are shuffled.
COLUMNS = {
    "view": ("<i4", "image", True),
    "view_box": ("<f8", "image box", True),
    "view_flip": ("u1", "image", False),
    "view_seed": ("<i8", "image", True),
    "replay": ("<i4", "image replay", True),
    "mixup_lambda": ("<f8", "image", True),
    "mixup_partner": ("<i8", "image partner", True),
    "cutmix_lambda": ("<f8", "image", True),
    "cutmix_box": ("<i4", "image edge", True),
    "cutmix_partner": ("<i8", "image partner", True),
}
EPOCHS = [[0, 1, 2], [2, 0, 1]]  # the images of two epochs, a batch of three each
VIEWS = {"dialect": "example", "chain": ["crop", "flip", "cutmix"], "interpolation": "bilinear",
         "teacher_mode": "eval", "operations_schema": "example/1", "batch_size": 3}


def document(**changes):
    """A metadata document that says how the views were made."""
    return {"annotator": ANNOTATOR, "classes": class_table(), "views": VIEWS | changes}


def values(first_epoch=0):
    """What the rows of two epochs say of their views."""
    images = np.array(EPOCHS)
    slots = np.tile(np.arange(3), 2)
    partner = (slots + 1) % 3
    epochs = np.repeat(np.arange(2), 3)
    return {
        "view": epochs + first_epoch,
        "view_box": np.array([[0.125, 0.25, 0.5, 0.5], [-0.0625, 0, 1.125, 1], [0, 0.1, 0.9, 0.3]] * 2),
        "view_flip": [0, 1, 255] * 2,
        "view_seed": np.arange(6) - 2**40,
        "replay": np.stack([epochs + first_epoch, np.zeros(6), slots], 1),
        "mixup_lambda": [np.nan] * 6,
        "mixup_partner": [[-1, -1]] * 6,
        "cutmix_lambda": np.repeat([0.75, 0.1], 3),
        "cutmix_box": np.repeat([[8, 16, 64, 96], [0, 0, 0, 0]], 3, axis=0),
        "cutmix_partner": np.stack([images[epochs, partner], partner], 1),
        "operations": ["", '{"ops":[[3,0.5]]}', '{"ops":[]}'] * 2,
    }


def shard(first_epoch=0, without=(), given=None, **changes):
    """A shard of two epochs of three images; `given` replaces values, `without` leaves datasets out."""
    images = [image for epoch in EPOCHS for image in epoch]
    settings = {
        "rows": 6, "height": 1, "width": 1, "k": 4, "views": True, "document": document(), "images_per_chunk": 3,
        "keys": [f"train/n{image:04}" for image in images], "image_indexes": images,
        "seed": 1 + first_epoch, "cell_order": "source",
    }
    made = Shard(**settings | changes)
    columns = {}
    for name, data in (values(first_epoch) | (given or {})).items():
        if name in without:
            continue
        if name == "operations":
            data = keys_array(data, 24)
            column = made.column(data, {"axes": "image"}, shuffled=False)
            columns[name] = replace(column, fill=None, type=utf8_type(24))
            continue
        kind, axes, shuffled = COLUMNS[name]
        attributes = {"axes": axes} | ({"source_type": "float64"} if name == "view_box" else {})
        columns[name] = made.column(np.array(data, kind), attributes, shuffled=shuffled)
    attributes = {"row_order": "replay"} if "replay" not in without else {}
    return replace(
        made,
        extra_columns=columns | made.extra_columns,
        attributes=attributes | made.attributes,
    )


def with_value(name, row, value, **changes):
    """A shard whose row has another value in one dataset."""
    data = values()[name]
    data = np.array(data, None if name == "operations" else COLUMNS[name][0]).tolist()
    data[row] = value
    return shard(given={name: data}, **changes)


def add(rule, variant, made):
    breaks(rule, variant)(lambda folder: made.write(folder / "a.h5"))


def add_sound(name, made):
    sound(name)(lambda folder: made.write(folder / "a.h5"))


def by_image(**changes):
    """The same views, those of an image together."""
    data = {name: [value[row] for row in (0, 4, 1, 5, 2, 3)] for name, value in values().items()}
    images = [0, 0, 1, 1, 2, 2]
    keys = [f"train/n{image:04}" for image in images]
    settings = {"keys": keys, "image_indexes": images, "attributes": {"row_order": "image"}} | changes
    return shard(given=data, **settings)


# ------------------------------------------------------------------------------------------- sound

MIX = ["mixup_lambda", "mixup_partner", "cutmix_lambda", "cutmix_box", "cutmix_partner"]
add_sound("views", shard())
add_sound("views_by_image", by_image())
add_sound("views_of_all_classes", shard(k=10, cell_order="class", encoding="float16"))
add_sound("views_of_tokens", shard(height=2, width=3, encoding="float32", score_kind="probability"))
add_sound("views_alone", shard(without=set(values()) - {"view"}, attributes={"view_size": None}))
add_sound("views_in_no_batch", shard(without={"replay", *MIX}))
add_sound("views_independent", shard(classes_are="independent"))
add_sound("views_with_unknown_partners", shard(given={"cutmix_partner": [[-1, -1]] * 6}))
add_sound("views_of_pixels", shard(optional=("image_size",), column_changes={"view_box": {"attributes": {
    "axes": "image box", "source_type": "pixels"}}}))


@sound("views_in_two_shards")
def views_in_two_shards(folder):
    settings = {"largest_error": 0.001953125}
    return write_dataset(folder, shard(**settings), shard(first_epoch=2, **settings))


# ----------------------------------------------------------------------------- layout: L004, L005…

add("L004", "views_in_1_0", shard(attributes={"format_version": "1.0"}))
add("L004", "view_size_without_feature", Shard(attributes={"view_size": np.array([64, 96], "<i8")}))
add("L004", "view_size_of_floats", shard(attributes={"view_size": np.array([64.0, 96.0])}))
add("L004", "view_size_zero", shard(attributes={"view_size": np.array([0, 96], "<i8")}))
add("L004", "boxes_without_view_size", shard(attributes={"view_size": None}))
add("L004", "source_type_unknown", shard(column_changes={"view_box": {"attributes": {
    "axes": "image box", "source_type": "float8"}}}))
add("L004", "source_type_missing", shard(column_changes={"view_box": {"attributes": {"axes": "image box"}}}))
add("L004", "cell_order_source_of_images", Shard(cell_order="source"))
add("L004", "row_order_replay_of_images", Shard(attributes={"row_order": "replay"}))
add("L005", "view_missing", shard(without={"view"}))
add("L005", "view_without_feature", shard(
    views=False, without=set(values()) - {"view"}, cell_order="score", keys=None, image_indexes=None))
add("L005", "pixels_without_image_size", shard(column_changes={"view_box": {"attributes": {
    "axes": "image box", "source_type": "pixels"}}}))
add("L006", "view_int64", shard(column_changes={"view": {
    "data": np.array([0, 0, 0, 1, 1, 1], "<i8"), "fill": b"\xff" * 8}}))
add("L007", "replay_of_two", shard(column_changes={"replay": {"data": np.zeros((6, 2), "<i4"), "chunk": (4, 2)}}))
add("L013", "views_no_object", shard(document=document() | {"views": []}))
add("L013", "chain_of_other_words", shard(document=document(chain=["crop", "rotate"])))
add("L013", "teacher_mode_unknown_word", shard(document=document(teacher_mode="both")))

# ----------------------------------------------------------------------------------- values: V…

add("V003", "view_box_infinite", with_value("view_box", 2, [0, 0, np.inf, 1]))
add("V003", "view_box_nan", with_value("view_box", 2, np.array([0, 0x7FF0000000000001, 0, 0], "<u8").view("<f8").tolist()))
add("V007", "view_unwritten", with_value("view", 4, -1))
add("V007", "seed_unwritten", with_value("view_seed", 0, -1))
add("V009", "another_index_in_another_view", shard(image_indexes=[0, 1, 2, 2, 3, 1], without=MIX))
add("V010", "another_key_with_the_index", shard(
    keys=["train/n0000", "train/n0001", "train/n0002", "train/n0002", "train/n0003", "train/n0001"]))
add("V024", "twice", with_value("view", 3, 0))
add("V024", "negative", with_value("view", 3, -2))
add("V025", "no_height", with_value("view_box", 1, [0.5, 0, 0, 1]))
add("V025", "negative_width", with_value("view_box", 1, [0.5, 0, 1, -0.5]))
add("V026", "two", with_value("view_flip", 5, 2))
add("V027", "share_above_1", with_value("mixup_lambda", 3, 1.5))
add("V027", "share_nan", with_value(
    "cutmix_lambda", 3, np.array([0x7FF8000000000001], "<u8").view("<f8")[0], without={"cutmix_partner"}))
add("V027", "box_outside", shard(given={"cutmix_box": [[8, 16, 65, 96]] * 6}))
add("V027", "box_upside_down", shard(given={"cutmix_box": [[8, 16, 7, 96]] * 6}))
add("V027", "partner_negative", with_value("mixup_partner", 3, [-2, -1]))
add("V028", "taken_twice", with_value("replay", 1, [0, 0, 0], without=MIX, attributes={"row_order": "source"}))
add("V028", "half_known", with_value("replay", 1, [0, -1, 1], without=MIX, attributes={"row_order": "source"}))
add("V029", "slot_missing", with_value("cutmix_partner", 1, [2, 7]))
add("V029", "another_image", with_value("cutmix_partner", 1, [1, 2]))
add("V029", "another_share", with_value("cutmix_lambda", 1, 0.5))
add("V029", "another_box", with_value("cutmix_box", 1, [8, 16, 64, 95]))
add("V029", "in_no_batch", shard(without={"replay"}))
add("V030", "no_object", with_value("operations", 1, "[1]"))
add("V030", "no_json", with_value("operations", 1, "{"))
add("V031", "replay", by_image(attributes={"row_order": "replay"}))
add("V031", "image", shard(attributes={"row_order": "image"}))
add("V031", "in_no_batch", shard(without={"replay", *MIX}, attributes={"row_order": "replay"}))
add("P004", "train", shard(document=document(teacher_mode="train")))


def two(second, **changes):
    settings = {"largest_error": 0.001953125} | changes
    return lambda folder: write_dataset(folder, shard(**settings), second(settings))


breaks("M007", "view_twice")(two(lambda settings: shard(
    given={"replay": values(2)["replay"]}, **settings)))
breaks("M007", "another_index_of_the_image")(two(lambda settings: shard(
    2, image_indexes=[3, 1, 2, 2, 3, 1], without=(), given={"cutmix_partner": [[-1, -1]] * 6}, **settings)))
breaks("M007", "another_image_of_the_index")(two(lambda settings: shard(
    2, keys=[f"train/n{n:04}" for n in (7, 1, 2, 2, 7, 1)], **settings)))
breaks("M012", "batch_in_two")(two(lambda settings: shard(
    given=values(2) | {"replay": [[1, 0, 3], [1, 0, 4], [1, 0, 5], [3, 0, 0], [3, 0, 1], [3, 0, 2]],
                       "cutmix_partner": [[-1, -1]] * 6}, **settings)))
breaks("M012", "partner_missing")(two(lambda settings: shard(
    2, given={"mixup_partner": [[9, -1]] * 6, "mixup_lambda": [0.5] * 6}, **settings)))
