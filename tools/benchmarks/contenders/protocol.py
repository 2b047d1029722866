"""How contenders are driven: one run for each line of input; most take JOB.json WORK PART.

A run lasts at least `SHORTEST` seconds: a quick contender does its work several times.
"""

import json
import pathlib
import sys
import time

SHORTEST = 0.3


def run(works):
    """Prepares one of `works` and serves it."""
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    serve(works[sys.argv[2]](job, int(sys.argv[3])))


def serve(work):
    """Warms up, says "ready", and answers every line with the seconds that `work` took."""
    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        start, times = time.perf_counter(), 0
        while times == 0 or time.perf_counter() - start < SHORTEST:
            work()
            times += 1
        print((time.perf_counter() - start) / times, flush=True)


def half(items, part):
    """The contiguous half of some items that one of two processes works on."""
    middle = len(items) // 2
    return items[middle:] if part else items[:middle]


def batches(items, size=256):
    return [items[start : start + size] for start in range(0, len(items), size)]
