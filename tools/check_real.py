"""Checks the packer's claims on a folder of real label maps; see tools/check-real."""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "spec" / "conformance" / "generator")]

import check_pooling
import damage as flips
import killing as crash
import oracle
import running as packing

BYTES_GOAL = 2690
ERROR_GOAL = 1 / 512
FLIPS = 200
KILLS = 20
CLIENTS = ["h5dump", "ncdump", "xarray", "hdf5r", "hugging_face"]


class Claims:
    """Prints claims as they are checked and remembers whether all held."""

    def __init__(self):
        self.failed = 0

    def check(self, claim, body):
        """Runs a check that returns (figure, goal, held); an exception counts as failed."""
        start = time.monotonic()
        try:
            figure, goal, held = body()
        except Exception as error:
            lines = str(error).splitlines()
            figure, goal, held = f"{type(error).__name__}: {lines[0] if lines else ''}", "-", False
        self.failed += not held
        seconds = time.monotonic() - start
        verdict = "OK" if held else "FAILED"
        print(f"{verdict:6}  {claim}: {figure} (goal: {goal}) [{seconds:.1f} s]", flush=True)


class RealData:
    """The folder of real maps, the labels in it, and a place to work."""

    def __init__(self, data, scratch):
        self.maps = data / "annotator-b" / "relabel-pt"
        self.dense = data / "annotator-b" / "dense-npy"
        self.scratch = scratch
        self.labels = oracle.read_pt_tree(self.maps)
        self.dataset = scratch / "dataset"
        self.crops = None

    def pack_and_verify(self):
        """All .pt files pack and verify with the defaults."""
        summary = packing.packed(self.maps, "-o", self.dataset)
        packing.sound(self.dataset)
        held = summary["images"] == len(self.labels) and summary["left_out"] == []
        return f"{summary['images']} images", f"all {len(self.labels)}", held

    def size(self):
        """Bytes of the dataset for each image, everything included."""
        total = sum(len(content) for content in oracle.folder_bytes(self.dataset).values())
        each = total / len(self.labels)
        return f"{each:.1f} bytes", f"at most {BYTES_GOAL}", each <= BYTES_GOAL

    def error(self):
        """The largest |decoded − source| of the defaults."""
        largest = oracle.compare_dataset(self.dataset, self.labels)
        return f"{largest:.9f}", f"at most {ERROR_GOAL:.9f}", largest <= ERROR_GOAL

    def encoding(self, encoding, order):
        """h5py reads back what torch.load gives, in the right order, within the bound."""
        folder = self.scratch / "encoding"
        packing.packed(
            self.maps, "-o", folder, "--score-encoding", encoding, "--cell-order", order
        )
        packing.sound(folder)
        largest = oracle.compare_dataset(folder, self.labels, encoding=encoding, cell_order=order)
        total = sum(len(content) for content in oracle.folder_bytes(folder).values())
        shutil.rmtree(folder)
        scores = np.concatenate([labels.scores.ravel() for labels in self.labels.values()])
        goal = oracle.bound(scores, encoding).max()
        figure = f"largest error {largest:.9f}, {total / len(self.labels):.1f} bytes an image"
        return figure, f"at most {goal:.9f}", largest <= goal

    def same_bytes(self):
        """A tar in any order and any number of jobs give the bytes of the folder."""
        options = ["--images-per-shard", 100]
        packing.packed(self.maps, "-o", self.scratch / "one", *options, "--jobs", 1)
        names = oracle.file_names(self.maps)
        runs = 0
        for jobs in (1, 2, 5):
            random.Random(jobs).shuffle(names)
            oracle.make_tar(self.scratch / "maps.tar", self.maps, names, prefix="./")
            for source in (self.maps, self.scratch / "maps.tar"):
                packing.packed(source, "-o", self.scratch / "other", *options, "--jobs", jobs)
                packing.same(self.scratch / "other", self.scratch / "one")
                shutil.rmtree(self.scratch / "other")
                runs += 1
        return f"{runs} runs byte-identical, index.json included", "all", True

    def dense_ids(self):
        """Dense logits give the class ids of their .pt twins."""
        folder = self.scratch / "dense"
        packing.packed(self.dense, "-o", folder, "--score-kind", "logit")
        packing.sound(folder)
        found = oracle.read_dataset(folder)
        twins = {key.split("/")[-1]: labels for key, labels in self.labels.items()}
        equal = 0
        for key, labels in found.items():
            expected = oracle.in_order(twins[key].ids, oracle.decoded(twins[key].scores, "fixed16"))
            equal += (labels.ids == expected[0]).all() and (labels.scores == expected[1]).all()
        count = len(list(self.dense.glob("*.npy")))
        return f"{equal} of {count} images", "all", equal == count == len(found)

    def pooling(self, way):
        """Targets of pixel crops are those of roi_align in float64, and of the released code."""
        if self.crops is None:
            folder = self.scratch / "exact"
            packing.packed(
                self.maps, "-o", folder, "--score-encoding", "float32", "--orientation", "yx"
            )
            self.crops = check_pooling.Pooling(folder, self.scratch)
        return self.crops.differ(way)

    def client(self, test):
        """A reader that knows nothing of the format opens the shard without options."""
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
             str(ROOT / "Tests" / "python" / "test_clients.py") + "::" + test],
            env={**os.environ, "RELABEL_SHARD": str(self.dataset / "labels-00000.h5")},
            capture_output=True, text=True,
        )
        seen = result.stdout.strip().splitlines()[-1]
        return seen, "passed", result.returncode == 0 and "skipped" not in seen

    def bit_flips(self):
        """Single flipped bits are found, or change nothing that h5py reads."""
        shard = self.dataset / "labels-00000.h5"
        bits = flips.random_bits(shard.stat().st_size, FLIPS, seed=11)
        bits += flips.structure_bits(shard, FLIPS, seed=12)
        outcome = flips.check_changes(shard, self.scratch, map(flips.flip, bits))
        what = f"flips ({FLIPS} anywhere, {FLIPS} outside the chunks)"
        return flips.report(what, len(bits), *outcome), "0 silent", outcome[2] == []

    def kills(self):
        """A run killed at any moment is completed to the same bytes, and not taken for finished."""
        source = crash.make_input(self.scratch / "crash", self.labels, 3)
        whole = self.scratch / "whole"
        duration = crash.undisturbed(source, whole)
        expected = oracle.folder_bytes(whole)
        kept = [
            crash.kill_and_complete(source, self.scratch, expected, duration, seed)[1]
            for seed in range(KILLS)
        ]
        figure = f"{KILLS} kills -9, {min(kept)} to {max(kept)} of {len(expected) - 1} shards done"
        return figure + ", all completed to the same bytes", f"{KILLS}", True


