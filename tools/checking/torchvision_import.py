"""Lets `import torchvision` work beside a CPU build of torch: import this before it.

PyPI's torchvision is built for CUDA's torch. Beside torch+cpu its operators don't load, and its import then
fails where it registers Python functions for two of them. Transforms use neither: schemas without code do.
Nothing is imported here: programs that need no torchvision start without it.
"""

import importlib.machinery
import importlib.util
import sys

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class Loader(importlib.machinery.SourceFileLoader):
    """Runs torchvision, and runs it again with schemas for operators that did not load."""

    operators = None

    def exec_module(self, module):
        try:
            super().exec_module(module)
        except RuntimeError as error:
            if "does not exist" not in str(error):
                raise
            for name in [name for name in sys.modules if name.startswith("torchvision.")]:
                del sys.modules[name]
            import torch

            # Kept, since the schemas go with it.
            Loader.operators = torch.library.Library("torchvision", "FRAGMENT")
            for operator in OPERATORS:
                Loader.operators.define(operator)
            super().exec_module(module)


class Finder:
    """Finds torchvision as the system does, once."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "torchvision":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


if "torchvision" not in sys.modules and Finder not in sys.meta_path:
    sys.meta_path.insert(0, Finder)
