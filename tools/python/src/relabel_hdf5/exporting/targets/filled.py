"""Maps as arrays of all classes, filled in as pooling fills them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...factors import dense_batch
from ...header import Header
from ...labels import MapBatch
from ...probabilities import missing_share, stored_probabilities
from ..image_labels import scattered


def array_name(header: Header) -> str:
    """What `relabel-pack` calls an array of such scores."""
    return "logits" if header.has_softmax else "probabilities"


def array_shape(header: Header) -> tuple[int, int, int]:
    """The shape of one image's array: [C, H, W]."""
    return header.num_classes, header.height, header.width


def array_bytes(header: Header) -> int:
    """The memory that one image takes on the way to its array."""
    return header.num_classes * header.height * header.width * 12


def filled(batch: MapBatch) -> npt.NDArray[np.float32]:
    """Scores of all classes [B, C, H, W] (spec, section 8.2).

    Absent ones have logit 0, or their share of the missing mass. Logarithms of probabilities become probabilities, which is
    what is pooled; so do logits of classes that don't exclude each other. Maps of factors have logits of all classes, less the mean
    of each cell.
    """
    header = batch.header
    if header.has_factors:
        return np.stack([logits.astype(np.float32) for logits in dense_batch(batch)])
    if header.has_softmax:
        other = np.zeros(batch.score.shape[:-1], np.float32)
        return scattered(header, batch.class_index, batch.score, other).astype(np.float32, copy=False)
    kept = stored_probabilities(header, batch.score)
    return scattered(header, batch.class_index, kept, missing_share(header, kept)).astype(np.float32)


def loss(header: Header) -> list[str]:
    """What filling in does to maps that are stored so; a sentence each."""
    if header.has_factors or header.top_k == header.num_classes:
        return []
    return [f"which {header.top_k} classes of a cell the annotator's scores were kept of: the others are filled in"]