def main():
    claims = Claims()
    with tempfile.TemporaryDirectory() as scratch:
        real = RealData(pathlib.Path(sys.argv[1]), pathlib.Path(scratch))
        claims.check("all .pt files pack and verify", real.pack_and_verify)
        claims.check("size of an image, everything included", real.size)
        claims.check("largest error of the default encoding", real.error)
        for encoding in oracle.ENCODINGS:
            for order in oracle.CELL_ORDERS:
                claims.check(
                    f"h5py read-back equals torch.load, {encoding}, cells by {order}",
                    lambda encoding=encoding, order=order: real.encoding(encoding, order),
                )
        claims.check("shuffled tar and --jobs 1, 2, 5 change no byte", real.same_bytes)
        claims.check("dense input gives the ids of its .pt twins", real.dense_ids)
        for way in ("swift", "numpy", "torch"):
            claims.check(f"targets by {way} are roi_align's", lambda way=way: real.pooling(way))
        for test in CLIENTS:
            claims.check(f"{test} opens the shard", lambda test=test: real.client("test_" + test))
        claims.check("bit flips of a published shard", real.bit_flips)
        claims.check("kill -9 at random moments", real.kills)
    print("all claims hold" if claims.failed == 0 else f"{claims.failed} claims FAILED")
    return 1 if claims.failed else 0


if __name__ == "__main__":
    sys.exit(main())
