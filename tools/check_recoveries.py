"""Saves what is left of randomly damaged datasets and compares it with the originals; see tools/check-recoveries."""

import json
import pathlib
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "spec" / "conformance" / "generator")]

import h5py
import oracle
from running import tool, verify
from shard_writer import Shard, write_dataset

SHARDS, ROWS = 3, 24
PROFILES = {
    "deflate": {}, "small chunks": {"images_per_chunk": 1}, "uncompressed": {"compression": "none"},
    "optional": {"optional": ("image_sha256", "source_label", "map_extent")},
    "uncompressed float32": {"compression": "none", "encoding": "float32"},
}  # fmt: skip


def build(folder, profile, seed):
    """A dataset of one build; another seed gives other labels under the same keys and build id."""
    common = {"rows": ROWS, "height": 5, "width": 5, "k": 4, "rows_per_identity_chunk": 8, **PROFILES[profile]}
    shards = [Shard(first_index=ROWS * n, seed=seed + n, **common) for n in range(SHARDS)]
    return write_dataset(folder, *(replace(shard, largest_error=None) for shard in shards))


def rows_of(path):
    """The rows of a shard by key, every HDF5 dataset as bytes."""
    with h5py.File(path) as file:
        columns = {name: file[name][:] for name in file}
    return {
        bytes(columns["image_key"][row]).rstrip(b"\0"): {name: values[row].tobytes() for name, values in columns.items()}
        for row in range(len(columns["image_key"]))
    }


# ---------------------------------------------------------------------------------- what happens to files


def page(chance, content):
    size = chance.choice([64, 512, 4096])
    start = chance.randrange(0, max(1, len(content) - size), 64 if size == 64 else 512)
    return start, size


def damage_pages(chance, folder, other):
    """Pages are zeroed, filled, exchanged, or come from elsewhere: another place, shard or build."""
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(sorted(folder.glob("*.h5")))
        content = bytearray(path.read_bytes())
        start, size = page(chance, content)
        kind = chance.choice(["zero", "ones", "flip", "moved", "other_shard", "other_build"])
        if kind == "zero":
            content[start : start + size] = bytes(size)
        elif kind == "ones":
            content[start : start + size] = b"\xff" * size
        elif kind == "flip":
            content[start] ^= 1 << chance.randrange(8)
        elif kind == "moved":
            source, _ = page(chance, content)
            content[start : start + size] = content[source : source + size]
        else:
            from_folder = folder if kind == "other_shard" else other
            source = chance.choice(sorted(from_folder.glob("*.h5"))).read_bytes()
            content[start : start + size] = source[start : start + size]
        path.write_bytes(content)


def exchange_chunks(chance, folder, other):
    """Whole chunks, checksums and all, from the same place of another shard or build: a misdirected write."""
    path = chance.choice(sorted(folder.glob("*.h5")))
    whole = other.parent / "one" / path.name  # says where chunks lie also when the file is damaged already
    if not whole.exists() or whole.stat().st_size != path.stat().st_size:
        return
    source = chance.choice([other, other.parent / "one"]) / chance.choice(["labels-00000.h5", "labels-00002.h5"])
    with h5py.File(whole) as file, h5py.File(source) as given:
        name = chance.choice(["score", "class_index", "image_key", "image_index"])
        info = file[name].id.get_chunk_info(chance.randrange(file[name].id.get_num_chunks()))
        place = given[name].id.get_chunk_info(chance.randrange(given[name].id.get_num_chunks()))
    if info.size == place.size:
        content = bytearray(path.read_bytes())
        moved = source.read_bytes()[place.byte_offset : place.byte_offset + place.size]
        content[info.byte_offset : info.byte_offset + info.size] = moved
        path.write_bytes(content)


def cut(chance, folder, other):
    path = chance.choice(sorted(folder.glob("*.h5")))
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def lose_shard(chance, folder, other):
    chance.choice(sorted(folder.glob("*.h5"))).unlink()


def double_shard(chance, folder, other):
    """The same shard, or that of the other build, lies there once more."""
    path = chance.choice(sorted(folder.glob("*.h5")))
    source = chance.choice([path, other / path.name])
    if source.exists():
        shutil.copy(source, folder / chance.choice(["labels-00007.h5", "labels-90000.h5"]))


def replace_shard(chance, folder, other):
    """The other build's version takes the place of a shard: same name, keys and build id."""
    path = chance.choice(sorted(folder.glob("*.h5")))
    if (other / path.name).exists():
        shutil.copy(other / path.name, path)


