"""Random maps of one container, in a process of its own: random_reads.py CONTAINER FOLDER HOW. Prints a line of JSON.

FOLDER holds the container; beside it lie the arrays that it was made of. HOW is `check`, `warm`, `cold` or `workers`.
`warm` prints processor seconds of a map, of the import and of the first batch with the opening before it; in a loader
the cores are busy, and processor time is what counts. `cold` prints seconds of a map, `workers` maps a second.
"""

import gc
import importlib
import json
import pathlib
import sys
import time

started = time.process_time()
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy as np  # noqa: E402
import page_cache  # noqa: E402
from containers import named  # noqa: E402

BATCH, SINGLE, COLD = 256, 64, 4
# A measurement lasts at least so long.
SHORTEST = 0.2
WORKERS = 1, 2, 4
WALK = 2048
# No more of the pages than this may be in memory for a read to be called cold.
RESIDENT = 0.01


def endless(count):
    """Numbers at random without end; none comes again before all have come."""
    rng = np.random.default_rng(0)
    while True:
        yield from rng.permutation(count)


def take(rows, count):
    return np.fromiter((next(rows) for _ in range(count)), np.int64, count)


def timed(work, maps):
    """Processor seconds of a map: `work` reads so many of them, several times."""
    start, from_here, times = time.process_time(), time.perf_counter(), 0
    while times == 0 or time.perf_counter() - from_here < SHORTEST:
        work()
        times += 1
    return (time.process_time() - start) / times / maps


def check(container, folder, count):
    """Ends with an error unless the container gives the very maps that it was made of."""
    ids, steps = (np.load(folder.parent / f"{name}.npy", mmap_mode="r") for name in ("ids", "steps"))
    reader, size = container.open(folder), min(count, BATCH)
    found = [(np.arange(size), reader.in_order(0, size))]
    if not container.stream:
        rows = take(endless(count), size)
        found += [(rows, reader.batch(rows)), (rows, [np.stack(part) for part in zip(*map(reader.one, rows))])]
    for rows, (found_ids, found_scores) in found:
        rows = reader.stored(rows)
        assert found_ids.dtype == np.uint16 and found_scores.dtype == np.float32, (found_ids.dtype, found_scores.dtype)
        assert np.array_equal(found_ids, ids[rows]), "class ids are not those that were stored"
        assert np.array_equal(found_scores, steps[rows] / np.float32(256)), "scores are not those that were stored"
    return {"checked": size * len(found)}


def warm(container, folder, count):
    for name in container.imports():
        importlib.import_module(name)
    found = {"import": time.process_time() - started}
    rows, size = endless(count), min(count, BATCH)
    first = take(rows, size)
    opening = time.process_time()
    reader = container.open(folder)
    reader.batch(first)
    found["first"] = time.process_time() - opening
    found["batch"] = timed(lambda: reader.batch(take(rows, size)), size)
    if not container.stream:
        singles = min(count, SINGLE)
        found["one"] = timed(lambda: [reader.one(row) for row in take(rows, singles)], singles)
    starts = endless(max(1, count // size))
    found["order"] = timed(lambda: reader.in_order((start := int(next(starts)) * size), start + size), size)
    return found


def cold(container, folder, count):
    if container.stream:
        return {"cold batch": cold_read(container, folder, [0], take(endless(count), min(count, BATCH)), one=False)}
    # The read that is timed is far from the one before it: what the kernel read ahead for that does not help.
    far = [(near, near + count // 2) for near in take(endless(count // 2), COLD)]
    ones = [cold_read(container, folder, [near], [row], one=True) for near, row in far]
    return {
        "cold one": None if None in ones else sum(ones) / len(ones),
        "cold batch": cold_read(container, folder, [0], take(endless(count), min(count, BATCH)), one=False),
    }


def cold_read(container, folder, before, rows, one):
    """Seconds of a map that comes from the disk, or None where its pages can't be put out of memory.

    Before it the library is used and closed, and another map is read: what opening takes is no matter of the disk.
    """
    reader = container.open(folder)
    reader.batch(before)
    reader.close()
    del reader
    gc.collect()
    page_cache.drop(folder)
    if page_cache.resident(folder) > RESIDENT:
        return None
    reader = container.open(folder)
    reader.batch(before)
    start = time.perf_counter()
    if one:
        reader.one(rows[0])
    else:
        reader.batch(rows)
    seconds = (time.perf_counter() - start) / len(rows)
    reader.close()
    return seconds


def workers(container, folder, count):
    import torch_loader

    rows, size = endless(count), min(count, BATCH)
    walks = torch_loader.Walks(lambda: take(rows, size), max(1, min(count, WALK) // size))
    return {
        f"{number} workers": torch_loader.speed(container, folder, walks, size, number, SHORTEST) for number in WORKERS
    }


HOW = {"check": check, "warm": warm, "cold": cold, "workers": workers}

if __name__ == "__main__":
    name, place, way = sys.argv[1:]
    place = pathlib.Path(place)
    images = len(np.load(place.parent / "ids.npy", mmap_mode="r"))
    print(json.dumps(HOW[way](named(name), place, images)))
