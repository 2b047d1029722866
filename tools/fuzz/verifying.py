"""Runs relabel-verify on files and says what it must never do."""

import json
from dataclasses import dataclass

import limits

VERDICTS = {0, 1, 3, 4, 5, 6}
PROCESSOR_SECONDS = 2
MEMORY = 200 << 20


@dataclass
class Run:
    """One run of the verifier over some files."""

    of: limits.Run

    def fault(self):
        """What the run did that it must not do, or None."""
        if excess := self.of.excess(VERDICTS, PROCESSOR_SECONDS, MEMORY):
            return excess
        try:
            report = json.loads(self.of.output)
        except ValueError:
            return "a report that is no JSON"
        return None if report["exit_code"] == self.of.code else "an exit code that its report contradicts"

    def refused(self):
        """The files with errors."""
        return {file for file, _ in self.rules()}

    def rules(self):
        """File and rule of every error."""
        errors = [f for f in json.loads(self.of.output)["findings"] if f["severity"] == "error"]
        return {(f["file"], f["rule"]) for f in errors}


def verify(verifier, paths):
    return Run(limits.run([verifier, "--format", "json", "--jobs", "1", *paths]))
