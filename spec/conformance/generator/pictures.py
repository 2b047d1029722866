"""Pictures, boxes and fake annotators for the tests of the checks with pictures."""

import struct
import sys
import zlib

import numpy as np
from shard_writer import Shard, decode, digest


def png(height, width, text=b""):
    """A grey PNG of a size, made without a library."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"tEXt", b"Comment\0" + text), chunk(b"IDAT", pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IEND", b"")])


def write_pictures(folder, keys, ending=".png", height=6, width=8):
    """A picture for each key; gives back their bytes."""
    contents = []
    for key in keys:
        path = folder / (key + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        contents.append(png(height, width, key.encode()))
        path.write_bytes(contents[-1])
    return contents


def column(shard, name, data):
    """Changes that give an optional HDF5 dataset of a shard its values."""
    changes = shard.column_changes | {name: {"data": data}}
    return {"optional": (*shard.optional, name), "column_changes": changes}


def sizes(shard, height=6, width=8):
    return column(shard, "image_size", np.tile(np.array([height, width], "<u4"), (shard.rows, 1)))


def digests(shard, contents):
    data = np.array([list(bytes.fromhex(digest(content))) for content in contents], "u1")
    return column(shard, "image_sha256", data)


# ------------------------------------------------------------------------------------------- boxes


def boxes_text(rows, columns="key,class,top,left,height,width"):
    return "\n".join([columns, *(",".join(map(str, row)) for row in rows)]) + "\n"


def localised(rows=12, transposed=False, seed=3, wanted=0, **changes):
    """A shard whose maps show class `wanted` in the left quarter of the picture, or of its transpose.

    Gives back the shard and a box for each image.
    """
    shard = Shard(rows=rows, height=4, width=4, seed=seed, **changes)
    generator = np.random.default_rng(seed)
    others = [c for c in range(shard.num_classes) if c != wanted]
    ids = np.array([generator.choice(others, shard.k, False) for _ in range(rows * 16)], "<u2")
    ids = ids.reshape(shard.shape)
    place = (slice(None), 0, slice(None), 0) if transposed else (slice(None), slice(None), 0, 0)
    ids[place] = wanted
    shard.ids = ids
    return shard, [(key, wanted, 0, 0, 1, 0.25) for key in shard.image_keys()]


# -------------------------------------------------------------------------------------- annotators


def write_dense(folder, shard, shift=0.0, leave_out=()):
    """Dense maps [class, y, x] that a shard's own maps are the best k of, moved by `shift`."""
    ids, stored = shard.labels()
    scores = decode(stored, shard.encoding, *shard.packing)
    for row, key in enumerate(shard.image_keys()):
        if key in leave_out:
            continue
        dense = np.full((shard.num_classes, shard.height, shard.width), -100, "<f4")
        cells = np.indices((shard.height, shard.width))[..., None]
        dense[ids[row], cells[0], cells[1]] = scores[row] + shift
        path = folder / f"{key}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, dense)
    return folder


def copying(folder):
    """An annotator command that knows its answers already."""
    return f'cp -r {folder}/. "$RELABEL_OUTPUT"'


def scripted(path, body):
    """An annotator command that runs Python; `asked` holds its input and `output` its folder."""
    start = "import os, pathlib, sys\nasked = [line.rstrip('\\n').split('\\t') for line in sys.stdin]\n"
    path.write_text(start + "output = pathlib.Path(os.environ['RELABEL_OUTPUT'])\n" + body)
    return f"{sys.executable} {path}"