def rename_shard(chance, folder, other):
    path = chance.choice(sorted(folder.glob("*.h5")))
    path.rename(folder / chance.choice(["copy.h5", "labels-00009.h5", "maps-00000.h5"]))


HAPPENINGS = [damage_pages] * 4 + [exchange_chunks] * 3 + [cut, lose_shard, double_shard, replace_shard, rename_shard]


def damage_index(chance, folder):
    index = folder / "index.json"
    kind = chance.choice(["sound", "sound", "gone", "bad"])
    if kind == "gone":
        index.unlink()
    elif kind == "bad":
        content = bytearray(index.read_bytes())
        content[chance.randrange(len(content))] ^= 1
        index.write_bytes(content)
    return kind


# --------------------------------------------------------------------------------------- what is compared


def one(item):
    """The faults of one recovery, as lines, and what is worth counting."""
    number, seed, scratch = item
    chance = random.Random(f"{seed}/{number}")
    profile = chance.choice(sorted(PROFILES))
    folder, output = scratch / f"{number}", scratch / f"{number}-out"
    shutil.copytree(scratch / profile / "one", folder)
    original = {}
    for path in sorted(folder.glob("*.h5")):
        original |= rows_of(path)
    what = []
    for _ in range(chance.randint(1, 2)):
        happening = chance.choice(HAPPENINGS)
        if any(folder.glob("*.h5")):
            happening(chance, folder, scratch / profile / "two")
            what.append(happening.__name__)
    index = damage_index(chance, folder)
    # New shards keep their names where all of the old ones have such.
    keeps_names = index == "sound" or all(re.fullmatch(r"labels-\d{5}[.]h5", p.name) for p in folder.glob("*.h5"))
    label = f"{number} ({profile}; {', '.join(what)}; index {index})"
    done = tool("relabel", "recover", folder, "--output", output, "--format", "json", "--jobs", 1)
    counts, faults = Counter({"runs": 1, profile: 1}), []
    if done.returncode not in (0, 3, 5, 66) or (done.returncode != 66 and not done.stdout):
        faults.append(f"{label}: exit code {done.returncode}: {done.stderr.strip()}")
    if (output / "index.json").exists():
        faults += compared(label, json.loads(done.stdout), output, original, (index, keeps_names), counts)
    counts["with doubts"] += bool(done.stdout and json.loads(done.stdout)["doubts"])
    for path in (folder, output):
        shutil.rmtree(path, ignore_errors=True)
    return faults, counts


def compared(label, report, output, original, index, counts):
    faults, (index, keeps_names) = [], index
    code, verdict = verify(output, "--jobs", 1)
    if code != 0:
        faults.append(f"{label}: the new dataset is not sound: {verdict['findings'][:2]}")
    document = oracle.read_index(output)
    noted = document["options"]["recovered_from"].get("doubts", [])
    if noted != report["doubts"]:
        faults.append(f"{label}: the doubts of the index are not those of the report")
    kept = set()
    for shard in document["shards"]:
        # Where a shard has another name now, any shard that a doubt names may be the one.
        name = shard["path"] if keeps_names else ".h5"
        is_doubted = any(name in doubt or "hold the same images" in doubt for doubt in report["doubts"])
        for key, row in rows_of(output / shard["path"]).items():
            kept.add(key)
            counts["rows"] += 1
            expected = original.get(key, {})
            unknown = {u["dataset"] for u in report["unknown_values"]}
            if all(row[column] == expected.get(column) or column in unknown for column in row):
                continue
            counts["wrong rows, doubted"] += is_doubted
            if not is_doubted:
                counts["wrong rows without a doubt"] += 1
                faults.append(f"{label}: '{key.decode()}' of {shard['path']} is wrong; doubts: {report['doubts']}")
    lost = report["lost_images"]
    if index == "sound" and len(original.keys() - kept) > lost:
        faults.append(f"{label}: {len(original.keys() - kept)} images are gone, {lost} are told")
    return faults


def main(count=1000, seed=1):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="recoveries-"))
    for profile in PROFILES:
        build(scratch / profile / "one", profile, 100)
        build(scratch / profile / "two", profile, 200)
    counts, faults = Counter(), []
    with ThreadPoolExecutor(2) as pool:
        for found, counted in pool.map(one, ((number, seed, scratch) for number in range(count))):
            faults += found
            counts += counted
    shutil.rmtree(scratch)
    print("\n".join(faults[:20]))
    print(f"{count} recoveries, seed {seed}: {dict(counts)}, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
