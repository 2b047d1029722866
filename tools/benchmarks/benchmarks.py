"""Runs the works, each of them contenders in turn, and reports."""

import argparse
import dataclasses
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import report
from data import Maps
from works import comparison, decode, dense, factors, memory, packing, pooling, sizes, training, verification, views

WORKS = {
    "pooling": pooling, "decode": decode, "packing": packing, "dense": dense, "factors": factors, "verification": verification,
    "sizes": sizes, "training": training, "memory": memory, "views": views, "comparison": comparison,
}
# It takes longer than the others together, and has no goals: it runs when it is named.
USUAL = [name for name in WORKS if name != "comparison"]
IMAGENET = 1_281_167
# Most of it is the .pt tar of ImageNet's size, which is made, packed and removed.
FULL_BYTES = 20 << 30


@dataclasses.dataclass
class Bench:
    """What the works share."""

    maps: Maps
    folder: pathlib.Path
    images: int
    rounds: int
    sizes: list[int]


def options():
    parser = argparse.ArgumentParser(prog="tools/benchmarks/run")
    parser.add_argument("maps", metavar="DIR", type=pathlib.Path, help="a folder of .pt label maps")
    parser.add_argument("--only", nargs="+", choices=WORKS, default=USUAL,
                        help="which works (default: all but comparison, which reads from every common container)")
    parser.add_argument("--quick", action="store_true", help="under five minutes: no data of ImageNet's size")
    parser.add_argument("--images", type=int, help="images to time with (default: 8192, with --quick 4096)")
    parser.add_argument("--rounds", type=int, help="turns of each contender (default: 7, with --quick 3)")
    parser.add_argument("--sizes", type=int, nargs="+", help="images for memory and growth")
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    parser.add_argument("--plot", type=pathlib.Path, help="also plot them: a name with .svg or .png")
    parser.add_argument("--work-folder", type=pathlib.Path, help="where data is made (default: a temporary folder)")
    return parser.parse_args()


def main():
    given = options()
    maps = Maps(given.maps)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="relabel-benchmarks-", dir=given.work_folder))
    sizes = given.sizes or [10_000, 100_000] + ([] if given.quick else [IMAGENET])
    room = shutil.disk_usage(folder).free
    if "memory" in given.only and max(sizes) * FULL_BYTES // IMAGENET > room:
        folder.rmdir()
        raise SystemExit(f"{folder.parent} has room for {room >> 30} GiB: too little; see --work-folder and --quick")
    bench = Bench(
        maps, folder, given.images or (4096 if given.quick else 8192),
        given.rounds or (3 if given.quick else 7), sizes,
    )
    rows = []
    try:
        for name in given.only:
            (folder / name).mkdir()
            found = WORKS[name].rows(dataclasses.replace(bench, folder=folder / name))
            shutil.rmtree(folder / name)
            rows += found
            getattr(WORKS[name], "print_table", report.print_table)(found)
    finally:
        shutil.rmtree(folder)
    if given.json:
        report.write_json(rows, given.json)
    if given.plot:
        report.plot(rows, given.plot)
    return 0 if all(row["met"] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
