"""Zarr 3 with the sharding codec: small chunks for random reads, many of them in a file."""

import numpy as np

from .base import SHARD, STEP, Container, Reader


class Zarr(Container):
    """Zarr 3, zstd, 4 images a chunk, sharded"""

    needs = ("zarr",)
    facts = "dtypes, shapes and attributes of one's own; CRC-32C of its indexes, of chunks as an option"
    chunk = 4

    @classmethod
    def write(cls, folder, payload):
        import zarr

        for name, values in (("ids", payload.ids), ("steps", payload.steps)):
            array = zarr.create_array(
                str(folder / name), shape=values.shape, dtype=values.dtype, chunks=(cls.chunk, *values.shape[1:]),
                shards=(SHARD, *values.shape[1:]), compressors=zarr.codecs.BloscCodec(
                    cname="zstd", clevel=6, shuffle="shuffle" if name == "steps" else "noshuffle"
                ),
            )
            array[:] = values

    class open(Reader):
        def __init__(self, folder):
            import zarr

            self.ids, self.steps = (zarr.open_array(str(folder / name), mode="r") for name in ("ids", "steps"))

        def one(self, row):
            return self.ids[int(row)], self.steps[int(row)] * STEP

        def batch(self, rows):
            return self.ids.oindex[np.asarray(rows)], self.steps.oindex[np.asarray(rows)] * STEP

        def in_order(self, first, last):
            return self.ids[first:last], self.steps[first:last] * STEP
