"""Arrow: IPC files mapped into memory, and Parquet."""

import numpy as np

from .base import STEP, Container, Grouped, Reader, read_shape, write_shape


def table(payload):
    import pyarrow

    columns = [
        pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(values.reshape(-1)), values[0].size)
        for values in (payload.ids, payload.steps)
    ]
    return pyarrow.table([pyarrow.array([f"{n:08}" for n in range(len(payload))]), *columns], ["key", "ids", "steps"])


def arrays(found, shape):
    """Ids and steps of a table as arrays [n, H, W, k], without a copy where the table is in one piece.

    By DLPack: `to_numpy` would import pandas where that is installed. `combine_chunks` copies a single chunk, too.
    """
    columns = [found[name] for name in ("ids", "steps")]
    pieces = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in columns]
    return [np.from_dlpack(piece.flatten()).reshape(-1, *shape) for piece in pieces]


class ArrowIpc(Container):
    """Arrow IPC, mapped"""

    needs = ("pyarrow", "pyarrow.compute")
    facts = "a schema with words of one's own; no checksum; keys, but no lookup"

    @staticmethod
    def write(folder, payload):
        import pyarrow

        rows = table(payload)
        with pyarrow.OSFile(str(folder / "maps.arrow"), "wb") as sink, pyarrow.ipc.new_file(sink, rows.schema) as file:
            file.write_table(rows)
        write_shape(folder, payload)

    class open(Reader):
        def __init__(self, folder):
            import pyarrow

            self.source = pyarrow.memory_map(str(folder / "maps.arrow"))
            found = pyarrow.ipc.open_file(self.source).read_all()
            self.ids, self.steps = arrays(found, read_shape(folder))

        def one(self, row):
            return self.ids[row].copy(), self.steps[row] * STEP

        def batch(self, rows):
            return self.ids[rows], self.steps[rows] * STEP

        def in_order(self, first, last):
            return self.ids[first:last].copy(), self.steps[first:last] * STEP

        def close(self):
            del self.ids, self.steps
            self.source.close()


# Small, so that one image is not read with a thousand others.
ROW_GROUP = 64


class Parquet(Container):
    """Parquet, zstd, row groups of 64"""

    needs = ("pyarrow.parquet", "pyarrow.compute")
    facts = "a schema with words of one's own; CRC-32 of pages as an option; a row group is read for one image"

    @staticmethod
    def write(folder, payload):
        import pyarrow.parquet

        pyarrow.parquet.write_table(table(payload), folder / "maps.parquet", compression="zstd", compression_level=9,
                                    row_group_size=ROW_GROUP, use_dictionary=False)
        write_shape(folder, payload)

    class open(Grouped):
        size = ROW_GROUP

        def __init__(self, folder):
            super().__init__()
            import pyarrow.parquet

            self.file, self.shape = pyarrow.parquet.ParquetFile(folder / "maps.parquet"), read_shape(folder)

        def group(self, number):
            found = self.file.read_row_group(number, ["ids", "steps"], use_threads=False)
            ids, steps = arrays(found, self.shape)
            return ids, steps * STEP

        def close(self):
            self.file.close()
