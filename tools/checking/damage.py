"""Flips bits of shards and cuts them short, and counts which rule finds each change."""

import collections
import concurrent.futures
import json
import random

import h5py
from contents import content_digest, stored_chunks
from running import error_rules, tool


def random_bits(size, count, seed):
    """Positions of bits, anywhere in so many bytes."""
    return random.Random(seed).sample(range(size * 8), min(count, size * 8))


def structure_bits(path, count, seed):
    """Positions of bits outside the stored chunks: where the structure of the file is."""
    with h5py.File(path, "r") as file:
        chunks = [info for d in file.values() for info in stored_chunks(d)]
    data = {byte for start, size in chunks for byte in range(start, start + size)}
    places = [byte for byte in range(path.stat().st_size) if byte not in data]
    chance = random.Random(seed)
    return [8 * chance.choice(places) + chance.randrange(8) for _ in range(count)]


def check_alone(path):
    """Exit code and broken rules of relabel-verify on one file."""
    result = tool("relabel-verify", "--format", "json", "--jobs", 1, path)
    assert result.returncode in (0, 1, 4, 5, 6), (path, result.returncode, result.stderr)
    assert result.stderr == "" and result.stdout, (path, result.stderr)
    report = json.loads(result.stdout)
    assert report["exit_code"] == result.returncode
    rules = error_rules(report)
    assert (result.returncode == 0) == (rules == [])
    return result.returncode, rules


def check_changes(shard, scratch, changes):
    """Checks changed copies of a shard two at a time.

    Returns how often each rule was broken, how many copies passed the verifier with the same
    content, and those that passed with another.
    """
    original = shard.read_bytes()
    intact = content_digest(shard)
    assert len(intact) == 64

    def check(item):
        number, change = item
        path = scratch / f"changed{number}.h5"
        path.write_bytes(change(original))
        code, rules = check_alone(path)
        digest = content_digest(path) if code == 0 else None
        path.unlink()
        return number, rules, digest

    counts, harmless, silent = collections.Counter(), 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, rules, digest in pool.map(check, enumerate(changes)):
            counts.update(rules)
            harmless += digest == intact
            if digest is not None and digest != intact:
                silent.append((number, digest))
    return counts, harmless, silent


def flip(bit):
    """A function that changes one bit."""

    def change(content):
        content = bytearray(content)
        content[bit // 8] ^= 1 << bit % 8
        return bytes(content)

    return change


def report(what, count, counts, harmless, silent):
    """One line for a person."""
    found = ", ".join(f"{rule} {n}" for rule, n in sorted(counts.items()))
    return f"{count} {what}: {found}; harmless {harmless}; silent {len(silent)}"
