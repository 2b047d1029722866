"""Reading maps at random from one shard, on one core, against h5py: compressed, and not, mapped into memory or not."""

from data import pack_many
from measure import BIN, HERE, PYTHON, SWIFT, Server, row, turns

IMAGES = 2000


def rows(bench):
    script = HERE / "contenders" / "decode.py"
    found = []
    for compression, title in (("deflate:5", "same layout"), ("none", "uncompressed")):
        folder = bench.folder / compression.partition(":")[0]
        folder.mkdir()
        # More chunks than are read, and than HDF5's cache holds.
        dataset = pack_many(bench.maps, folder, max(8 * IMAGES, bench.images), "--compression", compression)
        shard = dataset / "labels-00000.h5"
        contenders = {
            "h5py": Server([PYTHON, script, "h5py", shard, IMAGES]),
            "Swift library": Server([BIN / "relabel-benchmark", "read", shard, IMAGES]),
            "Python package": Server([PYTHON, script, "package", shard, IMAGES], environment=SWIFT),
            "Python package, a batch": Server([PYTHON, script, "batch", shard, IMAGES], environment=SWIFT),
        }
        if compression == "none":
            contenders["Swift library, mapped"] = Server([BIN / "relabel-benchmark", "read-mapped", shard, IMAGES])
        times = turns(contenders, bench.rounds)
        baseline = times.pop("h5py")
        found += [
            row(f"random image decode, {title}", name, "h5py", seconds, baseline, IMAGES,
                2 if (compression, name) == ("deflate:5", "Swift library") else None)
            for name, seconds in times.items()
        ]
    return found
