"""Checks of the annotator that take minutes: what it costs beside the bare network, its memory, and being killed."""

import itertools
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools" / "checking"), str(ROOT / "Tests" / "python")]
os.environ.setdefault("RELABEL_BIN", str(ROOT / ".build" / "release"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision_import  # noqa: E402, F401
from fixtures import networks  # noqa: E402
from PIL import Image  # noqa: E402

from relabel_hdf5 import Writer  # noqa: E402
from relabel_hdf5.annotate import Annotator, Preprocessing, annotate, list_pictures  # noqa: E402
from relabel_hdf5.annotate.pictures import batches  # noqa: E402
from relabel_hdf5.annotate.progress import Progress  # noqa: E402
from relabel_hdf5.annotate.session import parts  # noqa: E402

BATCH, ROUNDS = 32, 5


def processor_time():
    """Seconds of this process and of all that have ended below it."""
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


def photos(folder, count):
    """Pictures as large as ImageNet's, 500×375, of photographs among the samples."""
    sources = sorted((ROOT / "samples" / "images").rglob("*.JPEG"))
    for place in range(count):
        with Image.open(sources[place % len(sources)]) as picture:
            picture.convert("RGB").resize((500, 375)).save(folder / f"{place:05}.jpg", quality=90)


def overhead():
    """The whole pipeline against a loop that decodes and runs the network, and keeps nothing."""
    import torchvision

    torch.manual_seed(0)
    usual = Preprocessing((224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), interpolation="bilinear")
    annotator = Annotator(torchvision.models.resnet18(), preprocessing=usual)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch, "pictures")
        folder.mkdir()
        photos(folder, 8 * BATCH)
        listing = list_pictures(folder)

        numbers = itertools.count()

        def bare():
            with torch.inference_mode():
                for _, pixels, _ in batches(listing, parts(len(listing), BATCH), usual, 1, False):
                    annotator.classifier.module(usual.normalised(pixels))

        def whole():
            with Writer(f"{scratch}/{next(numbers)}", num_classes=1000, score_kind="logit", on_bad_input="skip") as writer:
                annotate(listing, annotator, writer, batch_size=BATCH, workers=1)

        found = {bare: [], whole: []}
        for _ in range(ROUNDS):
            for run in (bare, whole):
                begin, used = time.perf_counter(), processor_time()
                run()
                found[run].append((time.perf_counter() - begin, processor_time() - used))
        rate = len(listing) / statistics.median(wall for wall, _ in found[whole])
        for place, name in enumerate(("time", "processor time")):
            ratio = statistics.median(w[place] / b[place] for b, w in zip(found[bare], found[whole]))
            print(f"overhead: {name} of the whole pipeline is {ratio:.3f} times that of decoding and the bare network")
        print(f"overhead: {rate:.1f} pictures a second, resnet18 at 224×224, {torch.get_num_threads()} threads")


def memory(count=100_000):
    """Resident memory while many pictures go by."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch, "pictures")
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8))
        for place in range(count):
            path = folder / f"{place // 1000:03}" / f"{place:06}.png"
            if place % 1000 == 0:
                path.parent.mkdir(parents=True)
                picture.save(first := path)
            else:
                os.link(first, path)  # fewer than file systems allow to one file
        annotator = Annotator(networks.small(), input_size=(32, 32))
        seen = []

        class Watching(Progress):
            def add(self, *arguments):
                super().add(*arguments)
                if self.done // 10_000 > len(seen):
                    seen.append(resident())

        with Writer(f"{scratch}/labels", num_classes=7, score_kind="logit", on_bad_input="skip") as writer:
            annotate(
                folder, annotator, writer, batch_size=64, workers=1, progress=lambda all_, done: Watching(all_, done)
            )
        growth = seen[-1] - seen[1]
        print(f"memory: {seen[1]:.0f} MB after 20,000 pictures, {seen[-1]:.0f} MB after {len(seen)}0,000")
        if growth > 20:
            raise SystemExit(f"memory: it grew by {growth:.0f} MB")


def resident():
    """Megabytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def kills():
    """The test of killed runs, ten times."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "Tests/python/test_annotate_command.py", "-k", "killed"],
        cwd=ROOT, env={**os.environ, "RELABEL_KILLS": "10"}, check=True,
    )  # fmt: skip


CHECKS = {"overhead": overhead, "memory": memory, "kills": kills}

if __name__ == "__main__":
    for name in sys.argv[1:] or CHECKS:
        CHECKS[name]()
