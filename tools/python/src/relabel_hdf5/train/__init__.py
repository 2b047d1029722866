"""Training with pooled targets in PyTorch: datasets, crop boxes, samplers, mixing and losses.

    >>> from torch.utils.data import DataLoader
    >>> from torchvision import transforms as T
    >>> from relabel_hdf5.train import EpochSampler, RelabelFolder, soft_target_cross_entropy
    >>> crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
    >>> dataset = RelabelFolder("samples/images", "dataset", crop, classes="maps")
    >>> loader = DataLoader(dataset, batch_size=6, sampler=EpochSampler(dataset))
    >>> images, targets = next(iter(loader))
    >>> images.shape, targets.shape
    (torch.Size([6, 3, 64, 64]), torch.Size([6, 1000]))
    >>> loss = soft_target_cross_entropy(images.mean((1, 2, 3))[:, None].expand(6, 1000), targets)

Needs PyTorch and Pillow: ``pip install relabel-hdf5[torch]``.
"""

from __future__ import annotations

try:
    import PIL  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(f"relabel_hdf5.train needs {error.name}: pip install relabel-hdf5[torch]") from error

from .box_transform import WithBox, with_box
from .classes import ClassColumns, check_model
from .folder import RelabelFolder
from .known import register
from .losses import soft_target_cross_entropy
from .mixing import SoftMixup, mix_targets
from .random_views import RandomViews
from .raw_maps import RawMap, collate_maps
from .replay import ReplayBatches
from .sampler import EpochSampler
from .samples import join_maps
from .stored_crops import StoredCrops
from .stream import RelabelStream
from .view import Placement

__all__ = [
    "ClassColumns",
    "EpochSampler",
    "Placement",
    "RandomViews",
    "RawMap",
    "RelabelFolder",
    "RelabelStream",
    "ReplayBatches",
    "SoftMixup",
    "StoredCrops",
    "WithBox",
    "check_model",
    "collate_maps",
    "join_maps",
    "mix_targets",
    "register",
    "soft_target_cross_entropy",
    "with_box",
]
