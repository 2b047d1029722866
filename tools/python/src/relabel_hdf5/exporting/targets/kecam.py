"""Label maps as keras_cv_attention_models (kecam) has them."""

from __future__ import annotations

import struct

import numpy as np

from ...errors import UsageError
from .. import losses
from ..options import Options
from ..source import Source
from . import torch_files
from .base import Job, OfViews

_EXACT = 1 << 24


class Kecam:
    """token_labels.pkl, a pickled array [N, 2, H, W, k] of float32, class ids before probabilities, and keys.txt.

    `imagenet/token_label.py` of leondgarse/keras_cv_attention_models reads it; images are known by their order.
    """

    name = "kecam"
    summary = "token_labels.pkl, a pickled array [N, 2, H, W, k] of class ids and probabilities, with keys.txt"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.REFUSED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses scores that are no probabilities, and more classes than float32 can number."""
        if source.header.score_kind != "probability":
            raise UsageError(
                f"these scores are of kind {source.header.score_kind}, and kecam takes what it finds for probabilities: "
                "export them to npz or safetensors, which say what they hold"
            )
        torch_files.refuse_ids(source.header, _EXACT, "float32", "npz")

    def losses(self, source: Source, options: Options) -> list[str]:
        """What the array says nothing of."""
        return losses.of_maps(source)

    def write(self, job: Job) -> None:
        """Writes the pickle's head, the values block by block, and its end, so that memory does not grow."""
        source = job.source
        height, width, k = source.header.shape
        with open(job.path / "keys.txt", "x", encoding="utf-8") as lines:
            lines.writelines(f"{source.key(place)}\n" for place in range(len(source)))
        with open(job.path / "token_labels.pkl", "xb") as file:
            file.write(_head((len(source), 2, height, width, k)))
            for block in job.blocks():
                ids, scores = torch_files.by_score(source.header, block.maps.class_index, block.maps.score)
                file.write(np.stack([ids.astype("<f4"), scores.astype("<f4")], axis=1).tobytes())
            file.write(b"tb.")


def _head(shape: tuple[int, ...]) -> bytes:
    """What `pickle.dumps(array, 4)` begins with, up to the bytes of the array."""
    sizes = b"".join(b"J" + struct.pack("<i", size) for size in shape)
    kind = b"cnumpy\ndtype\nX\2\0\0\0f4\x89\x88\x87R(K\3X\1\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\1b\x87R"
    data = b"\x8e" + struct.pack("<Q", 4 * int(np.prod(shape, dtype=np.int64)))
    return b"\x80\4" + made + b"(K\1(" + sizes + b"t" + kind + b"\x89" + data
