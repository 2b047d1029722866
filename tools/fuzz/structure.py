"""Where the checksummed blocks of a shard lie, found by their signatures and checksums."""

import re
import struct
from dataclasses import dataclass

from seeds import ROOT  # noqa: F401  (puts Tests/python on the path)
from shard_writer import fletcher32, lookup3

SUPERBLOCK_BYTES = 48
END_OF_FILE = 28  # where the superblock says how long the file is


@dataclass(frozen=True)
class Block:
    """A stretch of a file that ends with the checksum of what precedes it."""

    kind: str
    start: int
    size: int

    @property
    def end(self):
        return self.start + self.size

    def is_sealed(self, content):
        return content[self.end - 4 : self.end] == self.checksum(content)

    def seal(self, content):
        """Makes the checksum right again."""
        content[self.end - 4 : self.end] = self.checksum(content)

    def checksum(self, content):
        body = bytes(content[self.start : self.end - 4])
        return (fletcher32 if self.kind == "chunk" else lookup3)(body).to_bytes(4, "little")


def header_sizes(content, start):
    """The size that an object header declares."""
    flags = content[start + 5]
    prefix = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(content[start + prefix : start + prefix + width], "little")
    return [prefix + width + size + 4]


def continuation_sizes(content, start):
    """The sizes that stand behind the address of a continuation."""
    address = re.escape(struct.pack("<Q", start))
    return [int.from_bytes(content[m.end() : m.end() + 8], "little") for m in re.finditer(address, content)]


def element_counts(sizes):
    """What a block of a chunk index can hold, with elements of 8 bytes or up to 20 where chunks are filtered."""
    return [sizes(width) for width in range(8, 21)]


SIZES = {
    "OHDR": header_sizes,
    "OCHK": continuation_sizes,
    "EAHD": lambda *_: [72],
    "EAIB": lambda *_: element_counts(lambda width: 18 + 4 * width + 8 * (6 + 25)),
    "EASB": lambda *_: [22 + 8 * (1 << power) for power in range(1, 12)],
    "EADB": lambda *_: [
        22 + (16 << power) * width for power in range(7) for width in range(8, 21)
    ],
}


def blocks(content):
    """The superblock and every block whose checksum is right."""
    found = [Block("superblock", 0, SUPERBLOCK_BYTES)]
    for match in re.finditer(b"|".join(map(str.encode, SIZES)), content):
        kind, start = match.group().decode(), match.start()
        candidates = [Block(kind, start, size) for size in SIZES[kind](content, start)]
        fitting = [block for block in candidates if 8 < block.size <= len(content) - start]
        found += [block for block in fitting if block.is_sealed(content)][:1]
    return found
