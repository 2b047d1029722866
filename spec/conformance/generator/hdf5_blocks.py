"""Where the blocks of an HDF5 file's structure lie, so that tests can change them.

Written from the HDF5 file format specification, apart from the verifier. It follows sound shards
only, and knows what they hold: object headers of version 2 and extensible arrays.
"""

import struct
from dataclasses import dataclass

from shard_writer import lookup3

NOWHERE = 2**64 - 1
EMPTY, DATASPACE, LINK, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION = 0x00, 0x01, 0x06, 0x08, 0x0B, 0x0C, 0x10
PAGE = 1024


@dataclass(frozen=True)
class Message:
    """One message of an object header; `start` is where its type stands, its fields come 4 bytes later."""

    type: int
    start: int
    size: int

    @property
    def fields(self):
        return self.start + 4


@dataclass(frozen=True)
class Block:
    """A block with a checksum: `end` is where that stands."""

    kind: str
    start: int
    end: int
    messages: tuple = ()


def number(content, at, size):
    return int.from_bytes(content[at : at + size], "little")


def blocks(content):
    """All blocks of a shard but its superblock, in the order in which they are found."""
    root = object_blocks(content, number(content, 36, 8))
    found = list(root)
    for address in links(content, root).values():
        found += dataset_blocks(content, address)
    return found


def named_blocks(content, name):
    """The blocks of one HDF5 dataset, those of its chunk index included."""
    root = object_blocks(content, number(content, 36, 8))
    return dataset_blocks(content, links(content, root)[name])


def links(content, found):
    """Names and addresses of hard links with short names."""
    named = {}
    for message in messages_of(found, LINK):
        length = content[message.fields + 2]
        name = content[message.fields + 3 : message.fields + 3 + length].decode()
        named[name] = number(content, message.fields + 3 + length, 8)
    return named


def messages_of(found, kind):
    return [message for block in found for message in block.messages if message.type == kind]


def object_blocks(content, address):
    """An object header and its continuations."""
    flags = content[address + 5]
    start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    first = start + width
    end = first + number(content, start, width)
    found = [Block("OHDR", address, end, messages(content, first, end))]
    for block in found:
        for message in block.messages:
            if message.type == CONTINUATION:
                start, length = struct.unpack_from("<QQ", content, message.fields)
                end = start + length - 4
                found.append(Block("OCHK", start, end, messages(content, start + 4, end)))
    return found


def messages(content, at, end):
    found = []
    while at + 4 <= end:
        found.append(Message(content[at], at, number(content, at + 1, 2)))
        at += 4 + found[-1].size
    return tuple(found)


def dataset_blocks(content, address):
    found = object_blocks(content, address)
    for layout in messages_of(found, LAYOUT):
        index = number(content, layout.fields + layout.size - 8, 8)
        if index != NOWHERE:
            found += index_blocks(content, index)
    return found


def group(place):
    """Number and length of the data blocks in one group of an extensible array."""
    return 1 << place // 2, 16 << (place + 1) // 2


def index_blocks(content, header):
    """The blocks of an extensible array; pages of large data blocks are blocks, too."""
    size = content[header + 6]
    yield Block("EAHD", header, header + 68)
    start = number(content, header + 60, 8)
    if start == NOWHERE:
        return
    addresses = start + 14 + 4 * size
    yield Block("EAIB", start, addresses + 8 * 31)
    for place in range(4):
        count, length = group(place)
        yield from data_blocks(content, addresses, count, length, size, b"")
        addresses += 8 * count
    for place in range(4, 29):
        start = number(content, addresses, 8)
        addresses += 8
        if start != NOWHERE:
            count, length = group(place)
            bits = count * ((length // PAGE + 7) // 8) if length > PAGE else 0
            listed = start + 18 + bits
            yield Block("EASB", start, listed + 8 * count)
            yield from data_blocks(content, listed, count, length, size, content[start + 18 : listed])


def data_blocks(content, addresses, count, length, size, written):
    for place in range(count):
        start = number(content, addresses + 8 * place, 8)
        if start == NOWHERE:
            continue
        if length <= PAGE:
            yield Block("EADB", start, start + 18 + length * size)
            continue
        yield Block("EADB", start, start + 18)
        for page in range(length // PAGE):
            bit = place * (length // PAGE) + page
            if written[bit // 8] & 0x80 >> bit % 8:
                first = start + 22 + page * (PAGE * size + 4)
                yield Block("page", first, first + PAGE * size)


def changed(content, block, *changes):
    """The file with bytes of one block replaced, (place, bytes) each, and its checksum right again."""
    content = bytearray(content)
    for at, data in changes:
        assert block.start <= at and at + len(data) <= block.end, "outside the block"
        content[at : at + len(data)] = data
    content[block.end : block.end + 4] = lookup3(bytes(content[block.start : block.end])).to_bytes(4, "little")
    return bytes(content)


def longer(content, tail):
    """The file with bytes behind it, its superblock agreeing."""
    content = bytearray(content + tail)
    content[28:36] = struct.pack("<Q", len(content))
    content[44:48] = lookup3(bytes(content[:44])).to_bytes(4, "little")
    return bytes(content)
