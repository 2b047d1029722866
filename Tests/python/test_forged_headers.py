"""Object headers and chunk indexes with changed bytes and right checksums must not reach the HDF5 library."""

import json
import os
import random
import subprocess
import sys

import hdf5_blocks
import pytest
from conftest import error_rules, tool, verify
from shard_writer import write_shard

FORGERIES = int(os.environ.get("RELABEL_FORGERIES", "400"))  # of each shard
BATCH = 25
# Each file alone: the library works in the verifier's own process, where a crash shows up.
VERIFY = ["relabel-verify", "--no-isolation", "--format", "json"]

SHARDS = {
    "small": {},
    "uncompressed": {"compression": "none", "encoding": "float32"},
    "many_chunks": {
        "rows": 300, "height": 1, "width": 1, "k": 2, "images_per_chunk": 1, "rows_per_identity_chunk": 64},
    "all_optional": {
        "optional": ("image_size", "image_sha256", "source_label", "map_extent", "log_normalizer")},
}


def new_bytes(chance, content, block, found):
    """Where and what to write into a block: a bit, a byte, some bytes, or a number that means something."""
    at = chance.randrange(block.start + 4, block.end)
    kind = chance.randrange(4)
    if kind == 0:
        data = bytes([content[at] ^ 1 << chance.randrange(8)])
    elif kind == 1:
        likely = [0, 1, 2, 3, 4, 127, 128, 254, 255, content[at] + 1, content[at] - 1, chance.randrange(256)]
        data = bytes([chance.choice(likely) & 255])
    elif kind == 2:
        data = bytes([chance.choice([0, 255, chance.randrange(256)])]) * chance.choice([2, 4, 8])
    else:
        other = chance.choice(found)
        likely = [0, 1, 48, 2**31, 2**63 - 1, len(content), other.start, other.end - other.start]
        size = chance.choice([2, 4, 8])
        data = (chance.choice(likely) % 256**size).to_bytes(size, "little")
    return at, data[: block.end - at]


def forgery(chance, content, found):
    """The file with one block changed in one to three places; headers more often than indexes."""
    headers = [block for block in found if block.kind in ("OHDR", "OCHK")]
    block = chance.choice(headers if chance.random() < 0.75 else found)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        content = hdf5_blocks.changed(content, block, new_bytes(chance, content, block, found))
    return content


def verified(paths):
    """The exit code for some files together."""
    return tool(*VERIFY, *paths, timeout=60).returncode


# Rows and elements, not attributes: those that a forger writes may be as good as the others.
READ = """
import hashlib, json, sys
import h5py
for path in sys.argv[1:]:
    with h5py.File(path, "r") as file:
        read = {name: f"{data.dtype} {data.shape} " + hashlib.sha256(data[...].tobytes()).hexdigest()
                for name, data in file.items()}
    print(json.dumps(read))
"""


def contents(paths):
    """What h5py reads of each file: a digest of every HDF5 dataset."""
    result = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module", params=[*SHARDS, "packed"])
def sound_shard(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    if request.param != "packed":
        return write_shard(folder / "a.h5", **SHARDS[request.param])
    return request.getfixturevalue("sample_shard")


def test_forgeries_do_no_harm(sound_shard, tmp_path):
    """Each is refused with an exit code of the manual, or leaves all rows as they were."""
    content = sound_shard.read_bytes()
    found = hdf5_blocks.blocks(content)
    chance = random.Random(1)
    harmless, crashes = [], {}
    for batch in range(0, FORGERIES, BATCH):
        paths = [tmp_path / f"{batch + place}.h5" for place in range(BATCH)]
        for path in paths:
            path.write_bytes(forgery(chance, content, found))
        report = tool(*VERIFY, *paths, timeout=60)
        if report.returncode not in (0, 1, 4, 5, 6):
            crashes |= {path.name: code for path in paths if (code := verified([path])) not in (0, 1, 4, 5, 6)}
            continue
        findings = json.loads(report.stdout)["findings"]
        refused = {finding["file"] for finding in findings if finding["severity"] == "error"}
        for path in paths:
            if str(path) in refused:
                path.unlink()
            else:
                harmless.append(path)
    assert not crashes
    intact = contents([sound_shard])[0]
    # A forger can leave an optional dataset out, and what remains is a sound shard.
    silent = [path.name for path, read in zip(harmless, contents(harmless)) if not read.items() <= intact.items()]
    print(f"{FORGERIES} forgeries: {len(harmless)} harmless")
    assert not silent


def test_every_byte_of_a_header(tmp_path):
    """Every fifth byte of all object headers inverted, one at a time."""
    content = write_shard(tmp_path / "sound.h5").read_bytes()
    paths = []
    for block in hdf5_blocks.blocks(content):
        for at in range(block.start + 4, block.end, 5):
            paths.append(tmp_path / f"{at}.h5")
            paths[-1].write_bytes(hdf5_blocks.changed(content, block, (at, bytes([content[at] ^ 255]))))
    for start in range(0, len(paths), 100):
        assert verified(paths[start : start + 100]) in (1, 4, 5, 6)


@pytest.mark.parametrize("name", [b"largest_err\xff\xfe", b"largest\x80error", b"largest_errer"])
def test_no_attribute_escapes_by_its_name(sample_shard, tmp_path, name):
    """A name that is not UTF-8 is none of the format's, like any other that nobody knows."""
    content = sample_shard.read_bytes()
    block = next(each for each in hdf5_blocks.blocks(content) if b"largest_error" in content[each.start : each.end])
    at = content.index(b"largest_error", block.start)
    path = tmp_path / "forged.h5"
    path.write_bytes(hdf5_blocks.changed(content, block, (at, name)))
    code, report = verify(path)
    assert (code, error_rules(report)) == (1, ["L004"])
