"""Runs relabel-verify on files and says what it must never do."""

import json
import os
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass

VERDICTS = {0, 1, 3, 4, 5, 6}
PROCESSOR_SECONDS = 2
WALL_SECONDS = 20  # other work may slow a machine down, but a verifier that stands still is found
MEMORY = 200 << 20


@dataclass
class Run:
    """One run of the verifier over some files, helper processes included."""

    code: int
    output: bytes
    errors: bytes
    processor_seconds: float
    memory: int
    is_late: bool

    def fault(self):
        """What the run did that it must not do, or None."""
        if self.is_late:
            return f"no answer in {WALL_SECONDS} s"
        if self.code < 0:
            return f"ended by signal {-self.code}"
        if self.code not in VERDICTS:
            return f"exit code {self.code}: {self.errors.decode(errors='replace')[:200]}"
        if self.processor_seconds > PROCESSOR_SECONDS:
            return f"{self.processor_seconds:.1f} s of processor time"
        if self.memory > MEMORY:
            return f"{self.memory >> 20} MB of memory"
        try:
            report = json.loads(self.output)
        except ValueError:
            return "a report that is no JSON"
        return None if report["exit_code"] == self.code else "an exit code that its report contradicts"

    def refused(self):
        """The files with errors."""
        return {f["file"] for f in json.loads(self.output)["findings"] if f["severity"] == "error"}

    def rules(self):
        """File and rule of every error."""
        errors = [f for f in json.loads(self.output)["findings"] if f["severity"] == "error"]
        return {(f["file"], f["rule"]) for f in errors}


def verify(verifier, paths):
    """Runs the verifier; times and memory are those of it and of all it waited for."""
    command = [str(verifier), "--format", "json", "--jobs", "1", *map(str, paths)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, start_new_session=True)
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
