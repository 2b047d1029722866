"""Packs a part of a folder of dense .npy maps with torch.topk and h5py: pack_dense.py FOLDER OUT.h5 PART PARTS.

Tuned: two threads where the script is alone, the class axis where torch.topk takes it fastest, four images a write.
"""

import pathlib
import sys

import h5py
import numpy as np
import torch
from protocol import serve

folder, out, part, parts = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(3 - parts)
CHUNK = 4

paths = sorted(folder.glob("*.npy"))[part::parts]
_, height, width = np.load(paths[0], mmap_mode="r").shape
shape = (len(paths), height, width, 5)
how = dict(chunks=(CHUNK, height, width, 5), dtype="u2", compression="gzip", compression_opts=6, fletcher32=True)


def pack():
    with h5py.File(out, "w", libver="latest") as file:
        columns = [
            file.create_dataset("score", shape, shuffle=True, **how), file.create_dataset("class_index", shape, **how)
        ]
        for first in range(0, len(paths), CHUNK):
            best = [torch.from_numpy(np.load(path)).topk(5, 0) for path in paths[first : first + CHUNK]]
            scores = torch.stack([values for values, _ in best]).numpy().transpose(0, 2, 3, 1)
            ids = torch.stack([ids for _, ids in best]).numpy().transpose(0, 2, 3, 1)
            last = first + len(best)
            columns[0][first:last] = np.rint((scores + 128) * 256).astype(np.uint16)
            columns[1][first:last] = ids.astype(np.uint16)
        file.create_dataset("image_key", data=np.array([path.stem for path in paths], "S"))


serve(pack)
