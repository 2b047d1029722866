"""Files that attack whoever opens them: the corpus that the verifier must refuse quickly and in little memory.

A function under `@attack(NAME, CODES)` gets an empty folder and gives back the path to verify, or the
path and environment variables. Fixtures of single rules that are attacks too are taken over below.
"""

import os
import shutil
import struct
import subprocess

import h5py
import numpy as np
from all_fixtures import BROKEN
from h5py import h5d, h5f, h5p, h5s, h5t
from rule_fixtures import partial, plain_storage, stored_otherwise
from shard_writer import Shard, change_superblock, seal, two_shards, write_dataset, write_shard

ATTACKS = []  # (name, the exit codes that are right, function)
UNSAFE, CORRUPT, FINDINGS, UNSUPPORTED = 4, 5, 1, 6


def attack(name, *codes):
    def register(function):
        ATTACKS.append((name, codes, function))
        return function

    return register


for rule, variant, make in BROKEN:
    if rule in {"C002", "C003", "C010", "C011", "C012", "M009"}:
        attack(f"{rule}_{variant}", UNSAFE)(make)
    elif rule in {"C005", "C009"} or (rule, variant) in {("C004", "lzf"), ("C004", "nothing")}:
        attack(f"{rule}_{variant}", FINDINGS)(make)
    elif rule == "C006":
        attack(f"{rule}_{variant}", UNSAFE)(make)
    elif rule == "C008" and variant in {"bomb", "behind_the_stream", "too_much", "truncated_stream"}:
        attack(f"{rule}_{variant}", CORRUPT)(make)


