"""Mutates HDF5 files of other programs and packs them: tools/fuzz/foreign.py [--seconds S] [--seed N]

A mutant may be refused in any words. The packer may not crash, stand still, fail, take more than 3 s or 300 MB, or
leave an index.json where it ended with an error; and what it packs must be sound. The HDF5 library itself may go round
in circles: its helper is stopped then, and the file refused as unsafe.
"""

import collections
import io
import pathlib
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, field

import h5py
import limits
import numpy as np
import verifying

IMAGES, CLASSES, HEIGHT, WIDTH, TOP = 4, 12, 3, 5, 3
# Packed; refused for its contents, as unsafe, for a broken rule, as damaged, as unknown; the command line; out of room.
ENDS = {0, 1, 3, 4, 5, 6, 64, 65, 66, 74}
PROCESSOR_SECONDS = 3
STOPPED = b"the helper process used more processor time"
STOPPED_SECONDS = 10
MEMORY = 300 << 20


def of_others(versions):
    """Files as other programs write them, between these versions of the HDF5 library: contents, options of the packer."""
    chance = np.random.default_rng(1)
    maps = chance.normal(size=(IMAGES, CLASSES, HEIGHT, WIDTH)).astype("f4")
    cells = np.moveaxis(maps, 1, -1)
    best = np.argsort(-cells)[..., :TOP]
    keys = [f"a/{place}" for place in range(IMAGES)]
    forms = [
        {"logits": {"data": maps}, "keys": {"data": keys, "dtype": h5py.string_dtype()}},
        {
            "logits": {"data": maps.astype("f2"), "chunks": (2, CLASSES, HEIGHT, WIDTH), "compression": "gzip"},
            "keys": {"data": np.array(keys, "S")},
        },
        {
            "scores": {"data": np.take_along_axis(cells, best, -1), "shuffle": True, "fletcher32": True, "chunks": True},
            "ids": {"data": best.astype("i2"), "maxshape": (None, *best.shape[1:])},
            "keys": {"data": keys, "dtype": h5py.string_dtype(length=8)},
        },
        {f"group/{key.replace('/', '_')}": {"data": one} for key, one in zip(keys, maps)},
    ]
    for form in forms:
        stream = io.BytesIO()
        with h5py.File(stream, "w", libver=versions) as file:
            for name, options in form.items():
                file.create_dataset(name, **options)
        yield stream.getvalue(), (["--num-classes", str(CLASSES)] if "ids" in form else [])


def mutate(chance, content, donor):
    """One to three changes; earlier forms have no checksums, so most reach the library. Returns what was done, too."""
    content, steps = bytearray(content), []
    for _ in range(chance.choice([1, 1, 2, 3])):
        at = chance.randrange(len(content))
        kind = chance.choice(["bit", "number", "number", "cut", "splice"])
        if kind == "bit":
            content[at] ^= 1 << chance.randrange(8)
        elif kind == "number":
            width = chance.choice([1, 2, 4, 8])
            value = chance.choice([0, 1, (1 << 8 * width) - 1, 1 << 8 * width - 1, chance.getrandbits(8 * width)])
            content[at : at + width] = value.to_bytes(width, "little")
        elif kind == "cut":
            del content[max(at, 64) :]
        else:
            start, count = chance.randrange(len(donor)), chance.choice([8, 40, 400])
            content[at : at + count] = donor[start : start + count]
        steps.append(f"{kind} at {at}")
    return bytes(content), steps


@dataclass
class Outcome:
    """What came out of a campaign."""

    runs: int = 0
    ends: collections.Counter = field(default_factory=collections.Counter)
    faults: list = field(default_factory=list)  # (path of the kept file, what happened)

    def line(self):
        return f"{self.runs} mutants; " + ", ".join(f"exit code {code} {n}" for code, n in sorted(self.ends.items()))


def fault(folder, path, options, outcome):
    """Packs one file; what was done that must not be done, or None."""
    out = folder / "out"
    command = [limits.programs() / "relabel-pack", path, "-o", out, "--orientation", "yx", "--score-kind", "logit"]
    run = limits.run([*command, "--jobs", "1", "--quiet", *options])
    outcome.ends[run.code] += 1
    seconds = STOPPED_SECONDS if STOPPED in run.errors else PROCESSOR_SECONDS
    if excess := run.excess(ENDS, seconds, MEMORY):
        return excess
    if run.code:
        return "an error, and an index.json" if (out / "index.json").exists() else None
    judged = verifying.verify(limits.programs() / "relabel-verify", [out])
    return judged.fault() or ("packed, but not sound" if judged.refused() else None)


def fuzz(kept, *, seconds=None, count=None, seed=1):
    """Fuzzes for a time, or until `count` mutants were packed."""
    end = time.monotonic() + seconds if seconds else None
    chance, outcome = random.Random(seed), Outcome()
    originals = [*of_others(("earliest", "v110")), *of_others(("v110", "v110"))]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        while (end is None or time.monotonic() < end) and (count is None or outcome.runs < count):
            content, options = chance.choice(originals)
            content, steps = mutate(chance, content, chance.choice(originals)[0])
            path = folder / "theirs.h5"
            path.write_bytes(content)
            if what := fault(folder, path, options, outcome):
                pathlib.Path(kept).mkdir(parents=True, exist_ok=True)
                name = pathlib.Path(kept) / f"hdf5-{seed}-{len(outcome.faults)}.h5"
                shutil.copy(path, name)
                outcome.faults.append((name, f"{what}; {steps}; {' '.join(options)}"))
            shutil.rmtree(folder / "out", ignore_errors=True)
            outcome.runs += 1
    return outcome


if __name__ == "__main__":
    limits.main(__doc__, fuzz)
