"""Label maps for samples that come one by one, as webdataset's do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import numpy as np

import relabel_hdf5

from ..errors import NotFoundError, UsageError
from ..labels import LabelMap
from .pictures import plain_key


def join_maps(
    samples: Iterable[dict[str, Any]],
    maps: Any,
    key: str = "__key__",
    *,
    batch_size: int = 64,
    missing: Literal["error", "skip"] = "error",
) -> Iterator[dict[str, Any]]:
    """Adds to each sample its `LabelMap`, under ``"relabel"``, for `label_pooling` of its crop.

    `maps` is what `relabel_hdf5.open` returned, or a path for it; `key` is the member that holds the key of
    the map. `join_maps` holds `batch_size` samples at a time, and reads each chunk of the maps that they need once.
    A sample without a map raises `NotFoundError`, or is left out with `missing="skip"`. If no sample of a stream
    has a map, the error is raised at the end of the stream in any case. In webdataset:
    ``dataset.compose(functools.partial(join_maps, maps="labels/"))``.
    """
    if missing not in ("error", "skip"):
        raise UsageError(f"missing = {missing!r}: there are 'error' and 'skip'")
    if batch_size < 1:
        raise UsageError(f"batch_size = {batch_size}: a batch has at least one sample")
    if isinstance(maps, (str, os.PathLike)):
        maps = relabel_hdf5.open(maps)
    return _joined(iter(samples), maps, key, batch_size, missing)


def _joined(
    samples: Iterator[dict[str, Any]], maps: Any, key: str, batch_size: int, missing: str
) -> Iterator[dict[str, Any]]:
    first, any_found = None, False
    while held := list(islice(samples, batch_size)):
        positions = np.asarray(maps.positions([_key(sample, key) for sample in held]))
        for place in np.flatnonzero(positions < 0).tolist():
            positions[place] = _dotted(held[place], key, maps)
        first = held[0][key] if first is None else first
        without = [sample[key] for sample, position in zip(held, positions, strict=True) if position < 0]
        if without and missing == "error":
            raise NotFoundError(
                f"samples without a label map: {', '.join(without[:10])}. {_example(maps)}; missing='skip' "
                "leaves them out"
            )
        found = np.flatnonzero(positions >= 0)
        any_found |= len(found) > 0
        batch = maps.batch(positions[found])
        for row, index in enumerate(found.tolist()):
            extent = tuple(batch.extent[row].tolist())
            yield {**held[index], "relabel": LabelMap(
                batch.class_index[row], batch.score[row], extent, int(positions[index]), batch.header, maps
            )}
    if first is not None and not any_found:
        raise NotFoundError(f"not one sample has a label map, the first of them: {first}. {_example(maps)}")


def _example(maps: Any) -> str:
    return f"The maps have keys such as {maps.key(0)}" if len(maps) else "The dataset has no maps"


def _key(sample: dict[str, Any], key: str) -> str:
    if key not in sample:
        raise UsageError(f"a sample has no {key!r}, only {', '.join(map(repr, sample))}")
    value: object = sample[key]
    if not isinstance(value, str):
        raise UsageError(f"the {key!r} of a sample is {value!r}: the key of a map is a string")
    return plain_key(value)


def _dotted(sample: dict[str, Any], key: str, maps: Any) -> int:
    """The position of a sample whose name has dots: webdataset cuts at the first, the packer at the last.

    a.b.jpg is the member b.jpg of the sample a there, and a.b here. -1 where no member leads to a map. Raises
    `UsageError` where several do: webdataset has then made one sample of several pictures.
    """
    heads = {member.rpartition(".")[0] for member in sample if isinstance(member, str)} - {""}
    names = [f"{_key(sample, key)}.{head}" for head in sorted(heads) if not head.startswith("__")]
    found = [(name, int(at)) for name, at in zip(names, maps.positions(names), strict=True) if at >= 0]
    if len(found) > 1:
        several = ", ".join(name for name, _ in found)
        raise UsageError(
            f"the sample {sample[key]!r} is several pictures that have maps: {several}. webdataset ends a key at the "
            "first dot of a name: pack pictures under names without dots"
        )
    return found[0][1] if found else -1
