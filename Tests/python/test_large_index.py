"""A chunk index so large that its data blocks are cut into pages, each with a checksum of its own."""

import io
import struct

import h5py
import pytest
from conftest import error_rules, verify
from fixtures_structure import move_chunk
from h5py import h5d, h5p, h5s, h5t
from hdf5_blocks import changed, named_blocks

CHUNKS = 140_000  # pages begin with the 131,061st
ROWS_WRITTEN = [*range(0, 131_000), *range(133_200, 135_000), *range(138_300, CHUNKS)]


@pytest.fixture(scope="module")
def content():
    """A file of one HDF5 dataset with a byte in each chunk, some of them missing."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((1,))
        plist.set_fletcher32()
        plist.set_obj_track_times(False)
        space = h5s.create_simple((CHUNKS,), (h5s.UNLIMITED,))
        data = h5d.create(file.id, b"d", h5t.STD_U8LE, space, plist)
        for row in ROWS_WRITTEN:
            data.write_direct_chunk((row,), struct.pack("<I", row) + b"\0")
    return memory.getvalue()


def refused(content, folder):
    """Broken rules and the first message; the file is no shard, so L001 says that the walk went well."""
    path = folder / "a.h5"
    path.write_bytes(content)
    _, report = verify(path)
    return error_rules(report), report["findings"][0]["message"]


def test_a_sound_index(content, tmp_path):
    assert refused(content, tmp_path)[0] == ["L001"]


@pytest.mark.parametrize("place", [0, 3, 4, 19, 20, 51, 52, 243, 244, 500, 1011, 2036, 130_999, 131_800, -2000, -1])
def test_every_part_of_the_index_is_walked(place, content, tmp_path):
    """A chunk listed anywhere in the index, moved onto the one after it."""
    other = (place + 1) % len(ROWS_WRITTEN)
    with h5py.File(io.BytesIO(content)) as file:
        start = file["d"].id.get_chunk_info(other).byte_offset
    rules, message = refused(move_chunk(content, "d", place % len(ROWS_WRITTEN), start), tmp_path)
    assert rules == ["C011"]
    assert message.count(f"the stored chunk of 'd' (bytes {start} to {start + 4})") == 2


@pytest.mark.parametrize("nth", [0, 1, 2, -1])
def test_pages_have_a_checksum(nth, content, tmp_path):
    page = [block for block in named_blocks(content, "d") if block.kind == "page"][nth]
    flipped = bytearray(content)
    flipped[page.start + 100] ^= 1
    assert refused(bytes(flipped), tmp_path)[0] == ["C001"]


def test_pages_that_were_never_written_are_left_alone(content, tmp_path):
    """Their bytes mean nothing until the super block says that they do."""
    super_block = [block for block in named_blocks(content, "d") if block.kind == "EASB"][-1]
    bits = int.from_bytes(content[super_block.start + 18 : super_block.start + 20], "big")
    # A data block has two pages; here only the second of the fourth block was written.
    assert bits >> 8 & 0b11 == 0b01
    forged = changed(content, super_block, (super_block.start + 18, (bits | 2 << 8).to_bytes(2, "big")))
    assert refused(forged, tmp_path)[0] == ["C001"]
