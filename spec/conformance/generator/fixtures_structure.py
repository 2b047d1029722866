"""Files whose structure is forged with right checksums: rules C001 and C011 to C013."""

import struct
from functools import partial

import h5py
import numpy as np
from h5py import h5o, h5p, h5s, h5t
from hdf5_blocks import (
    ATTRIBUTE,
    CONTINUATION,
    DATASPACE,
    EMPTY,
    FILTERS,
    LAYOUT,
    NOWHERE,
    changed,
    longer,
    messages_of,
    named_blocks,
    number,
    object_blocks,
)
from registry import Fixtures
from rule_fixtures import flip, linked, with_column, with_root
from shard_writer import Raw, lookup3, write_shard

FIXTURES = Fixtures()
add, breaks, sound = FIXTURES.add, FIXTURES.breaks, FIXTURES.sound

SMALL_CHUNKS = {"rows": 300, "images_per_chunk": 1, "rows_per_identity_chunk": 64}


def forged(rule, variant, **shard):
    """Registers a shard whose bytes the decorated function changes."""

    def register(change):
        def make(folder):
            path = write_shard(folder / "a.h5", **shard)
            path.write_bytes(change(path.read_bytes()))
            return path

        breaks(rule, variant)(make)
        return change

    return register


def chunk_place(content, name, chunk):
    """Offset and length of a stored chunk, as the HDF5 library says."""
    with h5py.File.in_memory(content) as file:
        info = file[name].id.get_chunk_info(chunk)
        return info.byte_offset, info.size


def element(content, name, chunk):
    """The block of the chunk index that lists a chunk, and where in it the chunk's element stands."""
    offset, length = chunk_place(content, name, chunk)
    found = named_blocks(content, name)
    width = next(content[b.start + 6] for b in found if b.kind == "EAHD") - 12
    wanted = struct.pack("<Q", offset) + length.to_bytes(width, "little")
    for block in found:
        at = content.find(wanted, block.start, block.end)
        if at >= 0:
            return block, at
    raise ValueError(f"chunk {chunk} of {name} is in no block")


def move_chunk(content, name, chunk, offset):
    """Lets the index say that a chunk is elsewhere."""
    block, at = element(content, name, chunk)
    return changed(content, block, (at, struct.pack("<Q", offset)))


def message(content, name, kind):
    """A block of a dataset's object header and the first message of a kind in it."""
    block = next(b for b in named_blocks(content, name) if any(m.type == kind for m in b.messages))
    return block, next(m for m in block.messages if m.type == kind)


def replaced(content, kind, fields, flags=0, name="class_index"):
    """Puts a message into the unused space of an object header; the rest stays unused."""
    block, space = message(content, name, EMPTY)
    left = space.size - len(fields) - 4
    assert left >= 0
    new = struct.pack("<BHB", kind, len(fields), flags) + fields + struct.pack("<BHB", EMPTY, left, 0)
    return changed(content, block, (space.start, new))


# ------------------------------------------------------------------------------------ C001: damage


for signature, nth in [("OCHK", 0), ("OCHK", 4), ("EADB", 0), ("EADB", 9), ("EASB", 0)]:

    @breaks("C001", f"{signature}_{nth}")
    def flip_block(folder, signature=signature.encode(), nth=nth):
        path = write_shard(folder / "a.h5", **SMALL_CHUNKS)
        content, at = path.read_bytes(), -1
        for _ in range(nth + 1):
            at = content.index(signature, at + 1)
        return flip(path, at + 20)


@forged("C001", "chunk_outside")
def chunk_outside(content):
    return move_chunk(content, "score", 1, len(content) - 8)


@forged("C001", "chunk_far_outside")
def chunk_far_outside(content):
    return move_chunk(content, "score", 1, NOWHERE - 1)


@forged("C001", "header_outside")
def header_outside(content):
    """A continuation of 2^60 bytes."""
    return replaced(content, CONTINUATION, struct.pack("<QQ", 48, 1 << 60))


