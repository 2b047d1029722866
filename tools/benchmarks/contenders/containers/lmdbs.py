"""LMDB: one key for each map, its value as it is or compressed."""

import zlib

from .base import Container, Reader, of_bytes, read_shape, write_shape


def key(number):
    return f"{number:08}".encode()


class Lmdb(Container):
    """LMDB"""

    needs = ("lmdb",)
    facts = "keys and bytes, in transactions; no checksum, and nothing about what the bytes are"
    pack = unpack = staticmethod(lambda data: data)

    @classmethod
    def write(cls, folder, payload):
        import lmdb

        with lmdb.open(str(folder), map_size=1 << 34) as environment, environment.begin(write=True) as writer:
            for number, (ids, steps) in enumerate(zip(payload.ids, payload.steps)):
                writer.put(key(number), cls.pack(ids.tobytes() + steps.tobytes()), append=True)
        write_shape(folder, payload)

    @classmethod
    def open(cls, folder):
        return LmdbReader(folder, cls.unpack)


class LmdbCompressed(Lmdb):
    """LMDB, zlib values"""

    pack = staticmethod(lambda data: zlib.compress(data, 6))
    unpack = staticmethod(zlib.decompress)
    facts = "keys and bytes, in transactions; zlib has a checksum; nothing about what the bytes are"


class LmdbReader(Reader):
    def __init__(self, folder, unpack):
        import lmdb

        # As its documentation says for random reads of what nobody writes.
        self.environment = lmdb.open(str(folder), readonly=True, lock=False, readahead=False)
        self.reader = self.environment.begin(buffers=True)
        self.unpack, self.shape = unpack, read_shape(folder)

    def one(self, row):
        return of_bytes(self.unpack(self.reader.get(key(row))), self.shape)

    def close(self):
        self.reader.abort()
        self.environment.close()
