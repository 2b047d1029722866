"""A minimal writer of shards and datasets, made from the text of spec/relabel-hdf5.md with h5py alone.

It shares nothing with the Swift writer, and it writes what it is told: the tests that attack the
verifier change one thing of a valid shard. Chunks go through filters written here, so that padding,
checksums and filter masks can be wrong on purpose.
"""

import ctypes
import functools
import hashlib
import json
import math
import zlib
from dataclasses import dataclass, field, replace

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5p, h5s, h5t

BUILD_ID = hashlib.sha256(b"a build").hexdigest()
WRITER = "shard_writer.py 1.0"
UNLIMITED = h5s.UNLIMITED

# Section 6.2: stored type, step and offset of each packed encoding.
PACKINGS = {
    ("fixed16", "logit"): (1 / 256, -128.0),
    ("fixed16", "probability"): (1 / 32768, 0.0),
    ("fixed16", "log_probability"): (1 / 1024, -65534 / 1024),
    ("fixed8", "logit"): (1 / 4, -2.0),
    ("fixed8", "probability"): (1 / 128, 0.0),
    ("fixed8", "log_probability"): (1 / 4, -63.5),
}
SCORE_TYPES = {"fixed16": "<u2", "fixed8": "u1", "float16": "<f2", "float32": "<f4"}
ENCODINGS = list(SCORE_TYPES)
SCORE_KINDS = ["logit", "probability", "log_probability"]

CLASSES = [{"id": f"n{c:08}", "index": c, "name": f"class {c} é"} for c in range(10)]
ANNOTATOR = {"name": "efficientnet-lite0", "input_size": [480, 480]}


# ---------------------------------------------------------------------------- canonical JSON (10.1)


def whole(value):
    """The same value with whole floats as integers, as canonical JSON wants them."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def canonical(document):
    """The canonical JSON of a document, as bytes."""
    text = json.dumps(whole(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def class_table(table=CLASSES):
    """The member `classes` of the metadata document."""
    return {"count": len(table), "sha256": digest(canonical(table)), "table": table}


# ------------------------------------------------------------------------------- filters (3.8, 3.9)


def fletcher32(data):
    """The checksum of section 3.9, folded once for each pair of bytes."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    if len(words) > 100_000:  # the same sums modulo 65,535, quick enough for large chunks
        return large_fletcher32(words)
    a = b = 0
    for word in words.tolist():
        a += word
        a = (a & 0xFFFF) + (a >> 16)
        b += a
        b = (b & 0xFFFF) + (b >> 16)
    return b << 16 | a


def large_fletcher32(words):
    """fletcher32 by remainders; folding gives 65,535 where the remainder is 0, but for all zeros."""
    if not words.any():
        return 0
    sums = np.cumsum(words % 65535, dtype=np.uint64) % 65535
    a, b = int(sums[-1]), int(sums.sum() % 65535)
    return (b or 65535) << 16 | (a or 65535)


def shuffle(data, size):
    """All first bytes of the elements, then all second bytes, and so on."""
    end = len(data) // size * size  # HDF5 leaves an incomplete element at the end alone
    return np.frombuffer(data[:end], np.uint8).reshape(-1, size).T.tobytes() + data[end:]


def with_checksum(data):
    return data + fletcher32(data).to_bytes(4, "little")


def filtered(data, size, filters, skipped=0):
    """A chunk as it is stored; bit i of `skipped` leaves filter i out."""
    for position, name in enumerate(filters):
        if skipped >> position & 1:
            continue
        if name == "shuffle":
            data = shuffle(data, size)
        elif name == "deflate":
            data = zlib.compress(data, 6)
        elif name == "fletcher32":
            data = with_checksum(data)
        else:
            raise ValueError(f"{name} is for HDF5 itself: set through_library")
    return data


# ------------------------------------------------------------------------------------------ columns


