"""What an earlier run has finished in a folder: the shards that `relabel-pack --resume` keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .. import dataset
from ..errors import UsageError
from ..layout import INDEX_NAME, OPTIONAL, VIEW_COLUMNS


def shards(folder: str, name: str) -> list[str]:
    """The shards of a name that stand in a folder one behind the other, from the first on."""
    found: list[str] = []
    while os.path.isfile(path := os.path.join(folder, f"{name}-{len(found):05}.h5")):
        found.append(path)
    return found


def refuse(folder: str, name: str) -> None:
    """Refuses a folder that holds shards already."""
    if os.path.exists(os.path.join(folder, INDEX_NAME)):
        raise UsageError(
            "a finished dataset is here already; choose another folder, or overwrite=True", file=folder
        )
    if shards(folder, name):
        raise UsageError(
            "an earlier run has left finished shards here; resume=True goes on after them, overwrite=True removes "
            "them",
            file=folder,
        )


def keys(folder: str, name: str, images_per_shard: int) -> Iterator[str]:
    """The keys of the shards that are kept: full ones; more images may follow the last."""
    for path in shards(folder, name):
        with dataset.open(path) as maps:
            if len(maps) != images_per_shard:
                return
            yield from maps.keys()


def views(folder: str, name: str, images_per_shard: int) -> Iterator[tuple[str, int]]:
    """The key and number of each view in the shards that are kept: full ones; more views may follow the last."""
    for path in shards(folder, name):
        with dataset.open(path) as maps:
            # Those of a whole batch stay together, so that a full shard may have more.
            if len(maps) < images_per_shard:
                return
            for _, block in maps.views.table.blocks("image_key", "view"):
                yield from zip(map(bytes.decode, block["image_key"].tolist()), block["view"].tolist(), strict=True)


def fields(folder: str, name: str) -> tuple[str, ...]:
    """The optional HDF5 datasets of the shards."""
    import h5py  # half the time that importing this package would take

    with h5py.File(shards(folder, name)[0], "r", locking=False) as file:
        return tuple(column.name for column in (*OPTIONAL, *VIEW_COLUMNS) if column.name in file)
