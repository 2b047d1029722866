"""Reading maps at random from one shard, on one core, against h5py."""

from data import pack_many
from measure import BIN, HERE, PYTHON, SWIFT, Server, row, turns

IMAGES = 2000


def rows(bench):
    # More chunks than are read, and than HDF5's cache holds.
    dataset = pack_many(bench.maps, bench.folder, max(8 * IMAGES, bench.images))
    shard = dataset / "labels-00000.h5"
    script = HERE / "contenders" / "decode.py"
    times = turns({
        "h5py": Server([PYTHON, script, "h5py", shard, IMAGES]),
        "Swift library": Server([BIN / "relabel-benchmark", "read", shard, IMAGES]),
        "Python package": Server([PYTHON, script, "package", shard, IMAGES], environment=SWIFT),
        "Python package, a batch": Server([PYTHON, script, "batch", shard, IMAGES], environment=SWIFT),
    }, bench.rounds)
    baseline = times.pop("h5py")
    return [
        row("random image decode, same layout", name, "h5py", seconds, baseline, IMAGES,
            2 if name == "Swift library" else None)
        for name, seconds in times.items()
    ]
