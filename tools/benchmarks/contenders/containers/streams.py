"""WebDataset: tars that are read from start to end, in shuffled order within a buffer."""

import zlib

import numpy as np

from .base import Container, Reader, of_bytes, read_shape, write_shape

SHARDS = 8
BUFFER = 1000


class WebDataset(Container):
    """WebDataset, tars of zlib members"""

    needs = ("webdataset",)
    stream = True
    facts = f"keys and bytes; a stream, shuffled within a buffer of {BUFFER}, without random access; zlib has a checksum"

    @staticmethod
    def write(folder, payload):
        import webdataset

        size = -(-len(payload) // SHARDS)
        for shard in range(SHARDS):
            with webdataset.TarWriter(str(folder / f"maps-{shard}.tar"), encoder=False) as writer:
                for number in range(shard * size, min((shard + 1) * size, len(payload))):
                    data = zlib.compress(payload.ids[number].tobytes() + payload.steps[number].tobytes(), 6)
                    writer.write({"__key__": f"{number:08}", "labels.zz": data})
        write_shape(folder, payload)

    @staticmethod
    def batches(folder, size, buffer=BUFFER):
        """Batches of a stream as a dataset of PyTorch, whose workers share the tars out."""
        import webdataset

        shape = read_shape(folder)
        tars = sorted(map(str, folder.glob("*.tar")))
        data = webdataset.WebDataset(tars, shardshuffle=SHARDS if buffer else False, seed=0)
        data = data.shuffle(buffer) if buffer else data
        return data.map(lambda sample: of_bytes(zlib.decompress(sample["labels.zz"]), shape)).batched(
            size, collation_fn=lambda maps: tuple(map(np.stack, zip(*maps)))
        )

    class open(Reader):
        def __init__(self, folder):
            self.folder, self.streams = folder, {}

        def next(self, size, buffer):
            """The next batch of a stream, which begins again at its end."""
            if (size, buffer) not in self.streams:
                self.streams[size, buffer] = iter(WebDataset.batches(self.folder, size, buffer).repeat())
            return next(self.streams[size, buffer])

        def batch(self, rows):
            return self.next(len(rows), BUFFER)

        def in_order(self, first, last):
            return self.next(last - first, 0)

        def close(self):
            self.streams.clear()
