"""Targets by torchvision's compiled roi_align: pooling_oracle.py IN.npz OUT.npz, under Debian's python3.

IN holds class_index and score [N, H, W, k] and boxes [N, n, 4]. OUT receives, for both profiles, `exact`: float64
on the coordinates of the specification (section 13.3), and `released`: what the code of the paper computes in
float32, with its rows taken as x for `relabel-2021`. All are [N, n, C].
"""

import sys

import numpy as np
import torch
from torchvision.ops import roi_align

CLASSES = 1000


def axis(start, length, cells):
    """Where sampling starts on an axis, and how far it reaches; every operation rounds to float32."""
    far = (start + length).astype(np.float32)
    low = start.astype(np.float32) * np.float32(cells) - np.float32(0.5)
    high = far * np.float32(cells) - np.float32(0.5)
    span = np.maximum(high - low, np.float32(1)).astype(np.float64)
    low = low.astype(np.float64)
    assert ((low + span) - low == span).all(), "float64 can't hold the end of a box exactly"
    return low, low + span


def pooled(dense, corners):
    """Softmax of maps [C, H, W] pooled over x1, y1, x2, y2 [n, 4]."""
    numbers = torch.zeros(len(corners), 1, dtype=dense.dtype)
    regions = torch.cat([numbers, torch.as_tensor(corners, dtype=dense.dtype)], 1)
    return roi_align(dense[None], regions, (1, 1)).flatten(1).softmax(1).numpy()


def main():
    data = np.load(sys.argv[1])
    ids, scores, boxes = data["class_index"], data["score"], data["boxes"]
    count, height, width, _ = ids.shape
    results = {
        f"{name}_{profile}": np.empty((*boxes.shape[:2], CLASSES), np.float32 if name == "released" else np.float64)
        for name in ("exact", "released") for profile in ("relabel", "relabel-2021")
    }
    top, left, tall, wide = np.moveaxis(boxes, -1, 0)
    # Axis y takes top and height, or, as the released code has it, left and width.
    ends = {
        "relabel": (*axis(left, wide, width), *axis(top, tall, height)),
        "relabel-2021": (*axis(top, tall, width), *axis(left, wide, height)),
    }
    for image in range(count):
        dense = np.zeros((CLASSES, height, width))
        y, x, _ = np.indices(ids.shape[1:])
        dense[ids[image], y, x] = scores[image]
        dense = torch.from_numpy(dense)
        for profile, (x1, x2, y1, y2) in ends.items():
            corners = np.stack([x1, y1, x2, y2], -1)[image]
            results[f"exact_{profile}"][image] = pooled(dense, corners)
            sides = boxes[image] if profile == "relabel-2021" else boxes[image][:, [1, 0, 3, 2]]
            released = sides.copy()
            released[:, 2:] += released[:, :2]
            released = torch.from_numpy(released).float() * width - 0.5
            results[f"released_{profile}"][image] = pooled(dense.float(), released)
    np.savez(sys.argv[2], **results)


if __name__ == "__main__":
    main()