@dataclass
class Column:
    """One HDF5 dataset, with everything that a test may want to get wrong."""

    data: np.ndarray
    chunk: tuple
    filters: list
    level: int = 6  # of deflate, as declared
    fill: bytes | None = None  # None: the library's default
    attributes: dict = field(default_factory=dict)
    type: object = None  # an h5t type in place of that of `data`
    shape: tuple | None = None  # declared, where it differs from that of `data`
    limits: tuple | None = None  # maximum shape
    padding: bytes | None = None  # one element for padding rows, in place of the fill value
    stored: object = None  # function (number, bytes) giving bytes or (bytes, filter mask) or None
    fill_time: int | None = None
    dense_attributes: bool = False
    edge_chunks_unfiltered: bool = False
    through_library: bool = False  # let HDF5 filter the chunks
    plist_change: object = None  # function (creation list)

    def element(self):
        """One element of the fill value."""
        size = self.data.dtype.itemsize
        return self.padding or self.fill or b"\0" * size

    def chunks(self):
        """Numbers and stored bytes of the chunks that hold rows of `data`, in order."""
        rows = self.chunk[0]
        for number in range(math.ceil(len(self.data) / rows)):
            part = self.data[number * rows : (number + 1) * rows].tobytes()
            row_bytes = len(self.data[:1].tobytes())
            missing = rows * row_bytes - len(part)
            part += self.element() * (missing // len(self.element()))
            yield number, filtered(part, self.data.dtype.itemsize, self.filters)


def utf8_type(size):
    """A fixed-length, null-padded UTF-8 string (3.6)."""
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    kind.set_cset(h5t.CSET_UTF8)
    kind.set_strpad(h5t.STR_NULLPAD)
    return kind


def keys_array(keys, width=None):
    """Keys as bytes of one width."""
    raw = [key if isinstance(key, bytes) else key.encode() for key in keys]
    return np.array(raw, f"S{width or max(map(len, raw), default=1) or 1}")


def chain(shuffled, compression):
    """The filter chain of section 3.8."""
    if compression == "none":
        return ["fletcher32"]
    return (["shuffle"] if shuffled else []) + ["deflate", "fletcher32"]


def fill_value(kind):
    """All ones for integers, the quiet NaN for floats (3.7)."""
    kind = np.dtype(kind)
    if kind.kind == "f":
        return {2: b"\x00\x7e", 4: b"\x00\x00\xc0\x7f", 8: b"\0\0\0\0\0\0\xf8\x7f"}[kind.itemsize]
    return b"\xff" * kind.itemsize


# -------------------------------------------------------------------------------------------- scores


def random_scores(generator, kind, shape, classes_are="exclusive"):
    """Sound scores of a kind; the probabilities of a cell sum to less than 1, or to more where classes are independent."""
    k = shape[-1]
    if kind == "logit":
        return generator.uniform(0.5, 30, shape) if classes_are == "exclusive" else generator.uniform(-9, 9, shape)
    probability = generator.uniform(0.05, 0.9 / k, shape)
    if classes_are == "independent":
        probability = generator.uniform(1.1 / k, 1, shape)
    return probability if kind == "probability" else np.log(probability)


def encode(scores, encoding, step, offset):
    """Stored values of scores (6.3, 6.5)."""
    if encoding.startswith("float"):
        return np.asarray(scores).astype(SCORE_TYPES[encoding])
    return np.rint((np.asarray(scores) - offset) / step).astype(SCORE_TYPES[encoding])


def decode(stored, encoding, step, offset):
    """Decoded scores in float32 (6.1)."""
    if encoding.startswith("float"):
        return stored.astype(np.float32)
    return stored.astype(np.float32) * np.float32(step) + np.float32(offset)


def in_cell_order(ids, stored, cell_order):
    """Ids and stored scores sorted within each cell (7.2)."""
    if cell_order == "source":
        return ids, stored
    keys = (ids,) if cell_order == "class" else (ids, -stored.astype(np.float64))
    order = np.lexsort(keys, axis=-1)
    return np.take_along_axis(ids, order, -1), np.take_along_axis(stored, order, -1)


@functools.lru_cache(maxsize=8)
def random_labels(seed, shape, num_classes, kind, classes_are, encoding, packing, cell_order):
    """Ids and stored scores of random maps; remembered, since ids are drawn cell by cell."""
    generator = np.random.default_rng(seed)
    type_of_ids = "<u2" if num_classes <= 65535 else "<u4"
    drawn = [generator.choice(num_classes, shape[3], False) for _ in range(math.prod(shape[:3]))]
    ids = np.array(drawn, type_of_ids).reshape(shape)
    stored = encode(random_scores(generator, kind, shape, classes_are), encoding, *packing)
    return in_cell_order(ids, stored, cell_order)


# --------------------------------------------------------------------------------------------- shard


@dataclass
class Shard:
    """The description of a shard; `columns` and `attributes` can be changed before `write`."""

    rows: int = 5
    height: int = 3
    width: int = 4
    k: int = 3
    num_classes: int = 10
    images_per_chunk: int = 2
    rows_per_identity_chunk: int = 4
    encoding: str = "fixed16"
    score_kind: str = "logit"
    classes_are: str = "exclusive"
    cell_order: str = "score"
    compression: str = "deflate"
    step: float | None = None
    offset: float | None = None
    first_index: int = 0
    seed: int = 1
    keys: list | None = None
    key_width: int | None = None
    image_indexes: list | None = None
    ids: np.ndarray | None = None
    scores: np.ndarray | None = None  # given scores, not sorted again
    stored: np.ndarray | None = None  # stored scores, not sorted again
    largest_error: float | None = None
    optional: tuple = ()
    views: bool = False  # rows are views of images (4.10)
    document: object = "default"  # the metadata document, or its bytes
    pieces: list | None = None  # the pieces of the metadata document, where cut in another way
    bounds: tuple = (h5f.LIBVER_V110, h5f.LIBVER_V110)
    user_block: int = 0
    paged: bool = False
    compact_attributes: bool = True
    compact_links: bool = True
    track_times: bool = False
    attributes: dict = field(default_factory=dict)  # name to value, None to leave it out
    column_changes: dict = field(default_factory=dict)  # name to changes, None to leave it out
    extra_columns: dict = field(default_factory=dict)
    after: object = None  # function (h5py.File) called before the file is closed

    # ------------------------------------------------------------------ contents

    @property
    def shape(self):
        return (self.rows, self.height, self.width, self.k)

    @property
    def packing(self):
        """Step and offset, or two None for float encodings."""
        step, offset = PACKINGS.get((self.encoding, self.score_kind), (None, None))
        return self.step or step, self.offset if self.offset is not None else offset

    def labels(self):
        """Ids and stored scores of all rows."""
        if self.ids is not None and self.stored is not None:
            return self.ids, self.stored
        ids, stored = (
            drawn.copy() for drawn in random_labels(
                self.seed, self.shape, self.num_classes, self.score_kind, self.classes_are, self.encoding,
                self.packing, self.cell_order,
            )
        )  # fmt: skip
        if self.scores is not None:
            stored = encode(self.scores, self.encoding, *self.packing)
        return self.ids if self.ids is not None else ids, (
            self.stored if self.stored is not None else stored
        )

    def decoded(self):
        """Decoded scores of all rows."""
        return decode(self.labels()[1], self.encoding, *self.packing)

    def image_keys(self):
        if self.keys is not None:
            return self.keys
        return [f"train/n{self.first_index + row:04}" for row in range(self.rows)]

    def indexes(self):
        if self.image_indexes is not None:
            return self.image_indexes
        return list(range(self.first_index, self.first_index + self.rows))

    def metadata(self):
        """The bytes of the metadata document (10)."""
        if isinstance(self.document, bytes):
            return self.document
        if self.document != "default":
            return canonical(self.document)
        classes = class_table() if self.num_classes == 10 else None
        return canonical({"annotator": ANNOTATOR, "classes": classes, "licence": "CC0-1.0"})

    def root_attributes(self):
        """The attributes of section 5.1, with the changes asked for."""
        text = self.metadata()
        cut = range(0, len(text), 60_000)
        pieces = self.pieces if self.pieces is not None else [text[at : at + 60_000] for at in cut]
        features = ["independent"] * (self.classes_are != "exclusive") + ["views"] * self.views
        values = {
            "format": "relabel",
            "format_version": "1.1" if features else "1.0",
            "features_required": " ".join(features) or "none",
            "features_optional": "none",
            "num_classes": np.int64(self.num_classes),
            "score_kind": self.score_kind,
            "classes_are": None if self.classes_are == "exclusive" else self.classes_are,
            "fill": "zero" if self.score_kind == "logit" or self.classes_are == "independent" else "uniform",
            "temperature": np.float64(1),
            "cell_order": self.cell_order,
            "row_order": "source",
            "orientation": "yx",
            "map_extent": np.array([0, 0, 1, 1], "<f4"),
            "writer": WRITER,
            "build_id": BUILD_ID,
            "metadata_sha256": digest(text),
            "view_size": np.array([64, 96], "<i8") if self.views else None,
        }
        values |= {f"metadata_{number:04}": piece for number, piece in enumerate(pieces)}
        values |= self.attributes
        return {name: value for name, value in values.items() if value is not None}

    def columns(self):
        """The HDF5 datasets, with the changes asked for."""
        ids, stored = self.labels()
        step, offset = self.packing
        score = {"axes": "image y x rank", "encoding": self.encoding}
        if step is not None:
            ones = np.frombuffer(fill_value(stored.dtype), stored.dtype)[0]
            score |= {"scale_factor": np.float32(step), "add_offset": np.float32(offset)}
            score |= {"_FillValue": ones}
        if self.largest_error is not None:
            score["largest_error"] = np.float64(self.largest_error)
        keys = keys_array(self.image_keys(), self.key_width)
        columns = {
            "class_index": self.column(ids, {"axes": "image y x rank"}, shuffled=False),
            "score": self.column(stored, score),
            "image_index": self.column(np.array(self.indexes(), "<i8"), {"axes": "image"}),
            "image_key": self.column(keys, {"axes": "image"}, shuffled=False),
        }
        columns["image_key"].fill = None
        columns["image_key"].type = utf8_type(keys.dtype.itemsize)
        columns |= {name: self.optional_column(name) for name in self.optional}
        columns |= self.extra_columns
        for name, changes in self.column_changes.items():
            if changes is None:
                del columns[name]
            else:
                columns[name] = replace(columns[name], **changes)
        return columns

    def column(self, data, attributes, shuffled=True, rows=None):
        """A column with the chunk shape, filters and fill value of the spec."""
        maps = data.ndim == 4
        rows = rows or (self.images_per_chunk if maps else self.rows_per_identity_chunk)
        return Column(
            data=data,
            chunk=(rows, *data.shape[1:]),
            filters=chain(shuffled, self.compression),
            fill=fill_value(data.dtype) if data.dtype.kind != "S" else None,
            attributes=attributes,
        )

    def optional_column(self, name):
        """One of the optional HDF5 datasets of section 4.5."""
        generator = np.random.default_rng(self.seed)
        n = self.rows
        if name == "image_size":
            return self.column(generator.integers(1, 500, (n, 2)).astype("<u4"), {"axes": "image axis"})
        if name == "image_sha256":
            data = generator.integers(0, 256, (n, 32)).astype("u1")
            return self.column(data, {"axes": "image byte"}, shuffled=False)
        if name == "source_label":
            data = np.arange(-1, n - 1).astype("<i4") % self.num_classes
            data[0] = -1
            return self.column(data, {"axes": "image"})
        if name == "map_extent":
            data = np.tile(np.array([0.0625, 0.125, 0.5, 0.75], "<f4"), (n, 1))
            return self.column(data, {"axes": "image box"})
        if name == "log_normalizer":
            data = generator.uniform(30, 40, (n, self.height, self.width)).astype("<f4")
            return self.column(data, {"axes": "image y x"})
        raise ValueError(name)

    # -------------------------------------------------------------------- writing

    def write(self, path):
        """Writes the file and gives its path back."""
        creation = h5p.create(h5p.FILE_CREATE)
        creation.set_obj_track_times(self.track_times)
        if self.compact_attributes:
            creation.set_attr_phase_change(60_000, 0)
        if self.compact_links:
            set_link_phase_change(creation)
        if self.user_block:
            creation.set_userblock(self.user_block)
        if self.paged:
            creation.set_file_space_strategy(h5f.FSPACE_STRATEGY_PAGE, False, 1)
        access = h5p.create(h5p.FILE_ACCESS)
        access.set_libver_bounds(*self.bounds)
        file = h5py.File(h5f.create(str(path).encode(), h5f.ACC_TRUNC, creation, access))
        with file:
            root = file["/"].id
            for name, value in self.root_attributes().items():
                write_attribute(root, name, value)
            for name, column in self.columns().items():
                write_column(root, name, column)
            if self.after:
                self.after(file)
        return path


def write_shard(path, **changes):
    """Writes a shard with some fields of `Shard` changed."""
    return Shard(**changes).write(path)


class Raw:
    """An attribute of any HDF5 type and dataspace, with its value as a NumPy array or None."""

    def __init__(self, kind, space, value=None):
        self.kind, self.space, self.value = kind, space, value


def write_attribute(owner, name, value):
    """Writes a string as fixed-length UTF-8, numbers and arrays as they are."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        value = Raw(utf8_type(len(value)), h5s.create(h5s.SCALAR), np.array(value, f"S{len(value)}"))
    if not isinstance(value, Raw):
        array = np.asarray(value)
        space = h5s.create_simple(array.shape) if array.shape else h5s.create(h5s.SCALAR)
        value = Raw(h5t.py_create(array.dtype), space, array)
    attribute = h5a.create(owner, name.encode(), value.kind, value.space)
    if value.value is not None:
        attribute.write(np.ascontiguousarray(value.value).reshape(np.shape(value.value)), mtype=value.kind)


def creation_list(column):
    """The dataset creation property list of a column."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk(column.chunk)
    plist.set_obj_track_times(False)
    if not column.dense_attributes:
        plist.set_attr_phase_change(60_000, 0)
    for name in column.filters:
        if name == "shuffle":
            plist.set_shuffle()
        elif name == "deflate":
            plist.set_deflate(column.level)
        elif name == "fletcher32":
            plist.set_fletcher32()
        elif name == "scaleoffset":
            plist.set_scaleoffset(h5py.h5z.SO_INT, 0)
        elif name == "lzf":
            plist.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL)
    if column.fill is not None:
        kind = column.data.dtype
        if kind.kind == "S":
            kind = h5py.string_dtype("utf-8", kind.itemsize)
        plist.set_fill_value(np.array(np.frombuffer(column.fill, column.data.dtype)[0], kind))
    if column.fill_time is not None:
        plist.set_fill_time(column.fill_time)
    if column.edge_chunks_unfiltered:
        call("H5Pset_chunk_opts", ctypes.c_int64(plist.id), ctypes.c_uint(2))
    if column.plist_change:
        column.plist_change(plist)
    return plist