@forged("C001", "index_elsewhere")
def index_elsewhere(content):
    block, layout = message(content, "score", LAYOUT)
    return changed(content, block, (layout.fields + layout.size - 8, struct.pack("<Q", 48)))


# ---------------------------------------------------------------------------------- C011: overlaps


@forged("C011", "one_chunk_twice")
def one_chunk_twice(content):
    return move_chunk(content, "class_index", 1, chunk_place(content, "class_index", 0)[0])


@forged("C011", "far_chunk_twice", **SMALL_CHUNKS)
def far_chunk_twice(content):
    """The last chunk is listed behind a super block."""
    return move_chunk(content, "score", 299, chunk_place(content, "score", 7)[0])


@forged("C011", "chunk_of_another_dataset")
def chunk_of_another_dataset(content):
    return move_chunk(content, "image_key", 0, chunk_place(content, "image_index", 1)[0])


@forged("C011", "chunk_half_over_another")
def chunk_half_over_another(content):
    return move_chunk(content, "score", 2, chunk_place(content, "score", 1)[0] + 7)


@forged("C011", "chunk_over_a_header")
def chunk_over_a_header(content):
    return move_chunk(content, "score", 0, named_blocks(content, "class_index")[0].start)


@forged("C011", "chunk_over_the_superblock")
def chunk_over_the_superblock(content):
    return move_chunk(content, "image_index", 0, 0)


@forged("C011", "index_of_another_dataset")
def index_of_another_dataset(content):
    """Two datasets of the same kind share all their chunks."""
    _, own = message(content, "class_index", LAYOUT)
    block, other = message(content, "score", LAYOUT)
    index = content[own.fields + own.size - 8 : own.fields + own.size]
    return changed(content, block, (other.fields + other.size - 8, index))


@forged("C011", "data_block_twice", **SMALL_CHUNKS)
def data_block_twice(content):
    """One data block listed in two places, without end if it went on so."""
    found = named_blocks(content, "score")
    index = next(b for b in found if b.kind == "EAIB")
    addresses = index.end - 8 * 31
    first = content[addresses + 16 : addresses + 24]
    return changed(content, index, (addresses + 24, first))


# -------------------------------------------------------------------------- C012: outside the profile


MESSAGES = {
    "old_fill_value": 0x04, "bogus": 0x09, "comment": 0x0D, "old_time": 0x0E, "shared_table": 0x0F,
    "symbol_table": 0x11, "time": 0x12, "tree_settings": 0x13, "driver": 0x14, "free_space": 0x17,
    "unknown": 0x50,
}
for name, kind in MESSAGES.items():
    forged("C012", f"message_{name}")(partial(replaced, kind=kind, fields=bytes(8)))
for name, flags in {"fail_if_unknown": 0x80, "was_unknown": 0x20, "shareable": 0x40}.items():
    forged("C012", f"flag_{name}")(partial(replaced, kind=EMPTY, fields=bytes(8), flags=flags))
forged("C012", "reference_count")(partial(replaced, kind=0x16, fields=struct.pack("<BI", 0, 2)))
forged("C012", "two_attribute_infos")(
    partial(replaced, kind=0x15, fields=struct.pack("<BBQQ", 0, 0, NOWHERE, NOWHERE)))
forged("C012", "external_files_of_chunks")(
    partial(replaced, kind=0x07, fields=struct.pack("<BxxxHHQ", 1, 1, 0, 48)))
forged("C012", "a_link_in_a_dataset")(
    partial(replaced, kind=0x06, fields=b"\1\0\1x" + struct.pack("<Q", 48)))

add("C012", "object_comment", **linked(lambda f: h5o.set_comment(f["image_key"].id, b"hello")))
add("C012", "creation_order", **with_column(
    "score", plist_change=lambda p: p.set_attr_creation_order(h5p.CRT_ORDER_TRACKED)))


