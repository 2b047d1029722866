"""Files and folders that break exactly one rule of the verifier, and odd ones that break none.

A function under `@breaks(RULE, VARIANT)` gets an empty folder and gives back the path to verify, or the
path and a list of options;
one under `@sound(NAME)` makes something that the spec allows and a hasty verifier may refuse.
"""

import json
import struct
import zlib
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t
from registry import Fixtures
from shard_writer import (
    ANNOTATOR,
    CLASSES,
    SCORE_TYPES,
    Raw,
    Shard,
    canonical,
    change_superblock,
    class_table,
    digest,
    encode_index,
    fill_value,
    index_document,
    seal,
    two_shards,
    with_checksum,
    write_dataset,
    write_shard,
)

FIXTURES = Fixtures()
add, add_sound, breaks, sound = FIXTURES.add, FIXTURES.add_sound, FIXTURES.breaks, FIXTURES.sound

COLUMNS = ["class_index", "score", "image_index", "image_key"]
OPTIONAL = ["image_size", "image_sha256", "source_label", "map_extent", "log_normalizer"]


def made(make, folder):
    """What a function of this module makes: the path, and the options of the verifier as text."""
    result = make(folder)
    path, options = result if isinstance(result, tuple) else (result, [])
    return path, [str(option) for option in options]


def with_column(name, **changes):
    """Changes of one HDF5 dataset."""
    return {"column_changes": {name: changes}}


def with_column_attribute(name, attribute, value):
    """One attribute of one HDF5 dataset set, or left out with None."""
    attributes = Shard().columns()[name].attributes | {attribute: value}
    return with_column(name, attributes=attributes)


def with_root(**attributes):
    return {"attributes": attributes}


def flip(path, at, bit=1):
    """Flips one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= bit
    path.write_bytes(content)
    return path


# ----------------------------------------------------------------------------- S: the first bytes


add("S001", "user_block", user_block=512)
add("S002", "earliest", bounds=(h5f.LIBVER_EARLIEST, h5f.LIBVER_V110))
add("S002", "v108", bounds=(h5f.LIBVER_V18, h5f.LIBVER_V18))
add("S002", "extension", paged=True)


@breaks("S001", "text")
def text_file(folder):
    path = folder / "a.h5"
    path.write_text("not HDF5\n" * 20)
    return path


@breaks("S001", "empty")
def empty_file(folder):
    path = folder / "a.h5"
    path.touch()
    return path


@breaks("S002", "newer")
def newer_superblock(folder):
    return change_superblock(write_shard(folder / "a.h5"), 8, b"\x04")


@breaks("S002", "short_offsets")
def short_offsets(folder):
    return change_superblock(write_shard(folder / "a.h5"), 9, b"\x04")


@breaks("S002", "short_lengths")
def short_lengths(folder):
    return change_superblock(write_shard(folder / "a.h5"), 10, b"\x04")


@breaks("S002", "base_address")
def base_address(folder):
    return change_superblock(write_shard(folder / "a.h5"), 12, b"\x08")


@breaks("S003", "write")
def write_flag(folder):
    return change_superblock(write_shard(folder / "a.h5"), 11, b"\x01")


@breaks("S003", "swmr")
def swmr_flag(folder):
    return change_superblock(write_shard(folder / "a.h5"), 11, b"\x05")


@breaks("S003", "reserved")
def reserved_flag(folder):
    return change_superblock(write_shard(folder / "a.h5"), 11, b"\x02")


@breaks("S004", "trailing")
def trailing_bytes(folder):
    path = write_shard(folder / "a.h5")
    path.write_bytes(path.read_bytes() + b"\0")
    return path


@breaks("S004", "truncated")
def truncated(folder):
    path = write_shard(folder / "a.h5")
    path.write_bytes(path.read_bytes()[:-1])
    return path


@breaks("S004", "truncated_superblock")
def truncated_superblock(folder):
    path = write_shard(folder / "a.h5")
    path.write_bytes(path.read_bytes()[:40])
    return path


@breaks("S004", "end_changed")
def end_changed(folder):
    path = write_shard(folder / "a.h5")
    size = len(path.read_bytes())
    return change_superblock(path, 28, struct.pack("<Q", size + 4096))


# --------------------------------------------------------------------------------- C: the container


@breaks("C001", "superblock_checksum")
def superblock_checksum(folder):
    return flip(write_shard(folder / "a.h5"), 44)


@breaks("C001", "root_address")
def root_address(folder):
    path = write_shard(folder / "a.h5")
    return change_superblock(path, 36, struct.pack("<Q", len(path.read_bytes()) - 8))


def flip_behind(folder, signature, nth, distance=6):
    """Flips a bit behind the nth occurrence of a signature of HDF5's metadata."""
    path = write_shard(folder / "a.h5")
    content, at = path.read_bytes(), -1
    for _ in range(nth + 1):
        at = content.index(signature, at + 1)
    return flip(path, at + distance)


for nth, what in enumerate(["root", *"1234"]):
    breaks("C001", f"object_header_{what}")(partial(flip_behind, signature=b"OHDR", nth=nth))
for signature in [b"EAHD", b"EAIB"]:
    for nth in (0, 3):
        name = f"{signature.decode()}_{nth}"
        breaks("C001", name)(partial(flip_behind, signature=signature, nth=nth))


def linked(function):
    """A shard with something more in the root group."""
    return {"after": function}


