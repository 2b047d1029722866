"""The order of an epoch, and how ranks and workers share it (spec, section 14)."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from .errors import UsageError

TAILS = ("drop", "pad", "uneven")
"""What may become of the images that the ranks cannot share equally (section 14.3)."""

Places = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_GAMMA = 0x9E3779B97F4A7C15
_BITS = 2**64 - 1
_BLOCK = 4096
"""Chunks whose positions are written at a time: what that takes stays small beside the order."""


def epoch_order(seed: int, epoch: int, images: int | npt.ArrayLike) -> Places:
    """The positions of N images in the order of an epoch [N], int64 (spec, section 14.2).

        >>> import relabel_hdf5
        >>> relabel_hdf5.epoch_order(1, 0, 6)  # seed 1, epoch 0, 6 images
        array([5, 4, 1, 0, 2, 3])

    For the order `uniform`, `images` is the number of images. For the order `chunk`, `images` has the boundaries
    of the chunks, as `LabelMaps.chunks` gives them: chunk j holds the positions images[j] ... images[j+1] - 1.
    `seed` and `epoch` are from 0 to 2^64 - 1. Raises `UsageError` for impossible numbers.
    """
    bounds = np.asarray(images, np.int64)
    if not bounds.ndim:
        if bounds < 0:
            raise UsageError(f"there is no order of {bounds} images")
        return np.argsort(epoch_keys(seed, epoch, int(bounds)))
    if bounds.ndim > 1 or not len(bounds) or bounds[0] != 0 or (bounds[1:] < bounds[:-1]).any():
        raise UsageError("the boundaries of chunks must ascend from 0 to the number of images")
    order = np.argsort(epoch_keys(seed, epoch, len(bounds) - 1))
    positions = np.empty(bounds[-1], np.int64)
    end = 0
    for start in range(0, len(order), _BLOCK):
        chunks = order[start : start + _BLOCK]
        begins, sizes = bounds[chunks], bounds[chunks + 1] - bounds[chunks]
        places_before = np.cumsum(sizes) - sizes
        first, end = end, end + int(sizes.sum())
        positions[first:end] = np.arange(end - first) + np.repeat(begins - places_before, sizes)
    return positions


def whole(value: SupportsIndex, name: str) -> int:
    """A whole number of any type, NumPy's and torch's included; raises `UsageError` for anything else."""
    try:
        return operator.index(value)
    except TypeError:
        raise UsageError(f"{name} is {value!r}, not a whole number") from None


def epoch_base(seed: int, epoch: int) -> int:
    """The number that all keys of an epoch are made from (spec, section 14.1)."""
    seed, epoch = whole(seed, "seed"), whole(epoch, "epoch")
    for name, value in (("seed", seed), ("epoch", epoch)):
        if not 0 <= value <= _BITS:
            raise UsageError(f"{name} is {value}, not a whole number from 0 to 2^64 - 1")
    first = int(_mix(np.array((seed + _GAMMA) & _BITS, np.uint64)))
    return int(_mix(np.array(first ^ epoch, np.uint64)))


def epoch_keys(seed: int, epoch: int, count: int) -> Keys:
    """The keys of 0 ... `count` - 1, of positions or of chunks (spec, section 14.1); no two are equal."""
    keys = np.arange(1, count + 1, dtype=np.uint64)
    keys *= np.uint64(_GAMMA)
    keys += np.uint64(epoch_base(seed, epoch))
    return _mix(keys)


def rank_places(count: int, rank: int, ranks: int, tail: str) -> Places:
    """The places of an order of `count` images that belong to one of several ranks (spec, section 14.3).

    `tail` says what becomes of the images left over when all ranks get the same number: `drop` leaves them
    out, `pad` repeats the first ones until the last rank has as many, `uneven` gives some ranks one more.
    """
    rank, ranks = whole(rank, "rank"), whole(ranks, "ranks")
    if not 0 <= rank < ranks:
        raise UsageError(f"rank {rank} is not one of the {ranks} ranks, which are counted from 0")
    if tail not in TAILS:
        raise UsageError(f"tail is {tail!r}, not one of {', '.join(map(repr, TAILS))}")
    if tail == "uneven":
        return np.arange(rank * count // ranks, (rank + 1) * count // ranks)
    length = count // ranks if tail == "drop" else -(-count // ranks)
    places = np.arange(rank * length, (rank + 1) * length)
    return places % count if count else places


def share(order: npt.NDArray[Any], rank: int, ranks: int, tail: str) -> npt.NDArray[Any]:
    """What one rank takes of an order: see `rank_places`."""
    return order[rank_places(len(order), rank, ranks, tail)]


def worker_batches(
    length: int, batch_size: int, worker: int = 0, workers: int = 1, start: int = 0
) -> Iterator[slice]:
    """The batches that one of several workers makes: slices of its rank's order (spec, section 14.4).

    The rank has `length` images and has seen `start` of them; batches and workers are counted from there
    (section 14.5). The rank's last batch may be smaller.
    """
    batch_size, start = whole(batch_size, "batch_size"), whole(start, "start")
    worker, workers = whole(worker, "worker"), whole(workers, "workers")
    if batch_size < 1:
        raise UsageError(f"batches of {batch_size} images can't be made")
    if not 0 <= worker < workers:
        raise UsageError(f"worker {worker} is not one of the {workers} workers, which are counted from 0")
    if not 0 <= start <= length:
        raise UsageError(f"place {start} is outside a rank that has {length} images")
    first = range(start + worker * batch_size, length, workers * batch_size)
    return (slice(place, min(place + batch_size, length)) for place in first)


def _mix(z: Keys) -> Keys:
    """The function `mix` of section 14.1, in place."""
    with np.errstate(over="ignore"):  # all arithmetic is modulo 2^64
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z
