"""Factors packed and pooled under every setting that a machine can have here, byte for byte: tools/check-factors [DIR]"""

import os
import pathlib
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ.get("RELABEL_BIN", pathlib.Path(__file__).resolve().parents[1] / ".build" / "release"))
BOXES = ["0,0,1,1", "0.1,0.25,0.4,0.5", "0.97,0.01,0.03,0.2"]
# What the C library chooses by the processor; its functions may round otherwise.
PLAIN = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-ERMS,-AVX2_Usable,-AVX_Usable,-FMA_Usable,-AVX512F_Usable"


def settings():
    """What is varied: its name, what stands before a command, variables, and the number of jobs."""
    yield "1 thread", [], {}, 1
    for jobs in (2, 3, 8):
        yield f"{jobs} threads", [], {}, jobs
    yield "C library without AVX, AVX2, AVX-512 and FMA", [], {"GLIBC_TUNABLES": PLAIN}, 2
    # SSE4.1 at most; with AVX2 and FMA; AMD's; all that qemu has.
    for processor in ("Penryn", "Haswell", "EPYC", "max"):
        yield f"{processor} by qemu", ["qemu-x86_64-static", "-cpu", processor], {}, 2


def run(before, environment, name, *arguments):
    command = [*before, str(BIN / name), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, env={"PATH": "/usr/bin:/bin", **environment})
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {result.returncode}:\n{result.stderr.decode()}")
    return result.stdout


def made(source, folder, before, environment, jobs):
    """All that one setting makes, by name: the files of a dataset, and what is printed of targets."""
    run(before, environment, "relabel-pack", source, "--output", folder, "--score-kind", "logit", "--maps", "factors",
        "--jobs", jobs)
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    key = run(before, environment, "relabel", "keys", folder).decode().splitlines()[0]
    for box in BOXES:
        found[f"target of {box}"] = run(
            before, environment, "relabel", "pool", folder, "--key", key, "--box", box, "--format", "json", "--top", "100000"
        )
    return found


def main():
    source, wanted, passed = pathlib.Path(sys.argv[1]), None, True
    with tempfile.TemporaryDirectory() as work:
        for name, *setting in settings():
            # The same path each time: messages name it.
            folder = pathlib.Path(work) / "dataset"
            found = made(source, folder, *setting)
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            wanted = wanted or found
            different = sorted(one for one in wanted.keys() | found.keys() if wanted.get(one) != found.get(one))
            print(f"{name:50}{'other bytes: ' + ', '.join(different) if different else 'the same bytes'}", flush=True)
            passed = passed and not different
    print(f"{len(wanted)} files and targets of {source}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
