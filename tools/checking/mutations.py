"""Attributes and members of index.json, changed in every way that their types allow, each with what the text of the
specification says of the result. The sections are named beside the values."""

import numpy as np
from h5py import h5r, h5s, h5t
from shard_writer import BUILD_ID, Raw, digest, utf8_type

SCALAR = h5s.create(h5s.SCALAR)
NAN, INFINITY = float("nan"), float("inf")


def text(value, *, cset=h5t.CSET_UTF8, padding=h5t.STR_NULLPAD, size=None, shape=None):
    """A fixed-length string attribute of some form."""
    content = value.encode() if isinstance(value, str) else value
    kind = utf8_type(size or len(content) or 1)
    kind.set_cset(cset)
    kind.set_strpad(padding)
    space = SCALAR if shape is None else h5s.create_simple(shape)
    return Raw(kind, space, np.full(shape or (), content, f"S{size or len(content) or 1}"))


def of(kind, value, shape=None):
    """Numbers of one HDF5 type."""
    space = SCALAR if shape is None else h5s.create_simple(shape)
    return Raw(h5t.py_create(np.dtype(kind)), space, np.full(shape or (), value, kind))


def unwritten(kind, space=SCALAR):
    """An attribute of a type that no value need be written for."""
    return Raw(kind, space)


def variable_length():
    kind = h5t.C_S1.copy()
    kind.set_size(h5t.VARIABLE)
    kind.set_cset(h5t.CSET_UTF8)
    return kind


def enumeration():
    kind = h5t.enum_create(h5t.STD_I64LE)
    kind.enum_insert(b"a", 0)
    return kind


def compound():
    kind = h5t.create(h5t.COMPOUND, 8)
    kind.insert(b"a", 0, h5t.STD_I64LE)
    return kind


def opaque():
    kind = h5t.create(h5t.OPAQUE, 8)
    kind.set_tag(b"any")
    return kind


def short_integer():
    kind = h5t.STD_I64LE.copy()
    kind.set_precision(40)
    return kind