def nested_type(depth):
    kind = np.dtype("<i4")
    for _ in range(depth):
        kind = np.dtype([("a", kind)])
    return Raw(h5t.py_create(kind), h5s.create(h5s.SCALAR))


add("C012", "deep_type", **with_root(**{"x-deep": nested_type(40)}))


@forged("C012", "shared_dataspace")
def shared_dataspace(content):
    block, space = message(content, "score", DATASPACE)
    return changed(content, block, (space.start + 3, b"\2"))


@forged("C012", "attribute_larger_than_its_message")
def large_attribute(content):
    """`axes` claims to be longer than its message."""
    block, axes = message(content, "image_key", ATTRIBUTE)
    at = content.index(b"image", axes.fields) - 8
    assert number(content, at, 4) == 5
    return changed(content, block, (at, struct.pack("<I", 5000)))


@forged("C012", "chunk_behind_the_end")
def chunk_behind_the_end(content):
    """The index lists chunks behind the last row."""
    block, space = message(content, "score", DATASPACE)
    return changed(content, block, (space.fields + 4, struct.pack("<Q", 2)))


@forged("C012", "count_of_chunks")
def count_of_chunks(content):
    """An index that claims 2^40 chunks would be searched for days."""
    header = next(b for b in named_blocks(content, "score") if b.kind == "EAHD")
    return changed(content, header, (header.start + 44, struct.pack("<Q", 1 << 40)))


@forged("C012", "proportions")
def proportions(content):
    block, layout = message(content, "score", LAYOUT)
    return changed(content, block, (layout.fields + layout.size - 9, b"\x0b"))


@forged("C012", "another_rank")
def another_rank(content):
    """A dataspace that has fewer axes than the chunks."""
    block, space = message(content, "image_index", DATASPACE)
    other, layout = message(content, "score", LAYOUT)
    assert block != other and content[layout.fields + 3] == 5
    return changed(content, other, (layout.fields + 3, b"\4"))


@forged("C012", "shuffle_of_other_elements")
def shuffle_of_other_elements(content):
    """Readers that go by the parameter would read other scores than those that go by the type."""
    block, filters = message(content, "score", FILTERS)
    assert content[filters.fields + 2 : filters.fields + 12] == bytes([2, 0, 1, 0, 1, 0, 2, 0, 0, 0])
    return changed(content, block, (filters.fields + 8, b"\4"))


@forged("C012", "gap_beside_unused_space")
def gap_beside_unused_space(content):
    block, space = message(content, "image_key", EMPTY)
    return changed(content, block, (space.start + 1, struct.pack("<H", space.size - 2)))


@forged("C012", "one_continuation_twice")
def one_continuation_twice(content):
    root = object_blocks(content, number(content, 36, 8))
    first, second = messages_of(root, CONTINUATION)[:2]
    place = content[first.fields : first.fields + 16]
    return changed(content, root[0], (second.fields, place))


@forged("C012", "continuation_in_a_circle")
def continuation_in_a_circle(content):
    """A block of an object header that goes on in itself."""
    start, length = len(content), 4 + 4 + 16 + 4
    place = struct.pack("<QQ", start, length)
    block = b"OCHK" + struct.pack("<BHB", CONTINUATION, 16, 0) + place
    content = longer(content, block + lookup3(block).to_bytes(4, "little"))
    return replaced(content, CONTINUATION, place)


@forged("C012", "hidden_bytes")
def hidden_bytes(content):
    return longer(content, b"not for everyone" * 5000)


@sound("holes")
def holes(folder):
    """Space that was reserved and never used, as with aligned chunks."""
    path = write_shard(folder / "a.h5")
    path.write_bytes(longer(path.read_bytes(), bytes(100_000)))
    return path


# ------------------------------------------------------------------------------------- C013: times


add("C013", "root", track_times=True)
for name in ["class_index", "image_key"]:
    add("C013", name, **with_column(name, plist_change=lambda p: p.set_obj_track_times(True)))
