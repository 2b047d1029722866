"""Lets `import torchvision` work beside a CPU build of torch: import this first.

PyPI's torchvision is built for CUDA's torch. Beside torch+cpu its operators don't load, and its import then
fails where it registers Python functions for two of them. Transforms use neither: schemas without code do.
"""

import sys

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError as error:
    if "does not exist" not in str(error):
        raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