def write_column(root, name, column):
    """Writes one HDF5 dataset, chunk by chunk."""
    shape = column.shape if column.shape is not None else column.data.shape
    limits = column.limits or (UNLIMITED, *shape[1:])
    kind = column.type or h5t.py_create(column.data.dtype)
    space = h5s.create_simple(shape, limits)
    dataset = h5d.create(root, name.encode(), kind, space, creation_list(column))
    if column.through_library:
        dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(column.data), mtype=kind)
    else:
        write_chunks(dataset, column)
    for attribute, value in column.attributes.items():
        if value is not None:
            write_attribute(dataset, attribute, value)


def write_chunks(dataset, column):
    """Writes the chunks as stored bytes, with the change asked for."""
    for number, data in column.chunks():
        mask = 0
        if column.stored:
            changed = column.stored(number, data)
            if changed is None:
                continue
            data, mask = changed if isinstance(changed, tuple) else (changed, 0)
        offset = (number * column.chunk[0], *[0] * (len(column.chunk) - 1))
        dataset.write_direct_chunk(offset, data, mask)


# ------------------------------------------------------ what h5py does not pass on, through ctypes


def hdf5_library():
    """The HDF5 library that h5py has loaded; netCDF4 brings another into the same process."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "libhdf5" in line and "_hl" not in line}
    return ctypes.CDLL(min(paths, key=lambda path: ("h5py" not in path, path)))


def call(function, *arguments):
    """Calls a function of the HDF5 library that gives a status back."""
    assert getattr(hdf5_library(), function)(*arguments) >= 0, function


def set_link_phase_change(creation):
    call("H5Pset_link_phase_change", ctypes.c_int64(creation.id), ctypes.c_uint(60_000), ctypes.c_uint(0))


# --------------------------------------------------------------------------------- superblock (3.1)


def lookup3(data):
    """Bob Jenkins's checksum of HDF5 metadata, little-endian, initial value 0."""

    def rotate(value, bits):
        return (value << bits | value >> (32 - bits)) & 0xFFFFFFFF

    a = b = c = (0xDEADBEEF + len(data)) & 0xFFFFFFFF
    blocks = max(1, math.ceil(len(data) / 12))
    padded = data.ljust(12 * blocks, b"\0")
    for block in range(blocks):
        words = np.frombuffer(padded, "<u4", 3, 12 * block).tolist()
        a, b, c = ((v + w) & 0xFFFFFFFF for v, w in zip((a, b, c), words))
        if block < blocks - 1:
            for bits in (4, 6, 8, 16, 19, 4):
                a = (a - c & 0xFFFFFFFF) ^ rotate(c, bits)
                c = c + b & 0xFFFFFFFF
                a, b, c = b, c, a
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - rotate(b, bits) & 0xFFFFFFFF
        a, b, c = b, c, a
    return b  # after seven turns the last changed word stands here


