"""Runs a program of this project and says what none of them may ever do; the command line of who fuzzes programs."""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALL_SECONDS = 20  # other work may slow a machine down, but a program that stands still is found


@dataclass
class Run:
    """One run of a program, helper processes included."""

    code: int
    output: bytes
    errors: bytes
    processor_seconds: float
    memory: int
    is_late: bool

    def excess(self, codes, processor_seconds, memory):
        """What the run did that it must not do, or None."""
        if self.is_late:
            return f"no answer in {WALL_SECONDS} s"
        if self.code < 0:
            return f"ended by signal {-self.code}"
        if self.code not in codes:
            return f"exit code {self.code}: {self.errors.decode(errors='replace')[:200]}"
        if self.processor_seconds > processor_seconds:
            return f"{self.processor_seconds:.1f} s of processor time"
        if self.memory > memory:
            return f"{self.memory >> 20} MB of memory"
        return None


def run(command):
    """Runs a command; times and memory are those of it and of all it waited for."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([*map(str, command)], stdout=output, stderr=errors, start_new_session=True)
        late = threading.Event()

        def end():
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(WALL_SECONDS, end)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (output, errors):
            stream.seek(0)
        return Run(
            process.returncode, output.read(), errors.read(),
            usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, late.is_set(),
        )


def programs():
    """The folder of the tools."""
    return pathlib.Path(os.environ.get("RELABEL_BIN", ROOT / ".build/release"))


def main(description, fuzz):
    """Fuzzes as the command line says, by `fuzz(kept, seconds=, seed=)`; prints the outcome, and ends with 1 for a fault."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "tools/fuzz/.build-campaign/findings")
    options = parser.parse_args()
    outcome = fuzz(options.keep, seconds=options.seconds, seed=options.seed)
    print(outcome.line())
    for path, what in outcome.faults:
        print(f"{path}: {what}")
    sys.exit(1 if outcome.faults else 0)