# Types that no attribute may have, whatever its name (3.4, 3.5).
FORBIDDEN = {
    "of_variable_length": lambda: unwritten(variable_length()),
    "sequence": lambda: unwritten(h5t.vlen_create(h5t.STD_I32LE)),
    "enumeration": lambda: unwritten(enumeration()),
    "compound": lambda: unwritten(compound()),
    "opaque": lambda: unwritten(opaque()),
    "bits": lambda: unwritten(h5t.STD_B8LE),
    "array": lambda: unwritten(h5t.array_create(h5t.STD_I32LE, (2,))),
    "object_reference": lambda: unwritten(h5t.STD_REF_OBJ),
    "big_endian_integer": lambda: of(">i8", 1),
    "big_endian_float": lambda: of(">f8", 1),
    "of_partial_precision": lambda: unwritten(short_integer()),
    "null_space": lambda: unwritten(h5t.STD_I64LE, h5s.create(h5s.NULL)),
    "no_elements": lambda: unwritten(h5t.STD_I64LE, h5s.create_simple((0,))),
    "two_dimensions": lambda: of("<i8", 1, (1, 1)),
    "ascii": lambda: text("a", cset=h5t.CSET_ASCII),
    "padded_with_spaces": lambda: text("a", padding=h5t.STR_SPACEPAD, size=3),
    "null_terminated": lambda: text("a", padding=h5t.STR_NULLTERM, size=3),
    "list_of_texts": lambda: text("a", shape=(1,)),
    "empty_text": lambda: text(b"\0"),
    "no_utf8": lambda: text(b"\xff"),
}
# Numbers, of which each attribute allows at most one type and count.
NUMBERS = {
    f"{kind[1:]}{'' if shape is None else '_' + str(shape[0])}": (kind, shape)
    for kind in ("<i1", "<u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
    for shape in (None, (1,), (4,))
}  # fmt: skip


def forms(value):
    """A required text in other forms: those that say the same, and those that may not be."""
    content = value if isinstance(value, bytes) else value.encode()
    yield "padded", text(content, size=len(content) + 3), True  # readers MUST accept padding (3.6)
    yield "ascii_form", text(content, cset=h5t.CSET_ASCII), False
    yield "space_padded_form", text(content, padding=h5t.STR_SPACEPAD), False
    yield "null_terminated_form", text(content, padding=h5t.STR_NULLTERM, size=len(content) + 1), False
    yield "one_element", text(content, shape=(1,)), False
    yield "leading_null", text(b"\0" + content), False


def words(allowed, *others):
    """Values of an enumerated text: those listed, and neighbours of them."""
    for value in allowed:
        yield value, True
    for value in {allowed[0].upper(), allowed[0] + " ", " " + allowed[0], allowed[0][:-1], allowed[0] + "s", "none",
                  "?", *others} - set(allowed):  # fmt: skip
        yield value, False


def boxes():
    """Values of map_extent (8.5)."""
    for box, is_sound in (
        ((0, 0, 1, 1), True), ((0.25, 0.5, 0.5, 0.5), True), ((0.5, 0, 0.5000001, 1), True),
        ((-1, 0, 1, 1), False), ((0.6, 0, 0.6, 1), False), ((0, 0.6, 1, 0.6), False), ((0, 0, 0, 1), False),
        ((0, 0, 1, 0), False), ((0, 0, 2, 2), False), ((1, 0, 0.1, 0.1), False), ((0, 1, 0.1, 0.1), False),
        ((0, 0, -1, 1), False), ((NAN, 0, 1, 1), False), ((0, 0, INFINITY, 1), False), ((0, 0, 1, -INFINITY), False),
    ):  # fmt: skip
        yield np.array(box, "<f4"), is_sound


VERSIONS = [("1.0", True), ("1.1", True), ("1.4294967296", True), ("1", False), ("1.", False), ("01.0", False),
            ("1.00", False), ("1.01", False), ("1.0.0", False), ("v1.0", False), ("2.0", False), ("0.9", False),
            ("1.-1", False), ("1.x", False), ("1.0 ", False), ("１.0", False)]  # fmt: skip
DIGESTS = [("0" * 63, False), ("0" * 65, False), ("G" * 64, False), (BUILD_ID[:-1] + " ", False), ("none", False),
           ("a" * 63 + "A", False)]  # fmt: skip
OPTIONAL_FEATURES = [("alpha", True), ("alpha beta_2 c-3", True), ("Alpha", False), ("2a", False), ("a  b", False),
                     ("b a", False), ("a a", False), ("none a", False), ("a ", False), (" a", False), ("a,b", False),
                     ("é", False)]  # fmt: skip
ROOT_VALUES = {
    "format": [(v, False) for v in ("Relabel", "relabel ", "relabels", "none")],
    "format_version": VERSIONS,
    "features_required": [(v, False) for v in ("alpha", "None", "none none", "NONE", "-")],
    "features_optional": OPTIONAL_FEATURES,
    "num_classes": [(np.int64(v), False) for v in (0, -1, 9, 11, 2**32, -(2**63), 2**63 - 1)],
    "score_kind": words(("logit",), "probabilities", "log_probabilities"),
    "fill": words(("zero",), "uniform"),  # logits are filled with zero (8.2)
    "temperature": [(np.float64(v), v == v and 0 < v < INFINITY)
                    for v in (0.5, 1e300, 5e-324, 0, -0.0, -1, NAN, INFINITY, -INFINITY)],
    "cell_order": words(("score",), "classes"),
    "row_order": [("source", True), ("shuffled:0", True), ("shuffled:18446744073709551615", True),
                  *((v, False) for v in ("shuffled:18446744073709551616", "shuffled:", "shuffled", "shuffled:007",
                                         "shuffled:-1", "shuffled:+1", "shuffled: 1", "shuffled:1 ", "shuffled:1e3",
                                         "shuffled:٣", "Source", "sorted"))],
    "orientation": words(("yx", "xy", "unknown"), "xyz"),
    "map_extent": boxes(),
    "writer": [("acme 7", True), ("é", True), ("none", True)],
    "build_id": DIGESTS,
    "metadata_sha256": [*DIGESTS, (digest(b""), False)],
}  # fmt: skip
TYPES = {"num_classes": ("<i8", None), "temperature": ("<f8", None), "map_extent": ("<f4", (4,)),
         "scale_factor": ("<f4", None), "add_offset": ("<f4", None), "_FillValue": ("<u2", None),
         "largest_error": ("<f8", None)}  # fmt: skip


def other_types(name):
    """The values of an attribute in every type but its own."""
    for form, make in FORBIDDEN.items():
        yield form, make(), False
    for form, (kind, shape) in NUMBERS.items():
        if TYPES.get(name) != (kind, shape):
            yield form, of(kind, 1, shape), False


def root_changes(defaults):
    """(what, name, value or None to leave it out, is it sound) of the root's attributes."""
    for name, values in ROOT_VALUES.items():
        yield "missing", name, None, False
        for value, is_sound in values:
            yield f"is {value!r}"[:60], name, value, is_sound
        for form, value, is_sound in other_types(name):
            yield form, name, value, is_sound
        if isinstance(defaults[name], str):
            for form, value, is_sound in forms(defaults[name]):
                yield form, name, value, is_sound
    for name in ("metadata_0000",):
        yield "missing", name, None, False
        for form, value, is_sound in forms(defaults[name]):
            if form != "leading_null":
                yield form, name, value, is_sound
    for name in ("metadata_0001", "metadata_00000", "metadata", "Format", "class_table", "X-a", "x", ""):
        if name:
            yield "one more", name, "a", False  # (5.1, 10.3)


def vendor_changes():
    """A vendor's attribute: any type of section 3.5 (12.4), at most 60,000 bytes (3.4)."""
    for form, make in FORBIDDEN.items():
        yield form, "x-a", make(), False
    for form, (kind, shape) in NUMBERS.items():
        yield form, "x-a", of(kind, 1, shape), True
    yield "largest", "x-a", of("<i1", 1, (60_000,)), True
    yield "too_large", "x-a", of("<i1", 1, (60_001,)), False
    yield "text", "x-a", text("any"), True
    yield "text_with_padding", "x-a", text("any", size=9), True
    yield "dash_alone", "x-", text("any"), True
    yield "not_finite", "x-a", of("<f8", NAN), True


SCORE_VALUES = {
    "axes": words(("image y x rank",), "image x y rank", "image y x", "image"),
    "encoding": words(("fixed16",), "fixed8", "float16", "float32", "fixed32"),
    "scale_factor": [(np.float32(v), False) for v in (0, -1 / 256, 0.002, 3 / 256, NAN, INFINITY, 2.0**127)],
    "add_offset": [(np.float32(v), ok) for v, ok in (
        (-64, True), (0, True), (-128 + 1 / 512, False), (NAN, False), (INFINITY, False), (2.0**23, False))],
    "_FillValue": [(np.uint16(v), False) for v in (0, 65534)],
    "largest_error": [(np.float64(v), ok) for v, ok in (
        (0, True), (1 / 512, True), (1 / 511, False), (-1e-9, False), (NAN, False), (INFINITY, False))],
}  # fmt: skip


def column_changes(column, defaults):
    """The same of the attributes of an HDF5 dataset (5.2, 6)."""
    values = SCORE_VALUES if column == "score" else {"axes": words((defaults["axes"],), "image axis")}
    for name, changes in values.items():
        if name != "largest_error":
            yield "missing", name, None, False
        for value, is_sound in changes:
            yield f"is {value!r}"[:60], name, value, is_sound
        for form, value, is_sound in other_types(name):
            yield form, name, value, is_sound
        if isinstance(defaults.get(name), str):
            for form, value, is_sound in forms(defaults[name]):
                yield form, name, value, is_sound
    for name in {"encoding", "scale_factor", "_FillValue", "largest_error", "units", "CLASS"} - set(values):
        yield "one more", name, "a", False
    yield "vendor", "x-a", "a", True
    yield "vendor_ascii", "x-a", text("a", cset=h5t.CSET_ASCII), False


# What each JSON type may be put in the place of.
VALUES = {"null": None, "true": True, "false": False, "zero": 0, "one": 1, "negative": -1, "fraction": 0.5,
          "large": 2**53 - 1, "beyond": 2**63, "text": "a", "no_text": "", "array": [], "object": {},
          "array_of_one": [1], "object_of_one": {"a": 1}}  # fmt: skip
WRONG_DIGESTS = ["0" * 63, "0" * 65, "A" * 64, "g" * 64, " " * 64, "0" * 63 + "\n", "٠" * 64]
WRONG_NAMES = [".", "..", ".labels", "/a", "a/b", "../a", "./a", "a/../b", "a\\b", "a\nb", "\x1b[2J", "a\x7f", "a\0",
               "a" * 1025]  # fmt: skip
WRONG_PATHS = ["", ".", "../labels-00001.h5", "/labels-00001.h5", "./labels-00001.h5", "sub/labels-00001.h5",
               "labels-1.h5", "labels-000001.h5", "labels-00001.H5", "labels-00001.h5\n", "labels-0000a.h5",
               "labels-٠٠٠٠١.h5", "Labels-00001.h5", "labels-00001", "labels--00001.h5", "labels-00001.h5/",
               "sub\\labels-00001.h5"]  # fmt: skip


def index_changes(document):
    """(what, change of the document, is it sound) of index.json (11)."""

    def put(name, value):
        return lambda index: index.update({name: value})

    def put_in(place, name, value):
        return lambda index: index["shards"][place].update({name: value})

    def leave_out(*entries):
        return lambda index: index.update(left_out=list(entries), sources=index["count"] + len(entries))

    def entry(**changes):
        return {"key": "a", "image_index": 90, "reason": "r"} | changes

    for name, own in document.items():
        for what, value in VALUES.items():
            is_own = value == own and type(value) is type(own)
            # options: any object; annotator, classes_sha256 and left_out: as the shards say, which is another value.
            is_sound = is_own or (name == "options" and isinstance(value, dict))
            yield f"{name}: {what}", put(name, value), is_sound
        yield f"{name}: missing", lambda index, name=name: index.pop(name), False
    for name, own in document["shards"][1].items():
        for what, value in VALUES.items():
            is_own = value == own and type(value) is type(own)
            yield f"shard {name}: {what}", put_in(1, name, value), is_own
        yield f"shard {name}: missing", lambda index, name=name: index["shards"][1].pop(name), False
    for value in WRONG_DIGESTS:
        for name in ("build_id", "classes_sha256"):
            yield f"{name}: {value!r:.20}", put(name, value), False
        for name in ("sha256", "metadata_sha256"):
            yield f"shard {name}: {value!r:.20}", put_in(0, name, value), False
    for value in WRONG_NAMES:
        yield f"name: {value!r:.20}", put("name", value), False
    for value in WRONG_PATHS:
        yield f"path: {value!r:.30}", put_in(1, "path", value), False
    for value, is_sound in VERSIONS:
        yield f"format_version: {value}", put("format_version", value), is_sound
    for value in (2**32, 2**40, 11):
        yield f"num_classes: {value}", put("num_classes", value), False
    for value in (1e39, -1e39, 1e300):
        yield f"score_max: {value}", put_in(1, "score_max", value), False
    yield "shards: descending", lambda index: index["shards"].reverse(), False
    yield "shards: one is text", lambda index: index["shards"].append("labels-00002.h5"), False
    yield "unknown member", put("x", [1, {"a": None}]), True
    yield "unknown member of a shard", put_in(0, "x", "a"), True
    yield "left_out: sound", leave_out(entry(), entry(key="b", image_index=91), entry(image_index=None)), True
    yield "left_out: more of it", leave_out(entry(x=1)), True
    yield "left_out: descending", leave_out(entry(image_index=91), entry(key="b")), False
    yield "left_out: null first", leave_out(entry(image_index=None), entry(key="b")), False
    yield "left_out: sources too small", lambda index: index.update(left_out=[entry()]), False
    for name in ("key", "image_index", "reason"):
        for what, value in VALUES.items():
            is_sound = {
                "key": isinstance(value, str),
                "image_index": value is None or (type(value) is int and 0 <= value <= 2**40),
                "reason": isinstance(value, str) and value != "",
            }[name]
            # Nothing limits the number of a place but the integers of JSON readers: 2^40 is what these take.
            if not (name == "image_index" and what in ("large", "beyond")):
                yield f"left_out {name}: {what}", leave_out(entry(**{name: value})), is_sound
        yield f"left_out {name}: missing", leave_out({k: v for k, v in entry().items() if k != name}), False


assert h5r  # object references need the module to be loaded
