"""Maps of pictures by any network, and targets out of what is stored of them, by the packer and the reader."""

from __future__ import annotations

import functools
import tempfile

import numpy as np
import torch
from settings import ANNOTATOR

import relabel_hdf5
from relabel_hdf5 import Writer
from relabel_hdf5.annotate import Annotator, crops

WHOLE = (0.0, 0.0, 1.0, 1.0)


@functools.cache
def annotator(network, share=1.0, dilations=0):
    """A network at a multiple of the size that it was trained at."""
    model = f"{ANNOTATOR}:efficientnet_{network}"
    if share == 1:
        return Annotator(model, dilations=dilations)
    native = annotator(network).native_size
    return Annotator(model, dilations=dilations, input_size=tuple(round(side * share / 32) * 32 for side in native))


def annotate(network, scale, pictures):
    """Dense maps [N, C, H, W], float32, of pictures; squashed to the input, as the samples' own maps."""
    found = []
    for share, dilations in scale.inputs:
        made = annotator(network, share, dilations)
        pixels = [torch.from_numpy(made.preprocessing.pixels(picture)) for picture in pictures]
        found.append(torch.cat([made.maps(one[None]) for one in pixels]))
    size = found[0].shape[2:]
    resized = [torch.nn.functional.interpolate(maps, size, mode="bilinear", align_corners=False) for maps in found]
    return torch.stack(resized).mean(0).numpy()


def targets(dense, boxes, form, orientation="yx"):
    """Targets [N, n, C] by kind, of dense maps and boxes [N, n, 4], out of what `form` stores of the maps."""
    kinds = {
        "global": np.broadcast_to(np.array(WHOLE), (len(boxes), 1, 4)), "localised": boxes,
        "transposed": boxes[..., [1, 0, 3, 2]],
    }  # fmt: skip
    if form == "top 5, shared":
        shared = [shared_mass(map_) for map_ in dense]
        extent = WHOLE
        pooled = {
            kind: np.stack([crops.pooled_dense(map_, chosen, extent) for map_, chosen in zip(shared, several)])
            for kind, several in kinds.items()
        }
    else:
        pooled = stored_targets(dense, kinds, form, orientation)
    return pooled | {"global": np.broadcast_to(pooled["global"], pooled["localised"].shape)}


def stored_targets(dense, kinds, form, orientation="yx"):
    """Targets by kind, of a dataset that is packed, verified, read and pooled like any other."""
    classes = dense.shape[1]
    probabilities = form == "top 5, probabilities"
    scores = torch.from_numpy(dense).log_softmax(1).numpy() if probabilities else dense
    keys = [f"{place:04}" for place in range(len(dense))]
    with tempfile.TemporaryDirectory(prefix="photographs-") as folder:
        with Writer(
            f"{folder}/labels", num_classes=classes, score_kind="log_probability" if probabilities else "logit",
            top_k=classes if form == "dense" else 5, orientation=orientation, overwrite=True,
        ) as writer:  # fmt: skip
            for key, map_ in zip(keys, scores):
                # All classes are sent in order: the packer looks for the best few of them, not for a thousand.
                writer.add(key, ordered(map_) if form == "dense" else map_)
        with relabel_hdf5.open(f"{folder}/labels") as stored:
            return {kind: stored.targets(keys, several).astype(np.float64) for kind, several in kinds.items()}


def ordered(map_):
    """Class ids and scores [H, W, C] of a map [C, H, W], the best first."""
    found = torch.from_numpy(map_).permute(1, 2, 0).sort(dim=-1, descending=True, stable=True)
    return found.indices.to(torch.int32), found.values


def shared_mass(map_, top_k=5):
    """A map [C, H, W] whose classes below the best few share, cell by cell, the mass that these leave to them."""
    scores = torch.from_numpy(map_).double()
    kept = scores.topk(top_k, dim=0)
    left = torch.logsumexp(scores.scatter(0, kept.indices, -torch.inf), 0)
    filled = (left - np.log(len(scores) - top_k)).expand_as(scores).clone()
    return filled.scatter_(0, kept.indices, kept.values)
