#!/usr/bin/env python3
"""Makes epoch-order.json, the vectors of section 14 of the specification, with Python's whole numbers alone.

    ./generate_epoch_order.py > epoch-order.json
"""

import json

MODULUS = 2**64
GAMMA = 0x9E3779B97F4A7C15

ABOUT = {
    "seed, epoch, base, keys": "whole numbers below 2^64, written as 16 hexadecimal digits",
    "orders": "for each seed and epoch: base (14.1), the keys of 0 ... 4, and the order `uniform` of so many "
    "images (14.2)",
    "chunks": "the order `chunk` (14.2) of shards of so many rows, each cut into chunks of images_per_chunk; "
    "boundaries: chunk j holds the positions boundaries[j] ... boundaries[j+1] - 1",
    "ranks": "places [first, last + 1] of each rank of an order of count images (14.3); with tail `pad` a "
    "place q of count or more stands for q mod count, as `padded` writes out where there is one",
    "workers": "the batches that each of `workers` workers makes for a rank with `length` images that has "
    "seen `start` of them, as places [first, last + 1] (14.4, 14.5)",
    "resumed": "for each rank, the positions that are left of its part of the order `uniform` after `start` "
    "images (14.5)",
}

SEEDS = [0, 1, 42, MODULUS - 1]
EPOCHS = [0, 1, 7, MODULUS - 1]
COUNTS = [1, 10]
LONG = [(0, 0), (42, 7)]
LAYOUTS = [([10, 7, 1], 4), ([3], 4), ([8, 8], 4), ([5, 1, 6], 1), ([100, 57], 16)]
RANKS = [1, 2, 3, 5]
TAILS = ["drop", "pad", "uneven"]


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % MODULUS
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % MODULUS
    return z ^ (z >> 31)


def base(seed, epoch):
    return mix(mix((seed + GAMMA) % MODULUS) ^ epoch)


def key(seed, epoch, i):
    return mix((base(seed, epoch) + (i + 1) * GAMMA) % MODULUS)


def by_key(seed, epoch, count):
    """0 ... count - 1 by ascending key."""
    return sorted(range(count), key=lambda i: key(seed, epoch, i))


def digits(number):
    return f"{number:016x}"


def epoch_of(seed, epoch):
    return {"seed": digits(seed), "epoch": digits(epoch)}


def order(seed, epoch):
    counts = COUNTS + [257] * ((seed, epoch) in LONG)
    return epoch_of(seed, epoch) | {
        "base": digits(base(seed, epoch)),
        "keys": [digits(key(seed, epoch, i)) for i in range(5)],
        "uniform": {str(count): by_key(seed, epoch, count) for count in counts},
    }


def boundaries(shards, images_per_chunk):
    """Where chunks begin, counted through the shards, and the number of images at the end."""
    first, found = 0, []
    for rows in shards:
        found += range(first, first + rows, images_per_chunk)
        first += rows
    return [*found, first]


def chunk_order(seed, epoch, shards, images_per_chunk):
    bounds = boundaries(shards, images_per_chunk)
    chunks = by_key(seed, epoch, len(bounds) - 1)
    return epoch_of(seed, epoch) | {
        "shards": shards,
        "images_per_chunk": images_per_chunk,
        "boundaries": bounds,
        "chunk_numbers": chunks,
        "order": [position for j in chunks for position in range(bounds[j], bounds[j + 1])],
    }


def rank_range(count, rank, ranks, tail):
    if tail == "uneven":
        return rank * count // ranks, (rank + 1) * count // ranks
    length = count // ranks if tail == "drop" else (count + ranks - 1) // ranks
    return rank * length, (rank + 1) * length


def shares(count, ranks, tail):
    ranges = [rank_range(count, rank, ranks, tail) for rank in range(ranks)]
    found = {"count": count, "ranks": ranks, "tail": tail, "places": ranges}
    if count < ranges[-1][1]:
        found["padded"] = [[place % count for place in range(*places)] for places in ranges]
    return found


def batches(length, batch_size, workers, start):
    """Batch b belongs to worker b mod workers; batches are counted from the place `start`."""
    made = [[] for _ in range(workers)]
    for number, first in enumerate(range(start, length, batch_size)):
        made[number % workers].append([first, min(first + batch_size, length)])
    return {"length": length, "batch_size": batch_size, "workers": workers, "start": start, "batches": made}


def resumed(seed, epoch, count, ranks, tail, start):
    order = by_key(seed, epoch, count)
    left = []
    for rank in range(ranks):
        first, last = rank_range(count, rank, ranks, tail)
        left.append([order[place % count] for place in range(first + start, last)])
    return epoch_of(seed, epoch) | {
        "count": count, "ranks": ranks, "tail": tail, "start": start, "positions": left,
    }


def document():
    return {
        "about": ABOUT,
        "orders": [order(seed, epoch) for seed in SEEDS for epoch in EPOCHS],
        "chunks": [chunk_order(seed, epoch, *layout) for seed, epoch in LONG for layout in LAYOUTS],
        "ranks": [shares(n, r, tail) for n in [0, 1, 3, 10, 257] for r in RANKS for tail in TAILS],
        "workers": [
            batches(length, size, workers, start)
            for length, size in [(0, 4), (1, 4), (10, 4), (23, 5), (24, 4)]
            for workers in [1, 2, 3]
            for start in [0, 7]
            if start <= length
        ],
        "resumed": [
            resumed(42, 7, count, ranks, tail, start)
            for count, ranks, start in [(10, 1, 4), (10, 3, 2), (11, 2, 5)]
            for tail in TAILS
        ],
    }


def lines(value, depth=0):
    """JSON with one line for each case: short enough to read, and to compare."""
    if depth == 2 or not isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {lines(part, depth + 1)}" for name, part in value.items()]
    else:
        parts = [lines(part, depth + 1) for part in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    indent = "\n" + " " * depth
    return begin + ",".join(f"{indent} {part}" for part in parts) + indent + end


if __name__ == "__main__":
    print(lines(document()))
