"""A single flipped bit in a published shard is found, or changes nothing that a reader sees."""

import collections
import json
import os
import shutil

import h5py
import numpy as np
import oracle
import pytest
from conftest import error_rules, pack, tool
from contents import stored_chunks
from damage import check_changes, flip, random_bits, report, structure_bits

# tools/check-damage runs the same with more.
FLIPS = int(os.environ.get("RELABEL_FLIPS", "200"))
CUTS = int(os.environ.get("RELABEL_CUTS", "60"))


@pytest.fixture(scope="module")
def float_shard(tmp_path_factory):
    """A small shard of another kind: float32, class order, a key width that pads."""
    folder = tmp_path_factory.mktemp("float")
    keys = [f"k{'x' * (i % 9)}{i}" for i in range(21)]
    oracle.make_tree(folder / "maps", keys, np.random.default_rng(1))
    options = ["--score-encoding", "float32", "--cell-order", "class", "--images-per-chunk", 2]
    assert pack(folder / "maps", "-o", folder / "d", *options).returncode == 0
    return folder / "d/labels-00000.h5"


def test_random_flips(sample_shard, tmp_path):
    bits = random_bits(sample_shard.stat().st_size, FLIPS, seed=1)
    outcome = check_changes(sample_shard, tmp_path, map(flip, bits))
    print(report("flips anywhere", len(bits), *outcome))
    assert outcome[2] == [], [(bits[number], why) for number, why in outcome[2]]
    assert sum(outcome[0].values()) > 0


def test_flips_in_the_structure(sample_shard, tmp_path):
    bits = structure_bits(sample_shard, FLIPS, seed=2)
    outcome = check_changes(sample_shard, tmp_path, map(flip, bits))
    print(report("flips in the structure", len(bits), *outcome))
    assert outcome[2] == [], [(bits[number], why) for number, why in outcome[2]]


def test_flips_of_another_encoding(float_shard, tmp_path):
    bits = random_bits(float_shard.stat().st_size, FLIPS // 2, seed=3)
    bits += structure_bits(float_shard, FLIPS // 2, seed=4)
    outcome = check_changes(float_shard, tmp_path, map(flip, bits))
    print(report("flips in a float32 shard", len(bits), *outcome))
    assert outcome[2] == [], [(bits[number], why) for number, why in outcome[2]]


def test_truncations(sample_shard, tmp_path):
    """Every shorter file is refused, whatever its length."""
    size = sample_shard.stat().st_size
    lengths = sorted({0, 1, 7, 8, 47, 48, size - 512, size - 8, size - 1, *range(0, size, max(1, size // CUTS))})
    cuts = [lambda content, length=length: content[:length] for length in lengths]
    counts, harmless, silent = check_changes(sample_shard, tmp_path, cuts)
    print(report("truncations", len(lengths), counts, harmless, silent))
    assert harmless == 0 and silent == []


def test_longer_files(sample_shard, tmp_path):
    """Bytes behind the end are refused too."""
    tails = [b"\0", b"x", bytes(512), bytes(1 << 20)]
    additions = [lambda content, tail=tail: content + tail for tail in tails]
    counts, harmless, silent = check_changes(sample_shard, tmp_path, additions)
    assert harmless == 0 and silent == [] and counts == {"S004": 4}


def test_flips_of_the_index(sample_dataset, tmp_path):
    """Every single bit of index.json counts: the dataset is refused by verifier and reader."""
    folder = tmp_path / "dataset"
    shutil.copytree(sample_dataset, folder)
    path = folder / "index.json"
    content = path.read_bytes()
    counts = collections.Counter()
    for bit in random_bits(len(content), FLIPS // 2, seed=6):
        path.write_bytes(flip(bit)(content))
        result = tool("relabel-verify", "--format", "json", "--level", "quick", folder)
        assert result.returncode in (1, 4, 5, 6), (bit, result.returncode, result.stdout)
        counts.update(error_rules(json.loads(result.stdout)))
        if bit % 5 == 0:
            assert tool("relabel", "info", folder).returncode not in (0, 70), bit
    print(report("flips of index.json", FLIPS // 2, counts, 0, []))
    lengths = {0, 1, len(content) - 2, len(content) - 1, *range(0, len(content), max(1, len(content) // CUTS))}
    for length in lengths:
        path.write_bytes(content[:length])
        assert tool("relabel-verify", folder).returncode in (1, 4, 5, 6), length
    path.write_bytes(content)
    assert tool("relabel-verify", folder).returncode == 0


def test_flips_are_found_through_the_index(sample_dataset, tmp_path):
    """Within a dataset the digest of the shard finds every flip, harmless ones too."""
    folder = tmp_path / "dataset"
    shutil.copytree(sample_dataset, folder)
    path = folder / "labels-00000.h5"
    content = path.read_bytes()
    for bit in random_bits(len(content), 20, seed=7):
        path.write_bytes(flip(bit)(content))
        result = tool("relabel-verify", "--format", "json", folder)
        assert result.returncode != 0
        assert "M005" in error_rules(json.loads(result.stdout))


# -------------------------------------------------------------- what the checksums in a file can't see


@pytest.fixture(scope="module")
def bare_dataset(tmp_path_factory):
    """A dataset of the uncompressed profile, whose chunks all have the same size."""
    folder = tmp_path_factory.mktemp("bare")
    oracle.make_tree(folder / "maps", [f"k{i}" for i in range(24)], np.random.default_rng(2))
    assert pack(folder / "maps", "-o", folder / "d", "--compression", "none").returncode == 0
    return folder / "d"


def chunk_places(path, name):
    with h5py.File(path) as file:
        return stored_chunks(file[name])


def exchange(content, places):
    """Two chunks change places, checksums included."""
    (a, size), (b, _) = places[0], places[1]
    content[a : a + size], content[b : b + size] = content[b : b + size], content[a : a + size]


def zero(content, places):
    """A chunk becomes zeros, and the checksum of zeros is 0."""
    at, size = places[0]
    content[at : at + size] = bytes(size)


def swap_words(content, places):
    """A word 0000 becomes FFFF: the sums are the same modulo 65,535."""
    at, size = places[0]
    for word in range(at, at + size - 4, 2):
        if content[word : word + 2] in (b"\0\0", b"\xff\xff"):
            content[word] ^= 0xFF
            content[word + 1] ^= 0xFF
            return


@pytest.mark.parametrize("damage, name", [
    (exchange, "class_index"), (exchange, "score"),
    (zero, "class_index"), (zero, "score"), (zero, "image_index"), (zero, "image_key"),
    (swap_words, "image_index"), (swap_words, "image_key"),
])
def test_what_checksums_miss_is_found_through_the_index(damage, name, bare_dataset, tmp_path):
    folder = tmp_path / "dataset"
    shutil.copytree(bare_dataset, folder)
    path = folder / "labels-00000.h5"
    places = chunk_places(path, name)
    content = bytearray(path.read_bytes())
    damage(content, places)
    assert content != path.read_bytes()
    path.write_bytes(content)
    result = tool("relabel-verify", "--format", "json", folder)
    assert result.returncode == 5 and "M005" in error_rules(json.loads(result.stdout))
