"""HDF5 by h5py alone: as `create_dataset` makes it, and in compressed chunks."""

import numpy as np

from .base import STEP, Container, Reader


class H5py(Container):
    """plain h5py, contiguous"""

    needs = ("h5py",)
    facts = "dtypes, shapes and attributes of one's own; no checksum unless asked for (fletcher32)"
    how = {}

    @classmethod
    def write(cls, folder, payload):
        import h5py

        with h5py.File(folder / "maps.h5", "w", libver="latest") as file:
            file.create_dataset("class_index", data=payload.ids, **cls.chunks(payload))
            file.create_dataset("score", data=payload.steps, **cls.chunks(payload, shuffle=True))

    @classmethod
    def chunks(cls, payload, **more):
        return {}

    class open(Reader):
        def __init__(self, folder):
            import h5py

            self.file = h5py.File(folder / "maps.h5")
            self.ids, self.steps = self.file["class_index"], self.file["score"]

        def one(self, row):
            return self.ids[row], self.steps[row] * STEP

        def batch(self, rows):
            """Rows in the order of the file, so that a chunk is decoded once; a list of rows would take h5py longer."""
            ids = np.empty((len(rows), *self.ids.shape[1:]), self.ids.dtype)
            steps = np.empty((len(rows), *self.steps.shape[1:]), self.steps.dtype)
            for place in np.argsort(rows):
                ids[place], steps[place] = self.ids[rows[place]], self.steps[rows[place]]
            return ids, steps * STEP

        def in_order(self, first, last):
            return self.ids[first:last], self.steps[first:last] * STEP

        def close(self):
            self.file.close()


class H5pyOne(H5py):
    """plain h5py, gzip, 1 image a chunk"""

    facts = "dtypes, shapes and attributes of one's own; gzip has a checksum, fletcher32 is an option"
    chunk = 1

    @classmethod
    def chunks(cls, payload, **more):
        chunk = min(cls.chunk, len(payload)), *payload.ids.shape[1:]
        return dict(chunks=chunk, compression="gzip", compression_opts=6, **more)


class H5pySixteen(H5pyOne):
    """plain h5py, gzip, 16 images a chunk"""

    chunk = 16
