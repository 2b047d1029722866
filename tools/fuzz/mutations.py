"""Ways to damage a shard that still look right: what was changed gets its checksum again."""

import random
import struct
from dataclasses import dataclass, field

from hdf5_blocks import Block
from shard_writer import fletcher32, lookup3

SUPERBLOCK = Block("superblock", 0, 44)
END_OF_FILE = 28  # where the superblock says how long the file is


def size(block):
    """Bytes of a block and the checksum at its end."""
    return block.end + 4 - block.start


def seal(content, block):
    """Makes the checksum of a block right."""
    checksum = fletcher32 if block.kind == "chunk" else lookup3
    body = bytes(content[block.start : block.end])
    content[block.end : block.end + 4] = checksum(body).to_bytes(4, "little")


@dataclass
class Mutant:
    """A shard under change."""

    content: bytearray
    blocks: list  # of the structure, in the order of the file; the first is the superblock
    chunks: list
    donor: bytes  # another shard, for parts of it
    changed: set = field(default_factory=set)  # blocks whose checksum is to be made again
    steps: list = field(default_factory=list)

    @property
    def is_honest(self):
        """True when no checksum hides what was changed."""
        return all(step.startswith("flipped_bits") for step in self.steps)

    def seal(self):
        for block in sorted(self.changed, key=lambda block: block.start, reverse=True):
            if block.end + 4 <= len(self.content):
                seal(self.content, block)


def number(chance, mutant, width):
    """A number that a field might be tried with."""
    addresses = [block.start for block in mutant.blocks] + [len(mutant.content)]
    near = chance.choice(addresses) + chance.choice([-1, 0, 0, 0, 1, 8])
    choices = [0, 1, 2, 255, 1 << (8 * width - 1), -1, near, chance.getrandbits(8 * width)]
    return (chance.choice(choices) % (1 << 8 * width)).to_bytes(width, "little")


def change_field(chance, mutant, block, start=None, end=None):
    """Changes one field of a block, or what lies where one could be."""
    start, end = start or block.start, min(end or block.end, len(mutant.content))
    width = chance.choice([1, 1, 2, 4, 8])
    if end - start < width:
        return "nothing"
    at = chance.randrange(start, end - width + 1)
    old = mutant.content[at : at + width]
    if chance.random() < 0.4:
        step = chance.choice([-8, -2, -1, 1, 2, 8])
        new = ((int.from_bytes(old, "little") + step) % (1 << 8 * width)).to_bytes(width, "little")
    else:
        new = number(chance, mutant, width)
    mutant.content[at : at + width] = new
    mutant.changed.add(block)
    return f"{block.kind} at {at}: {old.hex()} to {new.hex()}"


def structure_field(chance, mutant):
    return change_field(chance, mutant, chance.choice(mutant.blocks))


def message_field(chance, mutant):
    """Changes a message of an object header."""
    block = chance.choice([block for block in mutant.blocks if block.messages])
    message = chance.choice(block.messages)
    return change_field(chance, mutant, block, message.start, message.fields + message.size)


def superblock_field(chance, mutant):
    return change_field(chance, mutant, mutant.blocks[0])


def chunk_bytes(chance, mutant):
    return change_field(chance, mutant, chance.choice(mutant.chunks)) if mutant.chunks else "nothing"


def flipped_bits(chance, mutant):
    """A few bits, wherever; no checksum is made right."""
    bits = [chance.randrange(8 * len(mutant.content)) for _ in range(chance.choice([1, 1, 2, 8]))]
    for bit in bits:
        mutant.content[bit // 8] ^= 1 << bit % 8
    return f"bits {bits}"


def declare_length(mutant):
    """Makes the superblock say the length that the file has."""
    mutant.content[END_OF_FILE : END_OF_FILE + 8] = struct.pack("<Q", len(mutant.content))
    mutant.changed.add(mutant.blocks[0])


def truncation(chance, mutant):
    """Cuts the file, mostly so that its superblock agrees."""
    length = chance.randrange(64, max(65, len(mutant.content)))
    del mutant.content[length:]
    if chance.random() < 0.8:
        declare_length(mutant)
    return f"cut to {length}"


def tail(chance, mutant):
    """Adds bytes behind the end."""
    count = chance.choice([1, 8, 512, 70_000])
    mutant.content += chance.choice([bytes(count), chance.randbytes(count), bytes(mutant.content[:count])])
    declare_length(mutant)
    return f"{count} bytes more"


def splice(chance, mutant):
    """Copies a stretch of this or another shard over another place."""
    source = chance.choice([bytes(mutant.content), mutant.donor])
    count = chance.choice([8, 20, 64, 400])
    start, to = chance.randrange(len(source)), chance.randrange(len(mutant.content))
    piece = source[start : start + count][: len(mutant.content) - to]
    mutant.content[to : to + len(piece)] = piece
    mutant.changed |= {block for block in mutant.blocks if block.start < to + len(piece) and to < block.end + 4}
    return f"{len(piece)} bytes from {start} to {to}"


def repeated_block(chance, mutant):
    """Copies a block over another one of the same kind."""
    kind = chance.choice(mutant.blocks[1:]).kind
    one, other = (chance.choice([block for block in mutant.blocks if block.kind == kind]) for _ in range(2))
    count = min(size(one), size(other))
    mutant.content[other.start : other.start + count] = mutant.content[one.start : one.start + count]
    if size(one) != size(other):
        mutant.changed.add(other)
    return f"{kind} at {one.start} also at {other.start}"


def moved_block(chance, mutant):
    """Puts a block at the end of the file; with luck everything that led to it leads there."""
    block = chance.choice(mutant.blocks[1:])
    content = mutant.content
    copy = Block(block.kind, len(content), len(content) + block.end - block.start)
    content += content[block.start : block.end + 4]
    declare_length(mutant)
    old, new = struct.pack("<Q", block.start), struct.pack("<Q", copy.start)
    at = content.find(old)
    while at >= 0:
        content[at : at + 8] = new
        mutant.changed |= {other for other in [*mutant.blocks, copy] if other.start <= at < other.end}
        at = content.find(old, at + 8) if chance.random() < 0.9 else -1
    mutant.blocks.append(copy)
    return f"{block.kind} from {block.start} moved to {copy.start}"


# The more often a name stands here, the more often it is chosen.
STEPS = [
    structure_field, structure_field, structure_field, message_field, message_field, message_field, superblock_field,
    chunk_bytes, chunk_bytes, flipped_bits, truncation, tail, splice, splice, repeated_block, moved_block,
]


def mutate(chance: random.Random, content, structure, chunks, donor):
    """A mutant of a shard after one to three steps, all checksums of changed blocks made right."""
    mutant = Mutant(bytearray(content), list(structure), list(chunks), donor)
    for _ in range(chance.choice([1, 1, 2, 3])):
        step = chance.choice(STEPS)
        mutant.steps.append(f"{step.__name__}: {step(chance, mutant)}")
    mutant.seal()
    return mutant
