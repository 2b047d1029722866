"""The way of the code released with the paper: torch.load, a dense array, roi_align, softmax.

Runs under Debian's python3, whose torchvision has the compiled operator. Written anew from what that code
does: rows are handed over as x, as there.
"""

import torch
from protocol import batches, half, run
from torchvision.ops import roi_align

torch.set_num_threads(1)


def load(paths):
    return [torch.load(path, map_location="cpu") for path in paths]


def densified(maps, classes=1000):
    """[B, C, H, W] from tensors [2, k, H, W]: scores, then class ids."""
    height, width = maps[0].shape[2:]
    dense = torch.zeros(len(maps), classes, height, width)
    for target, (scores, ids) in zip(dense, maps):
        target.scatter_(0, ids.long(), scores)
    return dense


def pooled(dense, boxes):
    """Targets [B, C] of boxes [B, 4], top, left, height and width."""
    corners = boxes.clone()
    corners[:, 2:] += corners[:, :2]
    numbers = torch.arange(len(dense)).float()[:, None]
    regions = torch.cat([numbers, corners.float() * dense.shape[3] - 0.5], 1)
    return roi_align(dense, regions, (1, 1)).flatten(1).softmax(1)


def pool(job, part):
    crops = batches(list(zip(load(half(job["pool"], part)), half(job["boxes"][: len(job["pool"])], part))))
    crops = [([m for m, _ in batch], torch.tensor([b for _, b in batch], dtype=torch.float64)) for batch in crops]
    return lambda: [pooled(densified(maps), boxes) for maps, boxes in crops]


def storage(job, part):
    paths = batches(half(job["files"], part))
    boxes = batches(torch.tensor(half(job["boxes"], part), dtype=torch.float64))
    return lambda: [pooled(densified(load(group)), crop) for group, crop in zip(paths, boxes)]


run({"pool": pool, "chunk": storage, "random": storage})
