"""Arrays as they are: NumPy files, .npz, safetensors."""

import numpy as np

from .base import SHARD, STEP, Container, Grouped, Reader


class Memmap(Container):
    """NumPy memmap"""

    facts = "dtype and shape; no checksum, no compression, no names for rows"

    @staticmethod
    def write(folder, payload):
        np.save(folder / "ids.npy", payload.ids)
        np.save(folder / "steps.npy", payload.steps)

    class open(Reader):
        def __init__(self, folder):
            self.ids, self.steps = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("ids", "steps"))

        def one(self, row):
            return np.array(self.ids[row]), self.steps[row] * STEP

        def batch(self, rows):
            return np.asarray(self.ids[rows]), self.steps[rows] * STEP

        def in_order(self, first, last):
            return np.array(self.ids[first:last]), self.steps[first:last] * STEP

        def close(self):
            del self.ids, self.steps


class NpzFiles(Container):
    """.npz, 1 image a file"""

    facts = "names and dtypes; CRC-32 of each array; a file an image"

    @staticmethod
    def write(folder, payload):
        for number, (ids, steps) in enumerate(zip(payload.ids, payload.steps)):
            np.savez_compressed(folder / f"{number:08}.npz", ids=ids, steps=steps)

    class open(Reader):
        def __init__(self, folder):
            self.folder = folder

        def one(self, row):
            with np.load(self.folder / f"{row:08}.npz") as arrays:
                return arrays["ids"], arrays["steps"] * STEP


class NpzShards(Container):
    """.npz, 1,024 images a file"""

    facts = "names and dtypes; CRC-32 of each array; a whole file is read for one image"

    @staticmethod
    def write(folder, payload):
        for first in range(0, len(payload), SHARD):
            part = slice(first, first + SHARD)
            np.savez_compressed(folder / f"{first // SHARD:05}.npz", ids=payload.ids[part], steps=payload.steps[part])

    class open(Grouped):
        size = SHARD

        def __init__(self, folder):
            super().__init__()
            self.folder = folder

        def group(self, number):
            with np.load(self.folder / f"{number:05}.npz") as arrays:
                return arrays["ids"], arrays["steps"] * STEP


class Safetensors(Container):
    """safetensors, 1,024 images a file"""

    needs = ("safetensors.numpy",)
    facts = "names, dtypes, shapes and words of one's own; no checksum, no compression"

    @staticmethod
    def write(folder, payload):
        from safetensors.numpy import save_file

        for first in range(0, len(payload), SHARD):
            part = slice(first, first + SHARD)
            arrays = {"ids": payload.ids[part], "steps": payload.steps[part]}
            save_file(arrays, folder / f"{first // SHARD:05}.safetensors")

    class open(Reader):
        def __init__(self, folder):
            from safetensors import safe_open

            self.files = [safe_open(path, framework="numpy") for path in sorted(folder.glob("*.safetensors"))]
            self.slices = [(file.get_slice("ids"), file.get_slice("steps")) for file in self.files]

        def one(self, row):
            ids, steps = self.slices[row // SHARD]
            return ids[int(row % SHARD)], steps[int(row % SHARD)] * STEP

        def close(self):
            del self.slices, self.files
