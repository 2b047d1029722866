"""Random reads of the same maps from every common container: warm and cold, the first batch, one to four workers.

Each container is asked in new processes, which take turns. What it gives is compared with what went in before it is
timed. A container whose package is missing is left out by name, and so is a cold read whose pages stay in memory.
"""

import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np
import report
from contenders import containers
from measure import HERE, ONE_THREAD, PYTHON, figure, row

SCRIPT = HERE / "contenders" / "random_reads.py"
# What is measured: its name in the script, and what a row calls it.
TIMES = {
    "one": "a random map, warm", "batch": "a random map of a batch of 256, warm", "order": "a map in order, warm",
    "cold one": "a random map, cold", "cold batch": "a random map of a batch of 256, cold",
    "first": "opening and the first batch of 256",
}
SPEEDS = {f"{number} workers": f"maps a second, {number} DataLoader workers" for number in (1, 2, 4)}
BYTES, WRITE, IMPORT, LEFT_OUT, FACTS = (
    "bytes an image on disk", "write an image", "import", "left out", "what it says and checks"
)
# What the table shows: its heading, and what its unit is divided by.
COLUMNS = {
    BYTES: ("bytes", 1), WRITE: ("write µs", 1), TIMES["one"]: ("one µs", 1), TIMES["batch"]: ("batch µs", 1),
    TIMES["order"]: ("in order µs", 1), TIMES["cold one"]: ("cold one µs", 1),
    TIMES["cold batch"]: ("cold batch µs", 1), TIMES["first"]: ("first ms", 1000), IMPORT: ("import ms", 1),
} | {work: (f"{name[0]} worker{'s'[: name[0] != '1']}", 1) for name, work in SPEEDS.items()}
READ_AHEAD = "read ahead, which cold reads pay for"
NOT_COLD = "not measured: pages of the files stay in memory"


def ask(contender, how):
    """What the script prints for a contender."""
    _, container, folder, environment = contender
    done = subprocess.run(
        [PYTHON, SCRIPT, container.__name__, folder, how], capture_output=True, text=True,
        env={**os.environ, **ONE_THREAD, **environment},
    )
    if done.returncode:
        raise SystemExit(f"{SCRIPT.name} {container.__name__} {how} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def written(container, folder, payload):
    """Seconds until a container is on the disk."""
    folder.mkdir()
    start = time.perf_counter()
    container.write(folder, payload)
    os.sync()
    return time.perf_counter() - start


def measured(contenders, rounds):
    """What each contender's processes print, round by round."""
    found = {title: {} for title, *_ in contenders}
    for contender in contenders:
        ask(contender, "check")
    for _ in range(rounds):
        for contender in contenders:
            for how in ("warm", "cold", "workers"):
                for name, value in ask(contender, how).items():
                    found[contender[0]].setdefault(name, []).append(value)
    return found


def read_ahead(folder):
    """A row of how much the kernel reads beyond what it is asked for, where it says so."""
    device = folder.stat().st_dev
    setting = pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
    kib = int(setting.read_text()) if setting.exists() else None
    return figure(READ_AHEAD, "this file system", kib, "KiB" if kib is not None else "not said by the kernel")


def time_row(work, title, baseline, seconds, against):
    """A row of the rounds in which both were measured."""
    pairs = [pair for pair in zip(seconds, against) if None not in pair]
    if not pairs:
        return figure(work, title, None, NOT_COLD, against=baseline)
    found = row(work, title, baseline, *zip(*pairs), 1, at_most=True)
    return found | {"least_microseconds": round(min(pairs)[0] * 1e6, 2)}


def contenders_of(bench, payload):
    """Every contender with its folder, written; rows for all of them, and for those that can't be had."""
    contenders, rows = [], []
    for container in containers.COMPARED:
        title, missing = container.title(), containers.missing(container)
        if missing:
            rows.append(figure(LEFT_OUT, title, None, f"there is no package {' and no '.join(missing)}"))
            continue
        folder = bench.folder / container.__name__
        seconds = written(container, folder, payload)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / len(payload)
        for engine, environment in container.engines.items():
            name = f"{title}, {engine}" if engine else title
            contenders.append((name, container, folder, environment))
            rows.append(figure(BYTES, name, round(size, 1), "bytes"))
            rows.append(figure(WRITE, name, round(seconds / len(payload) * 1e6, 1), "µs"))
            rows.append(figure(FACTS, name, None, container.facts))
    return contenders, rows


def print_table(rows):
    """One line for each container; below, what was left out and what each container has besides bytes."""
    report.print_by_contender(rows, COLUMNS)
    print("\nMedians; in brackets how many times the first container's time it takes. Warm reads, import and the first\n"
          "batch are processor time of one core, the others time on the clock. – is not offered. Cold: none of the\n"
          f"files' pages is in memory; the disk may have its own cache. This machine has {os.cpu_count()} cores.\n")
    said = {}
    for found in rows:
        if found["work"] == READ_AHEAD:
            print(f"{READ_AHEAD}: {found['ratio'] if found['ratio'] is not None else ''} {found['unit']}")
        elif found["work"] in (FACTS, LEFT_OUT):
            what = "LEFT OUT: " if found["work"] == LEFT_OUT else ""
            said.setdefault(what + found["unit"], []).append(found["contender"])
    for words, titles in said.items():
        print(f"{'; '.join(titles)}: {words}")


def rows(bench):
    payload = containers.Payload.of(bench.maps, bench.images, bench.folder)
    np.save(bench.folder / "ids.npy", payload.ids)
    np.save(bench.folder / "steps.npy", payload.steps)
    contenders, rows = contenders_of(bench, payload)
    rows.append(read_ahead(bench.folder))
    found = measured(contenders, bench.rounds)
    baseline = contenders[0][0]
    for title, values in found.items():
        for name, work in TIMES.items():
            if name in values:
                rows.append(time_row(work, title, baseline, values[name], found[baseline][name]))
        for name, work in SPEEDS.items():
            speed = round(statistics.median(values[name]))
            rows.append(figure(work, title, speed, "maps/s", most=round(max(values[name]))))
        rows.append(figure(IMPORT, title, round(statistics.median(values["import"]) * 1e3), "ms"))
    return rows