def bare_file(path):
    """An HDF5 file of this format's library bounds, open for writing."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    return h5py.File(h5f.create(str(path).encode(), h5f.ACC_TRUNC, fapl=access))


# ------------------------------------------------------------------------------ sizes that are lies


@attack("terabytes_in_447_bytes", UNSAFE)
def terabytes(folder):
    """3.84 TB declared, nothing stored."""
    with bare_file(folder / "a.h5") as file:
        chunks, shape = (1, 196, 196, 5), (10**7, 196, 196, 5)
        file.create_dataset("class_index", shape, "<u2", chunks=chunks, maxshape=(None,) + shape[1:])
    return folder / "a.h5"


@attack("terabytes_fixed_axis", UNSAFE)
def terabytes_fixed(folder):
    """The same with a fixed axis, whose index is of another kind."""
    with bare_file(folder / "a.h5") as file:
        file.create_dataset("class_index", (10**7, 196, 196, 5), "<u2", chunks=(1, 196, 196, 5))
    return folder / "a.h5"


@attack("thousand_to_one", UNSAFE)
def thousand_to_one(folder):
    """One chunk of 128 MiB zeros in 130 kB."""
    with bare_file(folder / "a.h5") as file:
        file.create_dataset("score", data=np.zeros((1, 1 << 27), "u1"), chunks=(1, 1 << 27), compression=9)
    return folder / "a.h5"


@attack("largest_chunk_of_one_map", FINDINGS)
def largest_chunk(folder):
    """Two maps in a chunk of 13 MiB that deflates to 13 KiB; all cells are alike, ids too."""
    side = 127
    zeros = np.zeros((2, side, side, 2), "<u2")
    return write_shard(
        folder / "a.h5", rows=2, height=side, width=side, k=2, images_per_chunk=200, ids=zeros, stored=zeros)


@attack("shape_of_zettabytes", UNSAFE)
def zettabytes(folder):
    with bare_file(folder / "a.h5") as file:
        shape = (2**40, 2**20)
        file.create_dataset("score", shape, "<u2", chunks=(1, 2**20), maxshape=(None, 2**20))
    return folder / "a.h5"


@attack("thirty_two_axes", UNSAFE, FINDINGS)
def many_axes(folder):
    def after(file):
        file.create_dataset("depth", shape=(1,) * 32, chunks=(1,) * 32, dtype="u1", compression=1)

    return write_shard(folder / "a.h5", after=after)


# ---------------------------------------------------------------------------- objects without number


@attack("three_hundred_datasets", UNSAFE)
def many_datasets(folder):
    def after(file):
        for number in range(300):
            file.create_dataset(f"d{number}", shape=(1,), dtype="u1")

    return write_shard(folder / "a.h5", after=after)


@attack("two_thousand_attributes", UNSAFE, FINDINGS)
def many_attributes(folder):
    return write_shard(folder / "a.h5", attributes={f"x-{n}": np.int8(0) for n in range(2_000)})


@attack("deep_groups", UNSAFE)
def deep_groups(folder):
    def after(file):
        group = file["/"]
        for number in range(2000):
            group = group.create_group(f"g{number}")

    return write_shard(folder / "a.h5", after=after)


@attack("cyclic_groups", UNSAFE)
def cyclic_groups(folder):
    def after(file):
        inner = file.create_group("a").create_group("b")
        inner["up"], file["a/b/root"] = file["a"], file["/"]

    return write_shard(folder / "a.h5", after=after)


@attack("soft_links_in_a_row", UNSAFE)
def soft_chain(folder):
    def after(file):
        for number in range(500):
            file[f"l{number:03}"] = h5py.SoftLink(f"/l{number + 1:03}")
        file["l500"] = h5py.SoftLink("/l000")

    return write_shard(folder / "a.h5", after=after)


# --------------------------------------------------------------------------------------- other files


def pipe_in(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


@attack("external_storage_in_a_pipe", UNSAFE)
def external_pipe(folder):
    """Reading it would wait for ever."""
    storage = partial(plain_storage, layout=h5d.CONTIGUOUS, external=str(pipe_in(folder)))
    return write_shard(folder / "a.h5", **stored_otherwise(storage))


@attack("external_link_to_a_pipe", UNSAFE)
def link_to_pipe(folder):
    pipe = str(pipe_in(folder))
    return write_shard(
        folder / "a.h5", column_changes={"score": None},
        after=lambda file: file.__setitem__("score", h5py.ExternalLink(pipe, "/score")))


@attack("external_link_to_itself", UNSAFE)
def link_to_itself(folder):
    return write_shard(
        folder / "a.h5", column_changes={"score": None},
        after=lambda file: file.__setitem__("score", h5py.ExternalLink("a.h5", "/score")))


@attack("virtual_over_a_secret", UNSAFE)
def virtual_over_secret(folder):
    with h5py.File(folder / "secret.h5", "w") as secret:
        secret["image_index"] = np.arange(5)

    def virtual(file, data):
        layout = h5py.VirtualLayout(data.shape, data.dtype)
        layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "image_index", data.shape)
        file.create_virtual_dataset("image_index", layout)

    return write_shard(folder / "a.h5", **stored_otherwise(virtual))


@attack("shard_is_a_pipe", UNSAFE, 74)
def shard_pipe(folder):
    dataset = write_dataset(folder / "dataset", *two_shards())
    (dataset / "labels-00001.h5").unlink()
    os.mkfifo(dataset / "labels-00001.h5")
    return dataset


@attack("shard_is_a_link_outside", UNSAFE)
def shard_link(folder):
    dataset = write_dataset(folder / "dataset", *two_shards())
    shutil.move(dataset / "labels-00001.h5", folder / "elsewhere.h5")
    with open(folder / "elsewhere.h5", "ab") as file:
        file.write(b"\0")
    (dataset / "labels-00001.h5").symlink_to(folder / "elsewhere.h5")
    return dataset


@attack("shard_is_a_device", 74)
def device(folder):
    return "/dev/zero"


# ------------------------------------------------------------------------------------------- plugins

PLUGIN = """
#include <hdf5.h>
#include <H5PLextern.h>
#include <stdio.h>
#include <stdlib.h>
static void leave_mark(void) { FILE *f = fopen(getenv("MARK"), "w"); if (f) fclose(f); }
__attribute__((constructor)) static void loaded(void) { leave_mark(); }
static size_t filter(unsigned flags, size_t n, const unsigned v[], size_t bytes, size_t *size, void **buf)
{ leave_mark(); return bytes; }
static const H5Z_class2_t info = { H5Z_CLASS_T_VERS, 32123, 1, 1, "attack", NULL, NULL, filter };
H5PL_type_t H5PLget_plugin_type(void) { return H5PL_TYPE_FILTER; }
const void *H5PLget_plugin_info(void) { return &info; }
"""


def plugin_folder(folder):
    """A folder with a filter plugin that leaves a mark when it is loaded."""
    (folder / "plugin").mkdir()
    source = folder / "plugin.c"
    source.write_text(PLUGIN)
    flags = subprocess.run(["pkg-config", "--cflags", "hdf5"], capture_output=True, text=True).stdout.split()
    library = folder / "plugin/libattack.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, *flags], check=True)
    return folder / "plugin"


@attack("plugin", FINDINGS)
def plugin(folder):
    """A filter that only a plugin knows, and the plugin at hand."""
    shard = Shard()
    column = shard.columns()["score"]
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk(column.chunk)
    plist.set_filter(32123, h5z_optional(), (1,))
    plist.set_fletcher32()
    plist.set_obj_track_times(False)
    plist.set_fill_value(np.array(0xFFFF, "<u2"))
    plist.set_fill_time(h5d.FILL_TIME_IFSET)

    def after(file):
        space = h5s.create_simple(column.data.shape, (h5s.UNLIMITED,) + column.data.shape[1:])
        dataset = h5d.create(file.id, b"score", h5t.STD_U16LE, space, plist)
        for number, stored in column.chunks():
            dataset.write_direct_chunk((number * column.chunk[0], 0, 0, 0), stored)
        for name, value in column.attributes.items():
            value = np.bytes_(value) if isinstance(value, str) else value
            file["score"].attrs.create(name, value, dtype=f"S{len(value)}" if isinstance(value, bytes) else None)

    path = write_shard(folder / "a.h5", column_changes={"score": None}, after=after)
    return path, {"HDF5_PLUGIN_PATH": str(plugin_folder(folder)), "MARK": str(folder / "MARK")}


def h5z_optional():
    return h5py.h5z.FLAG_OPTIONAL


# ------------------------------------------------------------------------------- forms of the file


@attack("polyglot_zip", CORRUPT)
def polyglot(folder):
    """A sound shard with a zip archive behind it."""
    path = write_shard(folder / "a.h5")
    (folder / "other.txt").write_text("other")
    archive = shutil.make_archive(str(folder / "b"), "zip", folder, "other.txt")
    with open(path, "ab") as file, open(archive, "rb") as zipped:
        file.write(zipped.read())
    return path


@attack("shared_messages", FINDINGS, UNSAFE)
def shared_messages(folder):
    """A table of shared header messages lives in a superblock extension."""
    creation, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    creation.set_shared_mesg_nindexes(1) if hasattr(creation, "set_shared_mesg_nindexes") else None
    path = folder / "a.h5"
    file = h5py.File(h5f.create(str(path).encode(), h5f.ACC_TRUNC, fcpl=creation, fapl=access))
    file.attrs["x"] = 1
    file.close()
    return path


@attack("vlen_in_a_flipped_heap", FINDINGS, UNSAFE, CORRUPT)
def flipped_heap(folder):
    """A bit of a global heap without a checksum, which makes h5dump spin for ever."""
    path = write_shard(folder / "a.h5", after=lambda f: f["score"].attrs.create("x-note", "variable" * 9))
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 24] ^= 0xFF  # the size of the first heap object
    content[heap + 16 + 8 : heap + 16 + 16] = bytes(8)
    path.write_bytes(content)
    return path


@attack("end_of_file_beyond_a_terabyte", CORRUPT)
def huge_end(folder):
    return change_superblock(write_shard(folder / "a.h5"), 28, struct.pack("<Q", 1 << 40))


@attack("sparse_terabyte", CORRUPT, FINDINGS, UNSAFE)
def sparse(folder):
    """A listed shard that is a terabyte of holes: taking its digest would take half an hour."""
    dataset = write_dataset(folder / "dataset", *two_shards())
    os.truncate(dataset / "labels-00001.h5", 1 << 40)
    return dataset


@attack("sparse_terabyte_of_the_listed_size", CORRUPT, FINDINGS, UNSAFE)
def sparse_as_listed(folder):
    """The same, and the index and the superblock say so, too."""
    dataset = write_dataset(folder / "dataset", *two_shards(), change=lambda index: grow(index["shards"][1]))
    shard = change_superblock(dataset / "labels-00001.h5", 28, struct.pack("<Q", TERABYTE))
    os.truncate(shard, TERABYTE)
    return dataset


TERABYTE = 1 << 40


def grow(entry):
    entry["bytes"] = TERABYTE


# ------------------------------------------------------------------------------------- the documents


@attack("deep_json", CORRUPT, FINDINGS)
def deep_json(folder):
    dataset = write_dataset(folder / "dataset", *two_shards())
    (dataset / "index.json").write_text('{"a":' + "[" * 1_000_000 + "]" * 1_000_000 + "}")
    return dataset


@attack("nested_lists_in_a_sealed_index", CORRUPT)
def nested_lists(folder):
    """A megabyte of brackets with the digest that is right; a decoder that tries every type takes minutes."""
    dataset = write_dataset(folder / "dataset", *two_shards())
    content = (dataset / "index.json").read_bytes()
    lists = b"[" + b",".join([b"[" * 500 + b"]" * 500] * 1000) + b"]"
    text = content[:-78].replace(b'"options":{', b'"options":{"a":' + lists + b",") + b"}"
    (dataset / "index.json").write_bytes(seal(text))
    return dataset


@attack("endless_json", CORRUPT, FINDINGS, UNSAFE)
def endless_json(folder):
    """65 MiB of zeros where index.json should be."""
    dataset = write_dataset(folder / "dataset", *two_shards())
    os.truncate(dataset / "index.json", 65 << 20)
    return dataset


@attack("many_shards_listed", CORRUPT, FINDINGS)
def many_shards(folder):
    """An index of 100,000 shards that are not there."""
    dataset = write_dataset(folder / "dataset", *two_shards())
    entry = '{"path":"x%d.h5"}'
    text = '{"shards":[' + ",".join(entry % n for n in range(100_000)) + "]}"
    (dataset / "index.json").write_text(text)
    return dataset
