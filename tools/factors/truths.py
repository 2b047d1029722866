"""What the network itself says of the pixels of crops: the truth that every target stands in for."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image

from relabel_hdf5.annotate import Annotator, crops
from relabel_hdf5.annotate.pictures import list_pictures


def answers(
    model: str, weights: str | None, pictures: pathlib.Path, maps: list[pathlib.Path], boxes: list[np.ndarray]
) -> list[np.ndarray]:
    """The network's probabilities [C, n] for the boxes of each map's picture."""
    annotator = Annotator(model, weights=weights)
    found = {pathlib.Path(path).stem: pictures / path for path in list_pictures(str(pictures)).paths}
    missing = [str(map_) for map_ in maps if map_.stem not in found]
    if missing:
        raise SystemExit(f"{pictures}: no picture for {missing[0]} and {len(missing) - 1} others")
    return [
        crops.answers(annotator, Image.open(found[map_.stem]).convert("RGB"), some).T for map_, some in zip(maps, boxes)
    ]
