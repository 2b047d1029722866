"""The epoch order of the Python package against the vectors, and what section 14 promises of it."""

import json
import re
import runpy
import tracemalloc

import numpy as np
import pytest
from conftest import ROOT
from oracle import shuffled

from relabel_hdf5 import UsageError
from relabel_hdf5.epoch import (
    TAILS,
    epoch_base,
    epoch_keys,
    epoch_order,
    rank_places,
    share,
    worker_batches,
)

CONFORMANCE = ROOT / "spec" / "conformance"
TEXT = (CONFORMANCE / "epoch-order.json").read_text()
VECTORS = json.loads(TEXT)


def epoch_of(case):
    return int(case["seed"], 16), int(case["epoch"], 16)


# ---------------------------------------------------------------------------------------------- vectors


def test_vectors_are_what_the_generator_makes():
    generator = runpy.run_path(str(CONFORMANCE / "generate_epoch_order.py"))
    assert generator["lines"](generator["document"]()) + "\n" == TEXT


def test_orders():
    for case in VECTORS["orders"]:
        assert epoch_base(*epoch_of(case)) == int(case["base"], 16)
        assert epoch_keys(*epoch_of(case), 5).tolist() == [int(key, 16) for key in case["keys"]]
        for count, order in case["uniform"].items():
            found = epoch_order(*epoch_of(case), int(count))
            assert found.dtype == np.int64 and found.tolist() == order


def test_chunk_orders():
    for case in VECTORS["chunks"]:
        found = epoch_order(*epoch_of(case), case["boundaries"])
        assert found.dtype == np.int64 and found.tolist() == case["order"]


def test_ranks():
    for case in VECTORS["ranks"]:
        count, ranks = case["count"], case["ranks"]
        for rank, (first, end) in enumerate(case["places"]):
            expected = case["padded"][rank] if "padded" in case else list(range(first, end))
            assert rank_places(count, rank, ranks, case["tail"]).tolist() == expected


def test_workers():
    for case in VECTORS["workers"]:
        for worker, expected in enumerate(case["batches"]):
            made = worker_batches(case["length"], case["batch_size"], worker, case["workers"], case["start"])
            assert [[batch.start, batch.stop] for batch in made] == expected


def test_resumed():
    for case in VECTORS["resumed"]:
        order = epoch_order(*epoch_of(case), case["count"])
        for rank, expected in enumerate(case["positions"]):
            mine = share(order, rank, case["ranks"], case["tail"])
            assert mine[case["start"] :].tolist() == expected


def test_orders_of_the_specification():
    """The table of section 14.6."""
    text = (ROOT / "spec" / "relabel-hdf5.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\d+) \| `(\w{16})` \| ([\d ]+) \|$", text, re.MULTILINE)
    assert len(rows) == 3
    for seed, epoch, base, order in rows:
        assert f"{epoch_base(int(seed), int(epoch)):016x}" == base
        assert epoch_order(int(seed), int(epoch), 10).tolist() == [int(place) for place in order.split()]


# -------------------------------------------------------------------------------------------- properties


