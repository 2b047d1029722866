"""Mutates whole shards and holds relabel-verify to its word: tools/fuzz/shards.py [--seconds S] [--seed N]

A mutant may be refused with any finding. It may not make the verifier crash, stand still, fail, take more
than 2 s or 200 MB; and one that is called sound must be readable by h5py, with the same contents as the
original unless its checksums were made anew.
"""

import collections
import functools
import pathlib
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, field

import h5py
import limits
import seeds
from contents import content_digest, stored_chunks
from hdf5_blocks import Block, blocks
from mutations import SUPERBLOCK, mutate
from verifying import verify

BATCH = 20  # files for one run of the verifier


@dataclass
class Original:
    """A sound shard, taken apart."""

    content: bytes
    structure: list
    chunks: list
    digest: str


@dataclass
class Outcome:
    """What came out of a campaign."""

    runs: int = 0
    sound: int = 0
    rules: collections.Counter = field(default_factory=collections.Counter)
    faults: list = field(default_factory=list)  # (path of the kept file, what happened)

    def line(self):
        rules = ", ".join(f"{rule} {count}" for rule, count in sorted(self.rules.items()))
        return f"{self.runs} mutants; called sound {self.sound}; {rules}"


def originals(folder):
    """Sound shards of several kinds, on disk in turn."""
    found = []
    for content in seeds.sound_shards():
        path = folder / "original.h5"
        path.write_bytes(content)
        with h5py.File(path, "r") as file:
            places = [place for dataset in file.values() for place in stored_chunks(dataset)]
        chunks = [Block("chunk", start, start + size - 4) for start, size in places]
        structure = [SUPERBLOCK, *blocks(content)]
        found.append(Original(content, structure, chunks, content_digest(path)))
    return found


def mutants(shards, chance):
    """An endless row of originals and their mutants."""
    while True:
        original, donor = chance.choice(shards), chance.choice(shards)
        yield original, mutate(chance, original.content, original.structure, original.chunks, donor.content)


class Campaign:
    """A row of batches; what is at fault is kept in `kept`."""

    def __init__(self, verifier, seed, scratch, kept):
        self.verifier, self.seed, self.scratch, self.kept = verifier, seed, scratch, kept
        self.outcome = Outcome()
        self.row = mutants(originals(scratch), random.Random(seed))

    def run_batch(self, size):
        batch = {}
        for number in range(size):
            path = self.scratch / f"{number:02}.h5"
            batch[path] = next(self.row)
            path.write_bytes(batch[path][1].content)
        run = verify(self.verifier, batch)
        if fault := run.fault():
            if not sum(self.examine(path, *made) for path, made in batch.items()):
                self.keep(self.scratch, f"only together: {fault}")
        else:
            self.count(run, batch)
        self.outcome.runs += len(batch)

    def count(self, run, batch):
        """Counts the rules and looks at what is called sound."""
        self.outcome.rules.update(rule for _, rule in run.rules())
        refused = run.refused()
        for path, (original, mutant) in batch.items():
            if str(path) not in refused:
                self.check_sound(path, original, mutant)

    def examine(self, path, original, mutant):
        """Verifies one file of a batch that went wrong; true when it is at fault."""
        run = verify(self.verifier, [path])
        if fault := run.fault():
            self.keep(path, f"{fault}; {mutant.steps}")
            return True
        self.count(run, {path: (original, mutant)})
        return False

    def check_sound(self, path, original, mutant):
        self.outcome.sound += 1
        digest = content_digest(path)
        if len(digest) != 64:
            self.keep(path, f"called sound, but h5py fails: {digest}; {mutant.steps}")
        elif digest != original.digest and mutant.is_honest:
            self.keep(path, f"called sound with other contents; {mutant.steps}")

    def keep(self, path, what):
        """Keeps a file, or all of a batch, as the proof."""
        name = self.kept / f"shards-{self.seed}-{len(self.outcome.faults)}"
        self.kept.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, name, dirs_exist_ok=True)
        else:
            name = name.with_suffix(".h5")
            shutil.copy(path, name)
        self.outcome.faults.append((name, what))


def fuzz(verifier, kept, *, seconds=None, count=None, seed=1):
    """Fuzzes for a time, or until `count` mutants were verified."""
    end = time.monotonic() + seconds if seconds else None
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(verifier, seed, pathlib.Path(folder), pathlib.Path(kept))
        while (end is None or time.monotonic() < end) and (count is None or campaign.outcome.runs < count):
            campaign.run_batch(min(BATCH, count or BATCH))
    return campaign.outcome


if __name__ == "__main__":
    limits.main(__doc__, functools.partial(fuzz, limits.programs() / "relabel-verify"))
