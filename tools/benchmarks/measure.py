"""How contenders are timed: in turn, several rounds, as ratios; and how much memory they take."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("RELABEL_BIN", HERE.parents[1] / ".build" / "release"))
PYTHON, SYSTEM_PYTHON = sys.executable, "/usr/bin/python3"
SWIFT = {"RELABEL_LIBRARY": str(BIN / "libRelabelC.so")}
# The processes of a contender have a core each.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Server:
    """A contender that prepares itself once and does its work at every line: one process or several at once."""

    def __init__(self, *commands, environment=None):
        environment = {**os.environ, **ONE_THREAD, **(environment or {})}
        self.processes = [
            subprocess.Popen(
                [*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            for command in commands
        ]
        for process, command in zip(self.processes, commands):
            if process.stdout.readline().strip() != "ready":
                raise SystemExit(f"{' '.join(map(str, command))} did not start")

    def __call__(self):
        """One run: the seconds of the slowest process."""
        for process in self.processes:
            process.stdin.write("\n")
            process.stdin.flush()
        return max(float(process.stdout.readline().split()[0]) for process in self.processes)

    def stop(self):
        for process in self.processes:
            process.stdin.close()
            process.wait()


class Commands:
    """A contender that is a program, or several at once, from start to end."""

    def __init__(self, *commands, before=lambda: None):
        self.commands, self.before = [[*map(str, command)] for command in commands], before

    def __call__(self):
        self.before()
        start = time.perf_counter()
        environment = {**os.environ, **ONE_THREAD}
        running = [
            subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
            for c in self.commands
        ]
        codes = [process.wait() for process in running]
        if any(codes):
            raise SystemExit(f"{self.commands} exited with {codes}")
        return time.perf_counter() - start

    def stop(self):
        pass


def turns(contenders, rounds):
    """Seconds of each contender, all taking turns; they are stopped after."""
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            times[name].append(contender())
    for contender in contenders.values():
        contender.stop()
    return times


def row(work, contender, against, seconds, baseline, images, goal=None, at_most=False):
    """A row of the table: how many times the baseline's time ours fits in, or, for `at_most`, the reverse."""
    pairs = zip(seconds, baseline) if at_most else zip(baseline, seconds)
    ratios = sorted(one / other for one, other in pairs)
    ratio = statistics.median(ratios)
    met = None if goal is None else (ratio <= goal if at_most else ratio >= goal)
    return {
        "work": work, "contender": contender, "against": against, "ratio": round(ratio, 2),
        "goal": goal, "at_most": at_most, "met": met, "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
        "unit": "times its time" if at_most else "times as fast",
        "microseconds": round(statistics.median(seconds) / images * 1e6, 2),
        "microseconds_against": round(statistics.median(baseline) / images * 1e6, 2),
    }


def figure(work, contender, value, unit, goal=None, at_most=True, against=None, **more):
    """A row whose figure is no time."""
    met = None if goal is None else (value <= goal if at_most else value >= goal)
    return {
        "work": work, "contender": contender, "against": against, "ratio": value, "goal": goal,
        "at_most": at_most, "met": met,
        "spread": [value, value], "unit": unit, **more,
    }


def proportional_kib(process):
    """Memory of a process and its children, shared pages shared out."""
    try:
        rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0
    own = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")]
    return sum(own) + sum(map(proportional_kib, children))


def peak(command, environment=None):
    """Seconds, and the most megabytes that a program and its children have at once, looked at every 5 ms."""
    environment = {**os.environ, **ONE_THREAD, **(environment or {})}
    start = time.perf_counter()
    process = subprocess.Popen(
        [*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment,
    )
    # One run of a contender that waits for lines; the others don't look.
    process.stdin.write(b"\n")
    process.stdin.close()
    most = 0
    while process.poll() is None:
        most = max(most, proportional_kib(process.pid))
        time.sleep(0.005)
    if process.returncode:
        raise SystemExit(f"{command} exited with {process.returncode}")
    return time.perf_counter() - start, round(most * 1024 / 1e6, 1)
