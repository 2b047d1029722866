"""Runs the targets of the fuzzer for a time and prints a line for each; see README.md."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

import seeds
import words

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE / ".build/release/Fuzz"
WORK = HERE / ".build-campaign"
FINDINGS = WORK / "findings"
# Those of whole programs; all others are libFuzzer's.
PROGRAMS = {"shards": "shards.py", "hdf5": "foreign.py"}
TARGETS = [*seeds.SEEDS, *PROGRAMS]
SHARES = {"shards": 3, "hdf5": 2}  # of the time, where not 1: a mutant takes a process, not a call

MEMORY_MB = 512
SECONDS_PER_INPUT = 5
SETTINGS = {
    "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16:malloc_context_size=8",
    "SWIFT_BACKTRACE": "enable=no",  # libFuzzer reports what it finds
}


@dataclass
class Result:
    """What a target came to."""

    line: str
    faults: list


def fuzz_parser(target, seconds, seed):
    """Runs libFuzzer on one target, from nothing but its seeds."""
    corpus = WORK / target
    seeds.write_seeds(target, corpus)
    before = set(FINDINGS.iterdir())
    command = [
        PROGRAM, f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={seeds.LARGEST}",
        f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SECONDS_PER_INPUT}", f"-artifact_prefix={FINDINGS}/{target}-",
        "-reload=0", "-print_final_stats=1", *dictionary(target), corpus,
    ]
    environment = os.environ | SETTINGS | {"RELABEL_FUZZ_TARGET": target}
    with open(WORK / f"{target}.log", "w+") as log:
        code = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode
        log.seek(0)
        text = log.read()
    faults = sorted(path for path in set(FINDINGS.iterdir()) - before if path.name.startswith(f"{target}-"))
    if code and not faults:
        faults = [log.name]
    return Result(summary(text), faults)


def dictionary(target):
    """The option that names the words of a target, if it has some."""
    if target not in words.WORDS:
        return []
    path = WORK / f"{target}.dict"
    words.write_words(target, path)
    return [f"-dict={path}"]


def summary(log):
    """Executions, coverage and corpus from what libFuzzer prints."""
    progress = re.findall(r"^#(\d+)\s.*cov: (\d+) ft: (\d+) corp: (\d+)", log, re.M)
    if not progress:
        return "nothing was run"
    runs, edges, features, corpus = progress[-1]
    memory = (re.findall(r"peak_rss_mb:\s+(\d+)", log) or ["?"])[-1]
    return f"{runs} executions, {edges} edges, {features} features, corpus {corpus}, {memory} MB"


def fuzz_program(target, seconds, seed):
    """Runs a mutation fuzzer, in a small process of its own: its memory would count as its children's."""
    command = [sys.executable, HERE / PROGRAMS[target], f"--seconds={seconds}", f"--seed={seed}", f"--keep={FINDINGS}"]
    run = subprocess.run(command, capture_output=True, text=True)
    line, *faults = run.stdout.splitlines() or [f"failed: {run.stderr[-500:]}"]
    return Result(line, faults or ([line] if run.returncode else []))


def fuzz(target, seconds, seed):
    return (fuzz_program if target in PROGRAMS else fuzz_parser)(target, seconds, seed)


def main():
    parser = argparse.ArgumentParser(prog="tools/fuzz/run", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--minutes", type=float, default=30, help="for all targets together (30)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (all cores)")
    options = parser.parse_args()
    targets = options.targets or TARGETS
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    shutil.rmtree(WORK, ignore_errors=True)
    FINDINGS.mkdir(parents=True)
    sys.exit(1 if run_all(targets, options) else 0)


def run_all(targets, options):
    """Runs the targets, the longest first, and prints each when it is done; true when a fault was found."""
    targets = sorted(targets, key=lambda target: -SHARES.get(target, 1))
    shares = sum(SHARES.get(target, 1) for target in targets)
    seconds = 60 * options.minutes * min(options.jobs, len(targets)) / shares
    failed = False
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {
            pool.submit(fuzz, target, max(1, int(seconds * SHARES.get(target, 1))), options.seed): target
            for target in targets
        }
        for run in concurrent.futures.as_completed(runs):
            result = run.result()
            print(f"{runs[run]}: {result.line}; {len(result.faults)} faults", flush=True)
            for fault in result.faults:
                print(f"  {fault}", flush=True)
            failed = failed or bool(result.faults)
    return failed


if __name__ == "__main__":
    main()