def change_superblock(path, at, data):
    """Overwrites bytes of the superblock and makes its checksum right again."""
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    content[44:48] = lookup3(bytes(content[:44])).to_bytes(4, "little")
    path.write_bytes(content)
    return path


# ---------------------------------------------------------------------------- dataset of shards (11)


def encode_index(document):
    """The bytes of index.json: canonical JSON with its own digest as last member (11.3)."""
    body = {name: value for name, value in document.items() if name != "sha256"}
    return seal(canonical(body))


def seal(text):
    """Any JSON object with its digest appended."""
    return text[:-1] + b',"sha256":"' + digest(text).encode() + b'"}\n'


def shard_entry(path, shard):
    """One member of `shards` in index.json."""
    content = path.read_bytes()
    scores = shard.decoded()
    return {
        "path": path.name,
        "bytes": len(content),
        "sha256": digest(content),
        "metadata_sha256": digest(shard.metadata()),
        "rows": shard.rows,
        "score_min": float(scores.min()) if shard.rows else None,
        "score_max": float(scores.max()) if shard.rows else None,
        "largest_error": shard.largest_error,
    }


def index_document(entries, shard):
    """index.json without its digest, for shards that agree with `shard`."""
    document = json.loads(shard.metadata())
    rows = sum(entry["rows"] for entry in entries)
    return {
        "format": "relabel-index",
        "format_version": "1.0",
        "name": "labels",
        "writer": WRITER,
        "build_id": BUILD_ID,
        "num_classes": shard.num_classes,
        "score_kind": shard.score_kind,
        "options": {"images_per_chunk": shard.images_per_chunk},
        "annotator": (document["annotator"] or {}).get("name"),
        "classes_sha256": (document["classes"] or {}).get("sha256"),
        "count": rows,
        "sources": rows,
        "shards": entries,
        "left_out": [],
    }


def two_shards(**changes):
    """Two shards that agree in everything but their rows."""
    settings = {"largest_error": 0.001953125} | changes
    return [Shard(**settings), Shard(**settings, first_index=5, seed=2, rows=3)]


def write_dataset(folder, *shards, change=None):
    """Writes a folder of shards and its index.json; `change` may alter the index before it is sealed."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, shard in enumerate(shards):
        path = shard.write(folder / f"labels-{number:05}.h5")
        entries.append(shard_entry(path, shard))
    document = index_document(entries, shards[0])
    if change:
        change(document)
    (folder / "index.json").write_bytes(encode_index(document))
    return folder