add("C002", "soft", **linked(lambda f: f.__setitem__("alias", h5py.SoftLink("/score"))))
add("C002", "soft_dangling", **linked(lambda f: f.__setitem__("alias", h5py.SoftLink("/nowhere"))))
add("C002", "soft_circle", **linked(lambda f: f.__setitem__("alias", h5py.SoftLink("/alias"))))
add("C002", "external", **linked(lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/"))))
add("C002", "group", **linked(lambda f: f.create_group("group")))
add("C002", "committed_type", **linked(lambda f: f.__setitem__("type", np.dtype("<i4"))))
add("C002", "two_names", **linked(lambda f: f.__setitem__("score2", f["score"])))
add("C002", "circle", **linked(lambda f: f.__setitem__("self", f["/"])))


@breaks("C002", "soft_in_place")
def soft_in_place(folder):
    """`score` itself is a link to a file elsewhere that holds a sound `score`."""
    other = write_shard(folder / "other.h5")

    def exchange(file):
        file["score"] = h5py.ExternalLink(str(other), "/score")

    return write_shard(folder / "a.h5", column_changes={"score": None}, after=exchange)


def stored_otherwise(make):
    """Changes that put `image_index` into another kind of storage."""

    def after(file):
        shard = Shard()
        make(file, np.array(shard.indexes(), "<i8"))
        attributes = shard.columns()["image_index"].attributes
        for name, value in attributes.items():
            file["image_index"].attrs.create(name, np.bytes_(value), dtype=f"S{len(value)}")

    return {"column_changes": {"image_index": None}, "after": after}


def plain_storage(file, data, layout, external=None):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(layout)
    plist.set_obj_track_times(False)
    if external:
        plist.set_external(external.encode(), 0, data.nbytes)
    space = h5s.create_simple(data.shape)
    dataset = h5d.create(file.id, b"image_index", h5t.STD_I64LE, space, plist)
    if not external:
        dataset.write(h5s.ALL, h5s.ALL, data)


def virtual_storage(file, data):
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", data.shape)
    file.create_virtual_dataset("image_index", layout)


def virtual_in_itself(file, data):
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[:] = h5py.VirtualSource(".", "image_index", data.shape)
    file.create_virtual_dataset("image_index", layout)


add("C003", "contiguous", **stored_otherwise(partial(plain_storage, layout=h5d.CONTIGUOUS)))
add("C003", "compact", **stored_otherwise(partial(plain_storage, layout=h5d.COMPACT)))
add("C003", "external", **stored_otherwise(
    partial(plain_storage, layout=h5d.CONTIGUOUS, external="/etc/passwd")))
add("C003", "virtual", **stored_otherwise(virtual_storage))
add("C003", "virtual_circle", **stored_otherwise(virtual_in_itself))
add("C003", "unfiltered_edges", **with_column(
    "class_index", edge_chunks_unfiltered=True, through_library=True))

for name, filters in {
    "no_checksum": ["shuffle", "deflate"],
    "nothing": [],
    "wrong_order": ["deflate", "shuffle", "fletcher32"],
    "checksum_first": ["fletcher32", "shuffle", "deflate"],
    "no_shuffle": ["deflate", "fletcher32"],
    "shuffle_only": ["shuffle", "fletcher32"],
    "twice": ["shuffle", "deflate", "deflate", "fletcher32"],
}.items():
    add("C004", name, **with_column("score", filters=filters))
add("C004", "ids_shuffled", **with_column("class_index", filters=["shuffle", "deflate", "fletcher32"]))
add("C004", "lzf", **with_column("class_index", filters=["lzf", "fletcher32"], through_library=True))
add("C004", "scaleoffset", **with_column(
    "class_index", filters=["scaleoffset", "fletcher32"], through_library=True))
add("C004", "mixed", **with_column("score", filters=["fletcher32"]))
add("C004", "mixed_keys", **with_column("image_key", filters=["fletcher32"]))
add("C004", "mixed_reverse", compression="none", **with_column(
    "image_index", filters=["shuffle", "deflate", "fletcher32"]))


def scalar():
    return h5s.create(h5s.SCALAR)


def vlen_text(file):
    file.attrs["x-note"] = "a variable-length string"


def compound_value():
    kind = np.dtype([("a", "<i4"), ("b", "<f4")])
    return Raw(h5t.py_create(kind), scalar(), np.zeros((), kind))


add("C005", "dense_attributes", compact_attributes=False)
add("C005", "dense_attributes_of_dataset", **with_column(
    "score", dense_attributes=True,
    attributes=Shard().columns()["score"].attributes | {f"x-{n}": np.int64(n) for n in range(9)}))
add("C005", "dense_links", compact_links=False, optional=tuple(OPTIONAL))
add("C005", "vlen", after=vlen_text)
add("C005", "vlen_in_dataset", after=lambda f: f["score"].attrs.create("x-note", "variable"))
add("C005", "compound", **with_root(**{"x-pair": compound_value()}))
add("C005", "reference", after=lambda f: f.attrs.create("x-to", f["score"].ref, dtype=h5py.ref_dtype))
add("C005", "big_endian", **with_root(**{"x-n": np.array(1, ">i4")}))
add("C005", "enum", **with_root(**{"x-e": np.bool_(True)}))
add("C005", "array", **with_root(**{
    "x-a": Raw(h5t.array_create(h5t.STD_I32LE, (2,)), scalar())}))
add("C005", "opaque", **with_root(**{"x-o": np.array(b"abc", "V3")}))
add("C005", "null_space", **with_root(**{"x-n": Raw(h5t.STD_I32LE, h5s.create(h5s.NULL))}))
add("C005", "no_elements", **with_root(**{"x-n": Raw(h5t.STD_I32LE, h5s.create_simple((0,)))}))
add("C005", "two_dimensions", **with_root(**{"x-n": np.zeros((2, 2), "<i4")}))
add("C005", "too_long", **with_root(**{"x-n": "a" * 60_001}))
add("C005", "committed_type", after=lambda f: commit_and_use(f))


def commit_and_use(file):
    """An attribute of a committed type that no link leads to."""
    kind = h5t.STD_I32LE.copy()
    kind.commit(file["/"].id, b"type")
    attribute = h5py.h5a.create(file["/"].id, b"x-n", kind, scalar())
    attribute.write(np.array(1, "<i4"))
    del file["type"]


add("C006", "chunk_of_17_MiB", images_per_chunk=250_000)
add("C006", "absurd_rows", column_changes={
    name: {"shape": (10**12, *Shard().columns()[name].data.shape[1:])} for name in COLUMNS})
add("C006", "absurd_rows_of_one", **with_column("image_key", shape=(2**62,)))


@breaks("C006", "inflate_ratio")
def inflate_ratio(folder):
    """400 MiB of keys declared, one chunk stored: few chunks, but more than its bytes can hold."""
    shard = Shard(key_width=1024, rows_per_identity_chunk=1024)
    changes = {name: {"shape": (409_600, *c.data.shape[1:])} for name, c in shard.columns().items()}
    changes["class_index"]["chunk"] = changes["score"]["chunk"] = (200_000, 3, 4, 3)
    changes["image_index"]["chunk"] = (200_000,)
    return replace(shard, column_changes=changes).write(folder / "a.h5")


def empty_blocks(number, data):
    """A zlib stream of thousands of empty blocks before the one with the data."""
    body = zlib.decompress(data[:-4])
    last = struct.pack("<BHH", 1, len(body), len(body) ^ 0xFFFF) + body
    stream = b"\x78\x01" + b"\0\0\0\xff\xff" * 2000 + last + struct.pack(">I", zlib.adler32(body))
    assert zlib.decompress(stream) == body
    return with_checksum(stream)


add("C006", "stored_chunk_too_long", **with_column("class_index", stored=empty_blocks))


def only(wanted, change):
    """A change of one chunk's stored bytes."""
    return lambda number, data: change(data) if number == wanted else data


for name in COLUMNS:
    add("C007", name, **with_column(name, stored=only(1, lambda data: None)))
add("C007", "all", **with_column("class_index", stored=lambda number, data: None))
add("C007", "optional", optional=("image_size",), **with_column(
    "image_size", stored=only(0, lambda data: None)))
add("C007", "uncompressed", compression="none", **with_column("score", stored=only(1, lambda data: None)))


def flipped(data, at=10):
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def recompressed(data, change):
    """The chunk with other contents, all checksums right."""
    return with_checksum(zlib.compress(change(zlib.decompress(data[:-4]))))


for name in COLUMNS:
    add("C008", f"flip_{name}", **with_column(name, stored=only(1, flipped)))
    add("C008", f"flip_uncompressed_{name}", compression="none", **with_column(name, stored=only(1, flipped)))
add("C008", "flip_optional", optional=("image_sha256",), **with_column(
    "image_sha256", stored=only(0, flipped)))
for name, change in {
    "checksum_changed": lambda data: flipped(data, len(data) - 1),
    "checksum_swapped": lambda data: data[:-4] + bytes([data[-3], data[-4], data[-1], data[-2]]),
    "no_zlib": lambda data: with_checksum(b"\0" * 40),
    "adler32": lambda data: with_checksum(flipped(data[:-4], len(data) - 5)),
    "raw_deflate": lambda data: with_checksum(data[2:-8]),
    "behind_the_stream": lambda data: with_checksum(data[:-4] + b"\0"),
    "truncated_stream": lambda data: with_checksum(data[:-5]),
    "too_little": lambda data: recompressed(data, lambda body: body[:-1]),
    "too_much": lambda data: recompressed(data, lambda body: body + b"\xff"),
    "nothing": lambda data: recompressed(data, lambda body: b""),
    "bomb": lambda data: recompressed(data, lambda body: bytes(100_000)),
    "three_bytes": lambda data: b"\0\0\0",
    "checksum_only": lambda data: bytes(4),
}.items():
    add("C008", name, **with_column("class_index", stored=only(1, change)))
add("C008", "too_much_uncompressed", compression="none", **with_column(
    "class_index", stored=only(1, lambda data: with_checksum(data[:-4] + b"\xff\xff"))))
add("C008", "too_little_uncompressed", compression="none", **with_column(
    "class_index", stored=only(1, lambda data: with_checksum(data[:-8]))))


def without_checksum(data, mask):
    return data[:-4], mask


add("C009", "ids", **with_column("class_index", stored=only(0, partial(without_checksum, mask=2))))
add("C009", "scores", **with_column("score", stored=only(1, partial(without_checksum, mask=4))))
add("C009", "keys", **with_column("image_key", stored=only(0, partial(without_checksum, mask=2))))
add("C009", "uncompressed", compression="none", **with_column(
    "class_index", stored=only(0, partial(without_checksum, mask=1))))


def of_type(name, kind, **more):
    """A column whose elements have another type; its bytes are not looked at."""
    data = np.zeros(Shard().columns()[name].data.shape, f"V{kind.get_size()}")
    return with_column(name, type=kind, data=data, fill=None, stored=lambda n, d: None, **more)


add("C010", "big_endian_ids", **of_type("class_index", h5t.STD_U16BE))
add("C010", "big_endian_scores", **of_type("score", h5t.IEEE_F32BE))
add("C010", "compound", **of_type("image_index", h5t.py_create(np.dtype([("a", "<i4"), ("b", "<i4")]))))
add("C010", "vlen_keys", **of_type("image_key", h5t.py_create(h5py.string_dtype(), logical=True), filters=[]))
add("C010", "vlen_numbers", **of_type("image_index", h5t.vlen_create(h5t.STD_I64LE), filters=[]))
add("C010", "reference", **of_type("image_index", h5t.STD_REF_OBJ))
add("C010", "enum", **of_type("image_index", h5t.py_create(h5py.enum_dtype({"a": 0}, "<i8"), logical=True)))
add("C010", "array", **of_type("image_index", h5t.array_create(h5t.STD_I32LE, (2,))))
add("C010", "opaque", **of_type("image_index", h5t.py_create(np.dtype("V8"))))
add("C010", "bit_field", **of_type("image_index", h5t.STD_B64LE))
add("C010", "committed", column_changes={"image_index": None}, after=lambda f: committed(f))


def committed(file):
    """`image_index` of a committed type that no link leads to any more."""
    kind = h5t.STD_I64LE.copy()
    kind.commit(file.id, b"type")
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_shuffle()
    plist.set_deflate(6)
    plist.set_fletcher32()
    plist.set_obj_track_times(False)
    plist.set_fill_value(np.array(-1, "<i8"))
    space = h5s.create_simple((5,), (h5s.UNLIMITED,))
    dataset = h5d.create(file.id, b"image_index", kind, space, plist)
    dataset.write(h5s.ALL, h5s.ALL, np.arange(5, dtype="<i8"))
    file["image_index"].attrs.create("axes", np.bytes_("image"), dtype=h5py.string_dtype("utf-8", 5))
    del file["type"]


# ----------------------------------------------------------------------------------- L: the layout


add("L001", "missing", **with_root(format=None))
add("L001", "other", **with_root(format="relabel-index"))
add("L001", "number", **with_root(format=np.int64(1)))

VERSIONS = ["2.0", "0.9", "1", "1.00", "01.0", "1.0.0", "one", "-1.0", "1.", "1.0 ", f"{10**20}.0"]
for version in VERSIONS:
    add("L002", version.replace(" ", "_"), **with_root(format_version=version))

for features in ["depth-maps", "alpha beta"]:
    add("L003", features.replace(" ", "_"), **with_root(features_required=features))
add("L003", "and_a_known_enumeration", **with_root(features_required="new-kind", score_kind="entropy"))

ROOT = ["format_version", "features_required", "features_optional", "num_classes", "score_kind", "fill",
        "temperature", "cell_order", "row_order", "orientation", "map_extent", "writer", "build_id",
        "metadata_sha256"]
for name in ROOT:
    add("L004", f"{name}_missing", **with_root(**{name: None}))


def extent(*values):
    return np.array(values, "<f4")


for variant, attributes in {
    "num_classes_int32": {"num_classes": np.int32(10)},
    "num_classes_uint64": {"num_classes": np.uint64(10)},
    "num_classes_array": {"num_classes": np.array([10])},
    "num_classes_zero": {"num_classes": np.int64(0)},
    "num_classes_negative": {"num_classes": np.int64(-1)},
    "num_classes_large": {"num_classes": np.int64(2**32)},
    "score_kind_unknown": {"score_kind": "entropy"},
    "score_kind_number": {"score_kind": np.int64(1)},
    "score_kind_capital": {"score_kind": "Logit"},
    "fill_uniform_for_logits": {"fill": "uniform"},
    "fill_unknown": {"fill": "mean"},
    "temperature_float32": {"temperature": np.float32(1)},
    "temperature_zero": {"temperature": np.float64(0)},
    "temperature_negative": {"temperature": np.float64(-1)},
    "temperature_infinite": {"temperature": np.float64("inf")},
    "temperature_nan": {"temperature": np.float64("nan")},
    "cell_order_unknown": {"cell_order": "rank"},
    "row_order_without_seed": {"row_order": "shuffled"},
    "row_order_negative": {"row_order": "shuffled:-1"},
    "row_order_large": {"row_order": f"shuffled:{2**64}"},
    "row_order_plus": {"row_order": "shuffled:+1"},
    "orientation_unknown_word": {"orientation": "down"},
    "map_extent_float64": {"map_extent": np.array([0.0, 0, 1, 1])},
    "map_extent_three": {"map_extent": extent(0, 0, 1)},
    "map_extent_scalar": {"map_extent": np.float32(1)},
    "map_extent_empty_box": {"map_extent": extent(0, 0, 0, 1)},
    "map_extent_negative": {"map_extent": extent(-0.125, 0, 1, 1)},
    "map_extent_outside": {"map_extent": extent(0.5, 0, 0.75, 1)},
    "map_extent_nan": {"map_extent": extent(0, 0, np.nan, 1)},
    "build_id_upper_case": {"build_id": digest(b"").upper()},
    "build_id_short": {"build_id": "ab"},
    "writer_number": {"writer": np.int64(1)},
    "unknown_attribute": {"novel": np.int64(1)},
    "unknown_attribute_x": {"xnovel": np.int64(1)},
    "features_unsorted": {"features_optional": "beta alpha"},
    "features_twice": {"features_optional": "alpha alpha"},
    "features_none_and_more": {"features_optional": "alpha none"},
    "features_two_spaces": {"features_optional": "alpha  beta"},
    "features_capital": {"features_optional": "Alpha"},
    "features_begin_with_digit": {"features_optional": "1alpha"},
}.items():
    add("L004", variant, **with_root(**attributes))

INDEPENDENT = {"classes_are": "independent"}
for variant, attributes in {
    "independent_unsaid": {"classes_are": None},
    "independent_exclusive": {"classes_are": "exclusive"},
    "independent_unknown_word": {"classes_are": "both"},
    "independent_in_1_0": {"format_version": "1.0"},
    "independent_uniform": {"fill": "uniform"},
}.items():
    add("L004", variant, **INDEPENDENT, score_kind="probability", **with_root(**attributes))
add("L004", "classes_are_without_feature", **with_root(classes_are="independent"))
add("L004", "classes_are_without_feature_in_1_1", **with_root(classes_are="independent", format_version="1.1"))

add("L004", "unknown_on_dataset", **with_column_attribute("score", "novel", np.int64(1)))
add("L004", "unknown_on_keys", **with_column_attribute("image_key", "encoding", "fixed16"))

for name in COLUMNS:
    add("L005", f"{name}_missing", column_changes={name: None})


def extra(name, rows=5, **changes):
    """One more HDF5 dataset, sound in itself."""
    shard = Shard()
    data = np.arange(rows, dtype="<i4")
    return {name: replace(shard.column(data, {"axes": "image"}), **changes)}


add("L005", "unknown", extra_columns=extra("novel"))
add("L005", "vendor", extra_columns=extra("x-novel"))
add("L005", "log_normalizer_of_independent", **INDEPENDENT, optional=("log_normalizer",))
add("L005", "log_normalizer_of_probabilities", score_kind="probability", optional=("log_normalizer",))


def retyped(name, kind):
    """Changes that store a column as another type that the container allows."""
    column = Shard().columns()[name]
    return with_column(name, data=column.data.astype(kind), fill=fill_value(kind), type=None)


add("L006", "ids_uint32", **retyped("class_index", "<u4"))
add("L006", "ids_int16", **retyped("class_index", "<i2"))
add("L006", "ids_uint8", **retyped("class_index", "u1"))
add("L006", "ids_uint16_for_many_classes", num_classes=65_536, column_changes={
    "class_index": {"data": np.tile(np.arange(3, dtype="<u2"), (5, 3, 4, 1)), "fill": b"\xff\xff"}},
    scores=np.tile([3.0, 2.0, 1.0], (5, 3, 4, 1)))
add("L006", "index_int32", **retyped("image_index", "<i4"))
add("L006", "index_uint64", **retyped("image_index", "<u8"))
add("L006", "score_float64", encoding="float32", column_changes={"score": {
    "data": Shard(encoding="float32").labels()[1].astype("<f8"), "fill": struct.pack("<Q", 0x7FF8 << 48)}})
add("L006", "keys_numbers", **with_column(
    "image_key", type=None, data=np.arange(5, dtype="<i8"), fill=b"\xff" * 8))
add("L006", "image_size_int32", optional=("image_size",), **with_column(
    "image_size", data=np.ones((5, 2), "<i4")))


def key_type(charset, padding):
    kind = h5t.C_S1.copy()
    kind.set_size(11)
    kind.set_cset(charset)
    kind.set_strpad(padding)
    return kind


add("L006", "keys_ascii", **with_column("image_key", type=key_type(h5t.CSET_ASCII, h5t.STR_NULLPAD)))
add("L006", "keys_null_terminated", **with_column(
    "image_key", type=key_type(h5t.CSET_UTF8, h5t.STR_NULLTERM)))
add("L006", "keys_space_padded", **with_column(
    "image_key", type=key_type(h5t.CSET_UTF8, h5t.STR_SPACEPAD)))


def rows_of(name, rows):
    data = Shard(rows=rows).columns()[name].data
    return with_column(name, data=data)


for name in COLUMNS:
    add("L007", f"{name}_longer", **rows_of(name, 6))
    add("L007", f"{name}_shorter", **rows_of(name, 4))
add("L007", "index_two_axes", **with_column(
    "image_index", data=np.arange(5, dtype="<i8").reshape(5, 1), chunk=(4, 1)))
add("L007", "image_size_three", optional=("image_size",), **with_column(
    "image_size", data=np.ones((5, 3), "<u4"), chunk=(4, 3)))
add("L007", "normalizer_grid", optional=("log_normalizer",), **with_column(
    "log_normalizer", data=np.ones((5, 4, 3), "<f4"), chunk=(2, 4, 3)))
add("L007", "optional_shorter", optional=("source_label",), **with_column(
    "source_label", data=np.zeros(4, "<i4")))


@breaks("L007", "k_above_classes")
def k_above_classes(folder):
    document = {"annotator": ANNOTATOR, "classes": None}
    return write_shard(folder / "a.h5", attributes={"num_classes": np.int64(2)}, document=document)


@breaks("L007", "feature_column_shorter")
def feature_column_shorter(folder):
    return write_shard(
        folder / "a.h5", attributes={"features_optional": "novel"}, extra_columns=extra("novel", rows=4))


for name in COLUMNS:
    add("L008", f"{name}_missing", **with_column_attribute(name, "axes", None))
    add("L008", f"{name}_other", **with_column_attribute(name, "axes", "row"))
add("L008", "number", **with_column_attribute("score", "axes", np.int64(1)))
add("L008", "transposed", **with_column_attribute("score", "axes", "image x y rank"))
add("L008", "optional", optional=("image_size",), **with_column("image_size", attributes={"axes": "image"}))

ZERO_FILLS = {"class_index": b"\0\0", "score": b"\0\0", "image_index": bytes(8)}
for name, zeros in ZERO_FILLS.items():
    ones = b"\xff" * len(zeros)
    add("L009", f"{name}_zero", **with_column(name, fill=zeros, padding=ones))
    add("L009", f"{name}_default", **with_column(name, fill=None, padding=ones))
    add("L009", f"{name}_never", **with_column(name, fill_time=h5d.FILL_TIME_NEVER))
add("L009", "image_key_never", **with_column("image_key", fill_time=h5d.FILL_TIME_NEVER))
add("L009", "keys_filled", **with_column("image_key", fill=b"x" * 11, padding=b"\0" * 11))
add("L009", "float_zero", encoding="float32", **with_column(
    "score", fill=bytes(4), padding=fill_value("<f4")))
add("L009", "float_other_nan", encoding="float32", **with_column(
    "score", fill=b"\xff" * 4, padding=fill_value("<f4")))
add("L009", "optional", optional=("source_label",), **with_column(
    "source_label", fill=bytes(4), padding=b"\xff" * 4))
add("L009", "no_attribute", **with_column_attribute("score", "_FillValue", None))
add("L009", "attribute_zero", **with_column_attribute("score", "_FillValue", np.uint16(0)))
add("L009", "attribute_int32", **with_column_attribute("score", "_FillValue", np.int32(65_535)))
add("L009", "attribute_array", **with_column_attribute("score", "_FillValue", np.array([65_535], "<u2")))
add("L009", "attribute_on_ids", **with_column_attribute("class_index", "_FillValue", np.uint16(65_535)))
add("L009", "attribute_on_floats", encoding="float32", **with_column("score", attributes={
    "axes": "image y x rank", "encoding": "float32", "_FillValue": np.float32("nan")}))


def packed(**changes):
    """Changes of the attributes of a fixed16 `score`."""
    attributes = Shard().columns()["score"].attributes | changes
    return with_column("score", attributes=attributes)


def of_floats(**changes):
    return {"encoding": "float32"} | with_column(
        "score", attributes={"axes": "image y x rank", "encoding": "float32"} | changes)


add("L010", "encoding_missing", **packed(encoding=None))
add("L010", "encoding_unknown", **packed(encoding="bfloat16"))
add("L010", "encoding_fixed8_in_16_bits", **packed(encoding="fixed8"))
add("L010", "encoding_float32_in_16_bits", **with_column(
    "score", attributes={"axes": "image y x rank", "encoding": "float32"}))
add("L010", "step_missing", **packed(scale_factor=None))
add("L010", "offset_missing", **packed(add_offset=None))
add("L010", "step_no_power", **packed(scale_factor=np.float32(0.002), add_offset=np.float32(0)))
add("L010", "step_three", **packed(scale_factor=np.float32(0.75), add_offset=np.float32(0)))
add("L010", "step_negative", **packed(scale_factor=np.float32(-0.25), add_offset=np.float32(0)))
add("L010", "step_zero", **packed(scale_factor=np.float32(0)))
add("L010", "step_infinite", **packed(scale_factor=np.float32("inf")))
add("L010", "step_nan", **packed(scale_factor=np.float32("nan")))
add("L010", "step_float64", **packed(scale_factor=np.float64(1 / 256)))
add("L010", "step_array", **packed(scale_factor=np.array([1 / 256], "<f4")))
add("L010", "offset_float64", **packed(add_offset=np.float64(-128)))
add("L010", "offset_between", **packed(add_offset=np.float32(1 / 512)))
add("L010", "offset_nan", **packed(add_offset=np.float32("nan")))
add("L010", "offset_infinite", **packed(add_offset=np.float32("inf")))
add("L010", "offset_too_many_steps", **packed(add_offset=np.float32((2**23 + 2) / 256)))
add("L010", "overflow", **packed(scale_factor=np.float32(2.0**120), add_offset=np.float32(0)))
add("L010", "step_on_floats", **of_floats(scale_factor=np.float32(1)))
add("L010", "offset_on_floats", **of_floats(add_offset=np.float32(0)))

add("L011", "fixed", **with_column("image_index", limits=(5,)))
add("L011", "bounded", **with_column("image_key", limits=(10,)))
add("L011", "bounded_maps", **with_column("class_index", limits=(10, 3, 4, 3)))
add("L011", "unlimited_rank", **with_column("class_index", limits=(h5s.UNLIMITED, 3, 4, h5s.UNLIMITED)))
add("L011", "all_unlimited", **with_column("score", limits=(h5s.UNLIMITED,) * 4))
add("L011", "growing_grid", **with_column("score", limits=(h5s.UNLIMITED, 6, 4, 3)))

CUT = {"chunk": (2, 3, 2, 3), "through_library": True}
add("L012", "cut", column_changes={"class_index": CUT, "score": CUT})
add("L012", "different", **with_column("score", chunk=(1, 3, 4, 3)))
add("L012", "index_too_long", **with_column("image_index", chunk=(2**20 + 1,)))
add("L012", "optional_cut", optional=("image_sha256",), **with_column(
    "image_sha256", chunk=(4, 16), through_library=True))
add("L012", "optional_too_long", optional=("source_label",), **with_column(
    "source_label", chunk=(2**20 + 1,)))


def document(**changes):
    """The default metadata document with some members changed."""
    members = {"annotator": ANNOTATOR, "classes": class_table()} | changes
    return {"document": {name: value for name, value in members.items() if value != "left out"}}


def annotator(**changes):
    return document(annotator=ANNOTATOR | changes)


def table(change, **members):
    """A document with another class table, its digest made right."""
    entries = [dict(entry) for entry in CLASSES]
    change(entries)
    return document(classes=class_table(entries) | members)


CANON = Shard().metadata()
for variant, changes in {
    "not_json": {"document": b"hello"},
    "truncated": {"document": CANON[:-1]},
    "array": {"document": b"[]"},
    "null": {"document": b"null"},
    "invalid_utf8": {"document": CANON.replace("é".encode(), b"\xe9")},
    "byte_order_mark": {"document": b"\xef\xbb\xbf" + CANON},
    "white_space": {"document": CANON.replace(b":", b": ")},
    "newline": {"document": CANON + b"\n"},
    "unsorted": {"document": b'{"classes":null,"annotator":{"name":"a"}}'},
    "escaped": {"document": CANON.replace("é".encode(), b"\\u00e9")},
    "escaped_slash": {"document": b'{"annotator":{"name":"a\\/b"},"classes":null}'},
    "whole_float": {"document": b'{"annotator":{"name":"a","temperature":1.0},"classes":null}'},
    "not_a_number": {"document": b'{"annotator":{"name":"a"},"classes":null,"x":NaN}'},
    "name_twice": {"document": b'{"annotator":{"name":"a"},"annotator":{"name":"a"},"classes":null}'},
    "lone_surrogate": {"document": b'{"annotator":{"name":"\\ud800"},"classes":null}'},
    "no_annotator": document(annotator="left out"),
    "no_classes": document(classes="left out"),
    "annotator_text": document(annotator="efficientnet"),
    "annotator_without_name": document(annotator={"input_size": [480, 480]}),
    "annotator_empty_name": annotator(name=""),
    "annotator_name_number": annotator(name=5),
    "input_size": annotator(input_size=[480]),
    "weights_digest": annotator(weights_sha256="abc"),
    "mean_text": annotator(mean="0.5"),
    "temperature_text": annotator(temperature="1"),
    "temperature_differs": annotator(temperature=2),
    "map_extent_differs": annotator(map_extent=[0, 0, 0.5, 0.5]),
    "source_number": document(source=5),
    "classes_array": document(classes=CLASSES),
    "classes_empty": document(classes={}),
    "count_other": document(classes=class_table() | {"count": 9}),
    "count_not_num_classes": document(classes=class_table(CLASSES[:9])),
    "table_digest": document(classes=class_table() | {"sha256": digest(b"")}),
    "table_order": table(lambda entries: entries.reverse()),
    "table_without_index": table(lambda entries: entries[3].pop("index")),
    "table_index_text": table(lambda entries: entries[3].update(index="3")),
    "table_without_names": table(lambda entries: (entries[3].pop("id"), entries[3].pop("name"))),
    "table_fraction": table(lambda entries: entries[3].update(weight=0.5)),
    "table_empty_id": table(lambda entries: entries[3].update(id="")),
    "no_pieces": {"pieces": []},
    "first_piece_missing": {"attributes": {"metadata_0000": None, "metadata_0001": CANON}},
    "gap": {"pieces": [CANON[:100]], "attributes": {"metadata_0002": CANON[100:]}},
    "piece_number": {"attributes": {"metadata_0000": np.int64(0)}},
}.items():
    add("L013", variant, **changes)

add("L014", "other_digest", **with_root(metadata_sha256=digest(b"")))
add("L014", "changed_document", document=CANON, pieces=[CANON.replace(b"tnet", b"tNet")])
add("L014", "piece_lost", pieces=[b'{"annotator":null,"classes":null}'])


# ----------------------------------------------------------------------------------- V: the values


def cells(ids=None, scores=None, stored=None, at=(3, 1, 2), **changes):
    """A shard whose cell at (row, y, x) is exactly as given; all other cells are sound."""
    shard = Shard(**changes)
    all_ids, all_stored = (array.copy() for array in shard.labels())
    if ids is not None:
        all_ids[at] = ids
    if scores is not None:
        step, offset = shard.packing
        all_stored[at] = scores if step is None else np.rint((np.array(scores) - offset) / step)
    if stored is not None:
        all_stored[at] = np.array(stored, f"<u{all_stored.itemsize}").view(all_stored.dtype)
    return changes | {"ids": all_ids, "stored": all_stored}


THREE = [3.0, 2.0, 1.0]
LIKELY = [0.5, 0.25, 0.125]

add("V001", "just_above", **cells([1, 10, 3], THREE))
add("V001", "large", **cells([1, 65_534, 3], THREE))
add("V001", "class_order", **cells([1, 2, 10], THREE, cell_order="class"))
add("V001", "uint32", **cells([1, 2**32 - 2, 3], THREE, num_classes=70_000))
add("V002", "two", **cells([1, 5, 5], THREE))
add("V002", "apart", **cells([5, 1, 5], THREE))
add("V002", "equal_entries", **cells([5, 5, 5], [2, 2, 2]))
add("V002", "class_order", **cells([1, 5, 5], THREE, cell_order="class"))


@breaks("V002", "zeroed_chunk")
def zeroed_chunk(folder):
    """An uncompressed chunk zeroed with its checksum, in the middle of the file."""
    stored = np.full((6, 3, 4, 3), 40_000, "<u2")
    ids = np.tile(np.arange(3, dtype="<u2"), (6, 3, 4, 1))
    changes = with_column("class_index", stored=only(1, lambda data: bytes(len(data))))
    return write_shard(folder / "a.h5", compression="none", rows=6, stored=stored, ids=ids, **changes)


NAN_BITS = {"float16": 0x7E01, "float32": 0x7FC00001}
NEGATIVE_NAN = {"float16": 0xFE00, "float32": 0xFFC00000}
for encoding in NAN_BITS:
    size = {"float16": 2, "float32": 4}[encoding]
    fine = [int.from_bytes(np.array(v, SCORE_TYPES[encoding]).tobytes(), "little") for v in THREE]
    add("V003", f"{encoding}_infinity", **cells([1, 2, 3], [np.inf, 2, 1], encoding=encoding))
    add("V003", f"{encoding}_minus_infinity", **cells([1, 2, 3], [3, 2, -np.inf], encoding=encoding))
    for name, bits in [("nan", NAN_BITS), ("negative_nan", NEGATIVE_NAN)]:
        add("V003", f"{encoding}_{name}", **cells(
            [1, 2, 3], stored=[*fine[:2], bits[encoding]], encoding=encoding))
add("V003", "log_probability", **cells(
    [1, 2, 3], [-1, -2, -np.inf], encoding="float32", score_kind="log_probability"))

add("V004", "ascending", **cells([1, 2, 3], [1, 2, 3]))
add("V004", "tie", **cells([1, 3, 2], [3, 2, 2]))
add("V004", "zeros_tie", **cells([1, 3, 2], [1, 0.0, -0.0], encoding="float32"))
add("V004", "class_order", **cells([2, 1, 3], THREE, cell_order="class"))
add("V004", "tie_after_rounding", **cells([1, 3, 2], stored=[40_000, 39_000, 39_000]))

RANGE = dict(score_kind="probability")
LOG = dict(score_kind="log_probability")
add("V005", "negative_float32", **cells([1, 2, 3], [0.5, 0.25, -0.25], encoding="float32", **RANGE))
add("V005", "barely_negative", **cells([1, 2, 3], [0.5, 0.25, -1e-6], encoding="float32", **RANGE))
add("V005", "negative_float16", **cells([1, 2, 3], [0.5, 0.25, -0.25], encoding="float16", **RANGE))
add("V005", "negative_fixed16", **cells(
    [1, 2, 3], [0.5, 0.25, -0.25], offset=-1.0, **RANGE))
add("V005", "negative_by_a_step", **cells(
    [1, 2, 3], [0.5, 0.25, -1 / 32768], offset=-1.0, **RANGE))
add("V005", "above_one_in_a_sum_of_one", **cells(
    [1, 2, 3], [1.25, 0.0, -0.5], encoding="float32", **RANGE))
add("V005", "log_fixed8", **cells([1, 2, 3], [0.25, -40, -50], encoding="fixed8", offset=-62.5, **LOG))
add("V005", "log_float16", **cells([1, 2, 3], [0.001, -15, -16], encoding="float16", **LOG))

add("V006", "fixed16", **cells([1, 2, 3], [0.5, 0.5, 0.25], **RANGE))
add("V006", "fixed16_barely", **cells([1, 2, 3], [0.5, 0.25 + 2 / 32768, 0.25], **RANGE))
add("V006", "fixed8", **cells([1, 2, 3], [0.5, 0.375, 0.25], encoding="fixed8", **RANGE))
add("V006", "float16", **cells([1, 2, 3], [0.5, 0.375, 0.25], encoding="float16", **RANGE))
add("V006", "float32", **cells([1, 2, 3], [0.5, 0.2502, 0.25], encoding="float32", **RANGE))
add("V006", "log", **cells([1, 2, 3], [-0.5, -0.5, -1], **LOG))
add("V006", "log_float32", **cells(
    [1, 2, 3], np.log([0.5, 0.2502, 0.25]), encoding="float32", **LOG))
add("V006", "class_order", **cells([1, 2, 3], [0.5, 0.25, 0.5], cell_order="class", **RANGE))

add("V007", "id", **cells([1, 65_535, 3], THREE))
add("V007", "id_uint32", **cells([1, 2**32 - 1, 3], THREE, num_classes=70_000))
add("V007", "score_fixed16", **cells(stored=[65_535, 40_000, 30_000]))
add("V007", "score_fixed8", **cells(stored=[255, 40, 30], encoding="fixed8"))
add("V007", "score_float16", **cells(stored=[0x4200, 0x4000, 0x7E00], encoding="float16"))
add("V007", "score_float32", **cells(stored=[0x40400000, 0x40000000, 0x7FC00000], encoding="float32"))


@breaks("V007", "whole_row")
def whole_row(folder):
    ids, stored = (array.copy() for array in Shard().labels())
    ids[2], stored[2] = 65_535, 65_535
    return write_shard(folder / "a.h5", ids=ids, stored=stored)


def never_written(name, at=2):
    """An optional HDF5 dataset whose row `at` was never written."""
    column = Shard(optional=(name,)).columns()[name]
    data = column.data.copy()
    data[at] = np.frombuffer(column.fill, data.dtype)[0]
    return {"optional": (name,)} | with_column(name, data=data)


for name in ["image_size", "map_extent", "log_normalizer"]:
    add("V007", name, **never_written(name))

PADDINGS = {"class_index": b"\0\0", "score": b"\1\0", "image_index": bytes(8), "image_key": b"k" * 11}
for name, padding in PADDINGS.items():
    add("V008", name, **with_column(name, padding=padding))
    add("V008", f"{name}_uncompressed", compression="none", **with_column(name, padding=padding))
add("V008", "float", encoding="float32", **with_column("score", padding=b"\xff" * 4))
add("V008", "optional", optional=("source_label",), **with_column("source_label", padding=bytes(4)))


@breaks("V008", "last_byte")
def last_byte(folder):
    """Only the very last byte of the padding is wrong."""

    def change(data):
        return recompressed(data, lambda body: body[:-1] + b"\0")

    return write_shard(folder / "a.h5", **with_column("class_index", stored=only(2, change)))


add("V009", "negative", image_indexes=[0, 1, -2, 3, 4])
add("V009", "unwritten", image_indexes=[0, 1, -1, 3, 4])
add("V009", "lowest", image_indexes=[0, 1, -(2**63), 3, 4])
add("V009", "twice", image_indexes=[0, 1, 2, 3, 1])

for variant, key in {
    "parent": "a/../b", "parent_first": "../b", "parent_last": "a/..", "here": "./b", "absolute": "/etc/passwd",
    "empty_part": "a//b", "trailing_slash": "a/", "empty": "", "newline": "a\nb", "delete": "a\x7fb",
    "null_inside": "a\0b", "latin1": b"caf\xe9", "overlong": b"a/\xc0\xae\xc0\xae/b",
    "surrogate": b"\xed\xa0\x80",
    "truncated_utf8": b"a\xe2\x82", "slash": "/", "only_parent": "..",
}.items():
    add("V010", variant, keys=["a", key, "c", "d", "e"])
add("V010", "twice", keys=["a", "b", "c", "d", "b"])
add("V010", "twice_at_once", keys=["b", "b", "c", "d", "e"])



def with_value(name, value, row=2, **changes):
    """A shard whose row of an optional HDF5 dataset has this value."""
    shard = Shard(optional=(name,), **changes)
    data = shard.columns()[name].data.copy()
    data[row] = value
    return changes | {"optional": (name,), **with_column(name, data=data)}


def normalizers(distance, **changes):
    """Normalizers so far above the largest score of their cell."""
    shard = Shard(**changes)
    data = (shard.decoded().max(-1).astype("<f8") + distance).astype("<f4")
    return changes | {"optional": ("log_normalizer",), **with_column("log_normalizer", data=data)}


for variant, box in {"negative": [-1, 0, 1, 1], "beyond": [0.6, 0, 0.6, 1], "empty": [0, 0, 0, 1], "large": [0, 0, 2, 2],
                     "far_edge": [1, 0, 0.1, 0.1], "backwards": [0.5, 0.5, -0.25, 0.25]}.items():
    add("V019", variant, **with_value("map_extent", box))
add_sound("extent_beyond_by_rounding", **with_value("map_extent", [0.7, 0, 0.3000001, 1]))
add("V020", "below", **with_value("source_label", -2))
add("V020", "lowest", **with_value("source_label", -(2**31)))
add("V020", "num_classes", **with_value("source_label", 10))
add_sound("highest_source_label", **with_value("source_label", 9))
add("V021", "height", **with_value("image_size", [0, 7]))
add("V021", "width", **with_value("image_size", [7, 0]))
add("V021", "both", **with_value("image_size", 0))
add("V022", "below", **normalizers(-0.01))
add("V022", "float32", **normalizers(-0.001, encoding="float32"))
add("V022", "float16", **normalizers(-0.1, encoding="float16"))
add("V022", "fixed8", **normalizers(-0.2, encoding="fixed8"))
add("V022", "one_cell", **with_value("log_normalizer", np.full((3, 4), -5.0)))
add_sound("normalizer_below_by_half_a_step", **normalizers(-1 / 512))
add_sound("normalizer_of_one_certain_class", **normalizers(0, encoding="float32"))


# ------------------------------------------------------------------------ strings, whoever they belong to (3.6)


def odd_text(content, cset=h5t.CSET_UTF8, padding=h5t.STR_NULLPAD, shape=None):
    """A string attribute in a form that none may have."""
    kind = h5t.C_S1.copy()
    kind.set_size(max(len(content), 1))
    kind.set_cset(cset)
    kind.set_strpad(padding)
    space = h5s.create(h5s.SCALAR) if shape is None else h5s.create_simple(shape)
    return Raw(kind, space, np.full(shape or (), content, f"S{max(len(content), 1)}"))


ODD_TEXTS = {
    "ascii": odd_text(b"a", cset=h5t.CSET_ASCII), "padded_with_spaces": odd_text(b"a ", padding=h5t.STR_SPACEPAD),
    "null_terminated": odd_text(b"a", padding=h5t.STR_NULLTERM), "list": odd_text(b"a", shape=(1,)),
    "empty": odd_text(b"\0"), "no_utf8": odd_text(b"\xff"), "null_inside": odd_text(b"\0a"),
}
for variant, odd in ODD_TEXTS.items():
    add("L004", f"vendor_{variant}", **with_root(**{"x-a": odd}))
    add("L004", f"vendor_of_score_{variant}", **with_column_attribute("score", "x-a", odd))
    add("L004", f"writer_{variant}", **with_root(writer=odd))
add("L001", "one_element", **with_root(format=odd_text(b"relabel", shape=(1,))))
add("L010", "error_of_float32", encoding="float32", largest_error=0.5)


@breaks("L013", "piece_of_one_element")
def piece_of_one_element(folder):
    piece = odd_text(Shard().metadata(), shape=(1,))
    return write_shard(folder / "a.h5", attributes={"metadata_0000": piece})


# ---------------------------------------------------------------------------- M: a dataset of shards


def dataset(folder, change=None, **changes):
    return write_dataset(folder / "dataset", *two_shards(**changes), change=change)


def add_dataset(rule, variant, change):
    """Registers a dataset whose index was changed before its digest was made."""
    breaks(rule, variant)(lambda folder: dataset(folder, change))


def add_index(rule, variant, change):
    """Registers a dataset whose index.json is rewritten as bytes."""

    def make(folder):
        path = dataset(folder) / "index.json"
        path.write_bytes(change(path.read_bytes()))
        return path.parent

    breaks(rule, variant)(make)


@breaks("M001")
def no_index(folder):
    path = dataset(folder)
    (path / "index.json").unlink()
    return path


@breaks("M001", "empty_folder")
def empty_folder(folder):
    (folder / "dataset").mkdir()
    return folder / "dataset"


@breaks("M001", "only_partial")
def only_partial(folder):
    path = dataset(folder)
    (path / "index.json").rename(path / ".index.json.partial")
    return path


def body(content):
    """Canonical JSON of an index without its digest."""
    return content[:-78] + b"}"


def writer_first(text):
    """The text of an index with its last member moved to the beginning."""
    writer = b'"writer":"shard_writer.py 1.0"'
    assert text.endswith(b"," + writer + b"}")
    return b"{" + writer + b"," + text[1:].replace(b"," + writer, b"")


add_index("M002", "edited", lambda c: c.replace(b'"name":"labels"', b'"name":"tables"'))
add_index("M002", "truncated", lambda c: c[:-1])
add_index("M002", "half", lambda c: c[: len(c) // 2])
add_index("M002", "empty", lambda c: b"")
add_index("M002", "behind", lambda c: c + b"\n")
add_index("M002", "digest_changed", lambda c: c[:-5] + bytes([c[-5] ^ 1]) + c[-4:])
add_index("M002", "digest_upper_case", lambda c: c[:-67] + c[-67:-3].upper() + c[-3:])
add_index("M002", "no_digest", lambda c: body(c))
add_index("M002", "pretty", lambda c: json.dumps(json.loads(c), indent=1).encode())
add_index("M002", "carriage_return", lambda c: c[:-1] + b"\r\n")
add_index("M002", "not_json", lambda c: seal(b'{"format":}'))
add_index("M002", "white_space", lambda c: seal(body(c).replace(b":", b": ")))
add_index("M002", "unsorted", lambda c: seal(writer_first(body(c))))
add_index("M002", "whole_float", lambda c: seal(body(c).replace(b'"count":8', b'"count":8.0')))
add_index("M002", "name_twice", lambda c: seal(body(c).replace(b'"count":8', b'"count":8,"count":8')))
add_index("M002", "byte_order_mark", lambda c: seal(b"\xef\xbb\xbf" + body(c)))
add_index("M002", "escaped", lambda c: seal(body(c).replace(b'"options":{', b'"options":{"a":"\\u00e9",')))

INDEX_MEMBERS = ["annotator", "build_id", "classes_sha256", "count", "format", "format_version", "left_out",
                 "name", "num_classes", "options", "score_kind", "shards", "sources", "writer"]
SHARD_MEMBERS = ["bytes", "largest_error", "metadata_sha256", "path", "rows", "score_max", "score_min",
                 "sha256"]
for name in INDEX_MEMBERS:
    add_dataset("M003", f"{name}_missing", lambda d, name=name: d.pop(name))
    add_dataset("M003", f"{name}_of_another_type", lambda d, name=name: d.update({name: True}))
for name in SHARD_MEMBERS:
    add_dataset("M003", f"shard_{name}_missing", lambda d, name=name: d["shards"][1].pop(name))
    add_dataset("M003", f"shard_{name}_of_another_type",
                lambda d, name=name: d["shards"][1].update({name: [1]}))
add_dataset("M003", "left_out_without_reason", lambda d: d.update(
    left_out=[{"key": "a", "image_index": 99}], sources=9))
add_dataset("M003", "left_out_text", lambda d: d.update(left_out=["a"], sources=9))
add_dataset("M003", "other_format", lambda d: d.update(format="relabel"))
add_dataset("M003", "unknown_score_kind", lambda d: d.update(score_kind="entropy"))
add_dataset("M003", "negative_rows", lambda d: d["shards"][0].update(rows=-5))
add_dataset("M003", "fraction_of_bytes", lambda d: d["shards"][0].update(bytes=1.5))

WRONG_NAMES = {
    "empty": "", "parent": "..", "dot": ".", "hidden": ".labels", "absolute": "/labels", "inner_slash": "a/labels",
    "climbs": "./../../labels", "backslash": "a\\labels", "line_break": "labels\n", "escape": "\x1b[2J",
    "delete": "labels\x7f", "long": "n" * 1025,
}
WRONG_DIGESTS = {"empty": "", "short": "0" * 63, "long": "0" * 65, "upper_case": "A" * 64, "wide_digits": "٠" * 64,
                 "line_break": "0" * 63 + "\n", "letters": "g" * 64}
for variant, text in WRONG_NAMES.items():
    add_dataset("M003", f"name_{variant}", lambda d, text=text: d.update(name=text))
for variant, text in WRONG_DIGESTS.items():
    for name in ("build_id", "classes_sha256"):
        add_dataset("M003", f"{name}_{variant}", lambda d, name=name, text=text: d.update({name: text}))
    for name in ("sha256", "metadata_sha256"):
        add_dataset("M003", f"shard_{name}_{variant}",
                    lambda d, name=name, text=text: d["shards"][0].update({name: text}))
add_dataset("M003", "no_writer", lambda d: d.update(writer=""))
add_dataset("M003", "no_classes", lambda d: d.update(num_classes=0))
add_dataset("M003", "too_many_classes", lambda d: d.update(num_classes=2**32))
add_dataset("M003", "negative_error", lambda d: d["shards"][1].update(largest_error=-0.5))
add_dataset("M003", "scores_exchanged", lambda d: d["shards"][1].update(score_min=9, score_max=8))
add_dataset("M003", "score_beyond_float32", lambda d: d["shards"][1].update(score_max=1e39))
add_dataset("M003", "one_score_null", lambda d: d["shards"][1].update(score_max=None))
add_dataset("M003", "shards_descend", lambda d: d["shards"].reverse())
add_dataset("M003", "left_out_with_empty_reason", lambda d: d.update(
    left_out=[{"key": "a", "image_index": 99, "reason": ""}], sources=9))
add_dataset("M003", "left_out_descends", lambda d: d.update(
    left_out=[{"key": key, "image_index": index, "reason": "r"} for key, index in (("a", 99), ("b", 98))],
    sources=10))
add_dataset("M003", "left_out_null_first", lambda d: d.update(
    left_out=[{"key": key, "image_index": index, "reason": "r"} for key, index in (("a", None), ("b", 98))],
    sources=10))


@breaks("M004", "missing")
def shard_missing(folder):
    path = dataset(folder)
    (path / "labels-00001.h5").unlink()
    return path


@breaks("M004", "unlisted")
def shard_unlisted(folder):
    path = dataset(folder)
    Shard(first_index=50).write(path / "labels-00002.h5")
    return path


@breaks("M004", "unlisted_other_name")
def unlisted_other_name(folder):
    path = dataset(folder)
    (path / "stray.h5").write_text("not even HDF5")
    return path


@breaks("M004", "unlisted_hidden")
def unlisted_hidden(folder):
    path = dataset(folder)
    (path / ".stray.h5").write_text("not even HDF5")
    return path


@breaks("M004", "renamed")
def shard_renamed(folder):
    path = dataset(folder)
    (path / "labels-00001.h5").rename(path / "labels-00002.h5")
    return path


@breaks("M005", "exchanged_bytes")
def exchanged_chunks(folder):
    """A shard of the same length, sound in itself: only the list knows."""
    path = dataset(folder)
    plain = two_shards()[0]
    keys = plain.image_keys()
    replace(plain, keys=[*keys[:-1], keys[-1][:-1] + "z"]).write(path / "labels-00000.h5")
    return path


add_dataset("M005", "digest", lambda d: d["shards"][0].update(sha256=digest(b"")))
add_dataset("M005", "bytes", lambda d: d["shards"][0].update(bytes=d["shards"][0]["bytes"] + 1))

add_dataset("M006", "rows", lambda d: (d["shards"][0].update(rows=6), d.update(count=9, sources=9)))
add_dataset("M006", "rows_moved", lambda d: (d["shards"][0].update(rows=4), d["shards"][1].update(rows=4)))
add_dataset("M006", "count", lambda d: d.update(count=9, sources=9))
add_dataset("M006", "sources", lambda d: d.update(sources=9))
add_dataset("M006", "score_min", lambda d: d["shards"][0].update(score_min=-3.5))
add_dataset("M006", "score_max", lambda d: d["shards"][1].update(score_max=99))
add_dataset("M006", "score_null", lambda d: d["shards"][0].update(score_min=None, score_max=None))
add_dataset("M006", "metadata", lambda d: d["shards"][0].update(metadata_sha256=digest(b"")))
add_dataset("M006", "build_id", lambda d: d.update(build_id=digest(b"")))
add_dataset("M006", "num_classes", lambda d: d.update(num_classes=11))
add_dataset("M006", "score_kind", lambda d: d.update(score_kind="probability"))
add_dataset("M006", "classes", lambda d: d.update(classes_sha256=digest(b"")))
add_dataset("M006", "no_classes", lambda d: d.update(classes_sha256=None))
add_dataset("M006", "writer", lambda d: d.update(writer="somebody else"))
add_dataset("M006", "annotator", lambda d: d.update(annotator="another"))
add_dataset("M006", "largest_error", lambda d: d["shards"][0].update(largest_error=0.0009765625))
add_dataset("M006", "largest_error_null", lambda d: d["shards"][0].update(largest_error=None))


def second_shard(folder, **changes):
    """A dataset whose second shard differs from the first."""
    one, two = two_shards()
    return write_dataset(folder / "dataset", one, replace(two, **changes))


def add_second(rule, variant, **changes):
    breaks(rule, variant)(lambda folder: second_shard(folder, **changes))


add_second("M007", "key", keys=["other/n0001", "train/n0001", "other/n0002"])
add_second("M007", "index", image_indexes=[7, 8, 4])


@breaks("M007", "listed_twice")
def listed_twice(folder):
    """One shard, listed twice under the same path."""

    def change(document):
        document["shards"].append(dict(document["shards"][0]))
        document.update(count=10, sources=10)

    return write_dataset(folder / "dataset", two_shards()[0], change=change)


add_second("M008", "orientation", attributes={"orientation": "xy"})
add_second("M008", "row_order", attributes={"row_order": "shuffled:1"})
add_second("M008", "temperature", attributes={"temperature": np.float64(2)})
add_second("M008", "map_extent", attributes={"map_extent": extent(0, 0, 0.5, 1)})
add_second("M008", "features", attributes={"features_optional": "alpha"})
add_second("M008", "version", attributes={"format_version": "1.1"})
add_second("M008", "cell_order", cell_order="class")
add_second("M008", "encoding", encoding="float32", largest_error=0.0)
add_second("M008", "encoding_fixed8", encoding="fixed8", largest_error=0.0)
add_second("M008", "step", step=1 / 128)
add_second("M008", "offset", offset=-64.0)
add_second("M008", "k", k=2)
add_second("M008", "height", height=4)
add_second("M008", "width", width=3)
add_second("M008", "key_width", key_width=20)
add_second("M008", "images_per_chunk", images_per_chunk=1)
add_second("M008", "compression", compression="none")
add_second("M008", "optional", optional=("image_size",))
add_second("M008", "metadata", document={"annotator": ANNOTATOR, "classes": class_table(), "licence": "MIT"})


def path_of_second(text):
    return lambda document: document["shards"][1].update(path=text)


@breaks("M009", "parent")
def path_to_parent(folder):
    path = dataset(folder, path_of_second("../labels-00001.h5"))
    (path / "labels-00001.h5").rename(folder / "labels-00001.h5")
    return path


@breaks("M009", "absolute")
def absolute_path(folder):
    target = folder / "labels-00001.h5"
    path = dataset(folder, path_of_second(str(target)))
    (path / "labels-00001.h5").rename(target)
    return path


@breaks("M009", "there_and_back")
def there_and_back(folder):
    path = dataset(folder, path_of_second("sub/../labels-00001.h5"))
    (path / "sub").mkdir()
    (path / "labels-00001.h5").rename(path / "elsewhere")
    return path


@breaks("M009", "empty_part")
def empty_part(folder):
    path = dataset(folder, path_of_second("sub//labels-00001.h5"))
    (path / "sub").mkdir()
    (path / "labels-00001.h5").rename(path / "sub" / "labels-00001.h5")
    return path


@breaks("M009", "subfolder")
def subfolder(folder):
    path = dataset(folder, path_of_second("sub/labels-00001.h5"))
    (path / "sub").mkdir()
    (path / "labels-00001.h5").rename(path / "sub" / "labels-00001.h5")
    return path


def second_named(name):
    """Registers a dataset whose second shard is a file that no shard may be."""

    def make(folder):
        path = dataset(folder, path_of_second(name))
        (path / "labels-00001.h5").rename(path / name)
        return path

    return make


breaks("M009", "another_name")(second_named("tables-00001.h5"))
breaks("M009", "short_number")(second_named("labels-1.h5"))
breaks("M009", "leading_zero")(second_named("labels-000001.h5"))
breaks("M009", "no_number")(second_named("labels.h5"))
breaks("M009", "another_extension")(second_named("labels-00001.hdf5"))


@breaks("M009", "backslash")
def backslash(folder):
    path = dataset(folder, path_of_second("sub\\labels-00001.h5"))
    (path / "labels-00001.h5").rename(path / "sub\\labels-00001.h5")
    return path


@breaks("M009", "symbolic_link")
def symbolic_link(folder):
    path = dataset(folder)
    (path / "labels-00001.h5").rename(folder / "labels-00001.h5")
    with open(folder / "labels-00001.h5", "ab") as file:
        file.write(b"\0")
    (path / "labels-00001.h5").symlink_to(folder / "labels-00001.h5")
    return path


@breaks("M009", "symbolic_link_to_folder")
def symbolic_link_to_folder(folder):
    path = dataset(folder, path_of_second("sub/labels-00001.h5"))
    (folder / "other").mkdir()
    (path / "labels-00001.h5").rename(folder / "other" / "labels-00001.h5")
    (path / "sub").symlink_to(folder / "other")
    return path


@breaks("M010")
def no_rows(folder):
    one, two = two_shards()
    empty = Shard(rows=0, largest_error=two.largest_error, key_width=11)
    return write_dataset(folder / "dataset", one, empty)


# -------------------------------------------------------------------------------- P: provenance


add("P001", "null", **document(annotator=None))
add("P002", "null", **document(classes=None))
add("P003", "unknown", **with_root(orientation="unknown"))


# ------------------------------------------------------------------------ sound, however they look


add_sound("no_rows", rows=0)
add_sound("one_row", rows=1)
add_sound("no_padding", rows=4)
add_sound("one_cell_one_class", height=1, width=1, k=1, num_classes=10)
add_sound("all_classes", k=10)
add_sound("all_optional", optional=tuple(OPTIONAL))
add_sound("all_optional_uncompressed", optional=tuple(OPTIONAL), compression="none")
add_sound("large_identity_chunks", rows_per_identity_chunk=2**20)
add_sound("many_chunks", rows=300, images_per_chunk=1, rows_per_identity_chunk=1)
add_sound("classes_65535", num_classes=65_535)
add_sound("classes_65536", num_classes=65_536)
add_sound("classes_most", attributes={"num_classes": np.int64(2**32 - 1)}, num_classes=70_000)
add_sound("largest_error", largest_error=0.001953125)
add_sound("key_width", key_width=1024)
add_sound("long_key", keys=["a" * 1024, "b", "c", "d", "e"])
add_sound("unicode_keys", keys=["日本/語", "caf\u00e9", "cafe\u0301", "a b", "\u0085x"])
add_sound("dots_in_keys", keys=["...", "a/.b", "..c", "d..", "e/...f"])
add_sound("backslash_key", keys=["a\\b", "a'b", 'a"b', "a%b", "a:b"])
add_sound("large_indexes", image_indexes=[2**63 - 1, 2**40, 0, 7, 3])
add_sound("other_step", step=1 / 64, offset=-256.0)
add_sound("farthest_offset", offset=-(2.0**15), step=2.0**-8,
          scores=np.tile([-32700.0, -32701.0, -32702.0], (5, 3, 4, 1)),
          ids=np.tile(np.arange(3, dtype="<u2"), (5, 3, 4, 1)))
add_sound("log_probability_one", **cells([1, 2, 3], [0, -20, -21], **LOG))
add_sound("probability_one", **cells([1, 2, 3], [1, 0, 0], **RANGE))
add_sound("probability_rounded_up", **cells([1, 2, 3], [1.00005, 0, 0], encoding="float32", **RANGE))
add_sound("sum_rounded_up", **cells([1, 2, 3], [0.5, 0.25009, 0.25], encoding="float32", **RANGE))
add_sound("sum_of_fixed16", **cells([1, 2, 3], [0.5, 0.25 + 1 / 32768, 0.25], **RANGE))
add_sound("zeros_tie", **cells([1, 2, 3], [1, 0.0, -0.0], encoding="float32"))
add_sound("zeros_tie_reversed", **cells([1, 2, 3], [1, -0.0, 0.0], encoding="float32"))
add_sound("highest_stored", **cells([1, 2, 3], stored=[65_534, 1, 0]))
add_sound("zero_fill_of_probabilities", score_kind="probability", attributes={"fill": "zero"})
add_sound("no_metadata", **document(annotator=None, classes=None))
add_sound("more_members", **document(novel={"a": [1, 2.5, None, True]}))
add_sound("exponent", document=b'{"annotator":{"mean":[1e-7,1.5e300],"name":"a"},"classes":null}')
add_sound("exponent_spelled_otherwise",
          document=b'{"annotator":{"mean":[0.0000001],"name":"a"},"classes":null}')
add_sound("escapes", **annotator(note='"\\\b\f\n\r\t\0\x1f/\x7f\u2028é😀'))
add_sound("names_by_code_point", document=canonical(
    {"annotator": ANNOTATOR, "classes": None, "\uffee": 1, "\U00010000": 2, "Z": 3, "é": 4}))
add_sound("several_pieces", **document(note="é" * 100_000))
add_sound("short_pieces", pieces=[CANON[at : at + 7] for at in range(0, len(CANON), 7)])
add_sound("matching_temperature", **annotator(temperature=2.5), **with_root(temperature=np.float64(2.5)))
add_sound("matching_extent", **annotator(map_extent=[0, 0, 0.5, 0.25]),
          **with_root(map_extent=extent(0, 0, 0.5, 0.25)))
add_sound("padded_text", **with_root(score_kind=b"logit\0\0\0", writer=b"padded\0"))
add_sound("shuffled", **with_root(row_order=f"shuffled:{2**64 - 1}"))
add_sound("unknown_optional_feature", **with_root(features_optional="alpha beta-2 c_d"))
add_sound("optional_feature_with_dataset", extra_columns=extra("novel"), **with_root(features_optional="novel"))
add_sound("newer_minor_version", **with_root(format_version="1.7", novel=np.int64(3)))
for kind in ["i1", "u1", "<i2", "<u2", "<i4", "<u4", "<u8", "<f2", "<f4", "<f8"]:
    add_sound(f"vendor_{kind.strip('<')}", **with_root(**{"x-value": np.array([1, 2], kind)}))
add_sound("vendor_on_dataset", **with_column_attribute("image_key", "x-note", "hello"))
add_sound("longest_attribute", **with_root(**{"x-long": "a" * 60_000}))


def plainly_stored(number, data):
    """A chunk that skips deflate, as the format allows."""
    return with_checksum(zlib.decompress(data[:-4])), 1


add_sound("deflate_skipped", **with_column("class_index", stored=plainly_stored))


@sound("all_but_checksum_skipped")
def all_but_checksum_skipped(folder):
    """A chunk of scores that skips shuffle and deflate."""

    def plain(number, data):
        shuffled = zlib.decompress(data[:-4])
        raw = np.frombuffer(shuffled, np.uint8).reshape(2, -1).T.tobytes()
        return with_checksum(raw), 3

    return write_shard(folder / "a.h5", **with_column("score", stored=plain))


@sound("stored_blocks")
def stored_blocks(folder):
    """zlib at level 0."""

    def change(number, data):
        return with_checksum(zlib.compress(zlib.decompress(data[:-4]), 0))

    return write_shard(folder / "a.h5", **with_column("class_index", stored=change))


@sound("dataset")
def sound_dataset(folder):
    return dataset(folder)


@sound("dataset_by_index")
def dataset_by_index(folder):
    return dataset(folder) / "index.json"


@sound("dataset_without_largest_error")
def without_largest_error(folder):
    return dataset(folder, largest_error=None)


@sound("dataset_with_left_out")
def with_left_out(folder):
    left_out = [{"key": "train/bad", "image_index": 8, "reason": "it is empty"}]
    return dataset(folder, lambda d: d.update(left_out=left_out, sources=9))


@sound("dataset_with_unknown_members")
def unknown_members(folder):
    return dataset(folder, lambda d: (d.update(novel={"é": 1.5}), d["shards"][0].update(novel=None)))


@sound("dataset_with_other_files")
def with_other_files(folder):
    path = dataset(folder)
    (path / "README").write_text("hello")
    (path / ".labels-00002.h5.partial").write_text("half")
    (path / "folder").mkdir()
    return path


@sound("dataset_of_nothing")
def dataset_of_nothing(folder):
    return write_nothing(folder / "dataset")


def write_nothing(path):
    path.mkdir()
    (path / "index.json").write_bytes(encode_index(index_document([], Shard())))
    return path


@sound("dataset_spelled_otherwise")
def spelled_otherwise(folder):
    """A number that is not whole, spelled with an exponent."""
    path = dataset(folder, largest_error=0.001953125)
    index = path / "index.json"
    text = body(index.read_bytes()).replace(b"0.001953125", b"1.953125e-3")
    index.write_bytes(seal(text))
    return path


@sound("dataset_with_twin_keys")
def twin_keys(folder):
    """Keys that only a Unicode normalisation makes equal, in two shards."""
    one, two = two_shards(key_width=11)
    one = replace(one, keys=["caf\u00e9", "b", "c", "d", "e"])
    two = replace(two, keys=["cafe\u0301", "f", "g"])
    return write_dataset(folder / "dataset", one, two)


@sound("dataset_with_vendor_attributes")
def with_vendor_attributes(folder):
    return second_shard(folder, attributes={"x-host": "here"})


@sound("dataset_of_two_deflate_levels")
def two_deflate_levels(folder):
    """Readers ignore the level; it is no part of the profile."""
    return second_shard(folder, column_changes={"class_index": {"level": 9}, "score": {"level": 1}})


@sound("dataset_metadata_spelled_otherwise")
def metadata_spelled_otherwise(folder):
    """Digests are of the stored bytes, not of somebody's own spelling of a fraction."""
    return dataset(folder, document=b'{"annotator":{"mean":[0.0000001,1.5E300],"name":"a"},"classes":null}')
