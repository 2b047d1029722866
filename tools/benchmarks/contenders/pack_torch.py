"""Packs a part of a .pt tar as people do with torch and h5py: pack_torch.py TAR OUT.h5 PART PARTS.

Tuned: four images a write and a chunk, scores as uint16 steps, ids not shuffled, one pass over the tar.
"""

import io
import sys
import tarfile

import h5py
import numpy as np
import torch
from protocol import serve

torch.set_num_threads(1)
tar, out, part, parts = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
CHUNK = 4


def maps():
    with tarfile.open(tar) as archive:
        for number, member in enumerate(archive):
            if number % parts == part:
                tensor = torch.load(io.BytesIO(archive.extractfile(member).read()), weights_only=True)
                yield member.name, tensor.numpy().transpose(0, 2, 3, 1)


def groups(items):
    group = []
    for item in items:
        group.append(item)
        if len(group) == CHUNK:
            yield group
            group = []
    if group:
        yield group


def pack():
    with h5py.File(out, "w", libver="latest") as file:
        keys, columns = [], None
        for group in groups(maps()):
            names, tensors = zip(*group)
            tensors = np.stack(tensors)
            if columns is None:
                shape = tensors.shape[2:]
                how = dict(shape=(0, *shape), maxshape=(None, *shape), chunks=(CHUNK, *shape), dtype="u2",
                           compression="gzip", compression_opts=6, fletcher32=True)
                columns = [file.create_dataset("score", shuffle=True, **how), file.create_dataset("class_index", **how)]
            first = len(keys)
            keys += names
            for column, values in zip(columns, (np.rint((tensors[:, 0] + 128) * 256), tensors[:, 1])):
                column.resize(len(keys), 0)
                column[first:] = values.astype(np.uint16)
        file.create_dataset("image_key", data=np.array(keys, "S"))


serve(pack)
