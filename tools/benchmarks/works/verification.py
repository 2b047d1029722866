"""Full verification, from the start of the program to its end, against a bare decode of the same chunks."""

from data import pack_many
from measure import BIN, Commands, Server, row, turns

SHARD = 16_384


def rows(bench):
    # Shards of the usual size; both cores have work.
    images = 4 * SHARD
    dataset = pack_many(bench.maps, bench.folder, images, "--images-per-shard", SHARD)
    shards = sorted(dataset.glob("*.h5"))
    found, alone = [], None
    for threads in (1, 2):
        times = turns({
            "decode": Server([BIN / "relabel-benchmark", "decode", threads, *shards]),
            "verify": Commands([BIN / "relabel-verify", "--jobs", threads, dataset]),
        }, bench.rounds)
        found.append(row(
            f"verify, full, {threads} thread{'s'[: threads - 1]}", "relabel-verify", "bare decode, same code",
            times["verify"], times["decode"], images, 1.3, at_most=True,
        ))
        if alone:
            found.append(row("verify, full", "relabel-verify --jobs 2", "relabel-verify --jobs 1", times["verify"],
                             alone, images))
        alone = times["verify"]
    return found