def walked(order, ranks, tail, workers, batch_size, start=0):
    """What each rank sees, its workers taking turns."""
    seen = []
    for rank in range(ranks):
        mine = share(order, rank, ranks, tail)
        given = [worker_batches(len(mine), batch_size, worker, workers, start) for worker in range(workers)]
        made = [list(part) for part in given]
        turns = max(map(len, made), default=0)
        batches = [part[turn] for turn in range(turns) for part in made if turn < len(part)]
        seen.append([position for batch in batches for position in mine[batch].tolist()])
    return seen


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("count, ranks", [(1, 1), (10, 3), (23, 4), (2, 5), (64, 8), (257, 3)])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_exact_cover(tail, count, ranks, workers):
    """Every image once over ranks and workers, but for what the tail says."""
    order = epoch_order(3, 5, count)
    seen = walked(order, ranks, tail, workers, 4)
    together = [position for mine in seen for position in mine]
    if tail == "uneven":
        assert together == order.tolist()
        assert max(map(len, seen)) - min(map(len, seen)) <= 1
    elif tail == "drop":
        assert together == order[: count - count % ranks].tolist()
    else:
        assert together == np.resize(order, -(-count // ranks) * ranks).tolist()
    if tail != "uneven":
        assert len(set(map(len, seen))) == 1


@pytest.mark.parametrize("start", [0, 1, 4, 9, 17])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_resuming_gives_the_rest(start, workers):
    order = epoch_order(3, 5, 35)
    whole, rest = (walked(order, 2, "drop", workers, 4, first) for first in (0, start))
    assert rest == [mine[start:] for mine in whole]


def test_order_is_a_permutation_that_changes():
    orders = [epoch_order(seed, epoch, 1000) for seed, epoch in [(0, 0), (0, 1), (1, 0)]]
    for order in orders:
        assert np.sort(order).tolist() == list(range(1000))
    assert all((a != b).any() for a, b in [orders[:2], orders[1:], orders[::2]])


def test_chunks_stay_together():
    bounds = [0, 4, 8, 10, 14, 17, 18]
    order = epoch_order(1, 2, bounds).tolist()
    begins = [place for place, position in enumerate(order) if position in bounds[:-1]]
    runs = [order[first:end] for first, end in zip(begins, [*begins[1:], 18])]
    assert sorted(runs) == [list(range(first, end)) for first, end in zip(bounds, bounds[1:])]


@pytest.mark.parametrize("nothing", [0, [0], [0, 0]])
def test_no_images(nothing):
    assert epoch_order(0, 0, nothing).tolist() == []


@pytest.mark.parametrize("images, most", [(400_000, 17), (np.arange(0, 400_001, 4), 12)])
def test_an_order_takes_little_more_than_its_own_memory(images, most):
    """8 bytes an image, and as much again where all images are sorted."""
    tracemalloc.start()
    epoch_order(0, 0, images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * 400_000


def test_keys_are_distinct():
    assert len(np.unique(epoch_keys(2**64 - 1, 2**64 - 1, 100_000))) == 100_000


CLASSES, IMAGES_OF_CLASS, BATCH = 1000, 64, 256


def classes_of_batch(order, class_of_row):
    """The mean number of distinct classes in a batch."""
    batches = class_of_row[order[: len(order) // BATCH * BATCH]].reshape(-1, BATCH)
    return np.mean([len(np.unique(batch)) for batch in batches])


@pytest.mark.parametrize("images_per_chunk", [4, 16])
def test_distinct_classes_of_a_batch(images_per_chunk, capsys):
    """Rows of a class-sorted source are permuted at packing, so whole chunks mix as well as single images."""
    source = np.repeat(np.arange(CLASSES), IMAGES_OF_CLASS)
    packed = np.array(shuffled(source.tolist(), 0))
    bounds = np.append(np.arange(0, len(source), images_per_chunk), len(source))
    uniform = classes_of_batch(epoch_order(0, 0, len(source)), packed)
    chunked = classes_of_batch(epoch_order(0, 0, bounds), packed)
    unmixed = classes_of_batch(epoch_order(0, 0, bounds), source)
    with capsys.disabled():
        print(
            f"\ndistinct classes in a batch of {BATCH}, {images_per_chunk} images per chunk: "
            f"uniform {uniform:.1f}, chunk {chunked:.1f} ({chunked / uniform:.1%}), "
            f"chunk with row_order = source {unmixed:.1f}"
        )
    assert chunked >= 0.98 * uniform


# -------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: epoch_order(-1, 0, 3), "seed is -1, not a whole number from 0"),
        (lambda: epoch_order(0, 2**64, 3), "epoch is 18446744073709551616"),
        (lambda: epoch_order(0, 0, -1), "no order of -1 images"),
        (lambda: epoch_order(0, 0, [1, 3]), "boundaries of chunks"),
        (lambda: epoch_order(0, 0, [0, 3, 2]), "boundaries of chunks"),
        (lambda: epoch_order(0, 0, []), "boundaries of chunks"),
        (lambda: epoch_order(0, 0, [[0, 1], [0, 2]]), "boundaries of chunks"),
        (lambda: rank_places(3, 2, 2, "drop"), "rank 2 is not one of the 2 ranks"),
        (lambda: rank_places(3, -1, 2, "drop"), "rank -1 is not one of the 2 ranks"),
        (lambda: rank_places(3, 0, 2, "wrap"), "tail is 'wrap', not one of 'drop', 'pad', 'uneven'"),
        (lambda: worker_batches(3, 0), "batches of 0 images"),
        (lambda: worker_batches(3, 1, 2, 2), "worker 2 is not one of the 2 workers"),
        (lambda: worker_batches(3, 1, start=4), "place 4 is outside a rank that has 3 images"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(UsageError, match=message):
        call()
