"""From a tar of .pt files to a dataset, against a script of torch.load and h5py; threads."""

import shutil

from data import write_tar
from measure import BIN, HERE, PYTHON, Commands, Server, row, turns


def rows(bench):
    tar = bench.folder / "maps.tar"
    write_tar(bench.maps, tar, bench.images)
    script = HERE / "contenders" / "pack_torch.py"

    def ours(jobs):
        output = bench.folder / f"dataset-{jobs}"
        return Commands(
            [BIN / "relabel-pack", tar, "--output", output, "--jobs", jobs],
            before=lambda: shutil.rmtree(output, ignore_errors=True),
        )

    def script_of(parts):
        return Server(*(
            [PYTHON, script, tar, bench.folder / f"script-{part}-{parts}.h5", part, parts] for part in range(parts)
        ))

    times = turns({
        "script": script_of(1), "two": script_of(2), "relabel-pack": ours(2), "one thread": ours(1),
    }, bench.rounds)
    work, name = "pack from a .pt tar", "relabel-pack, verified"
    return [
        row(work, name, "Python script", times["relabel-pack"], times["script"], bench.images, 8),
        row(work, name, "2 Python scripts, half each", times["relabel-pack"], times["two"], bench.images, 4.5),
        row(work, "relabel-pack --jobs 1", "Python script", times["one thread"], times["script"], bench.images),
        row(work, "relabel-pack --jobs 2", "relabel-pack --jobs 1", times["relabel-pack"], times["one thread"],
            bench.images, 1.85),
    ]
