"""What tests of the training side share: the samples' pictures, and shards of random labels for them."""

import random
import shutil

import numpy as np
import torch
import torchvision_import  # noqa: F401
from conftest import SAMPLES
from shard_writer import ANNOTATOR, class_table, write_shard
from torchvision import transforms

from relabel_hdf5.train import RelabelFolder

IMAGES = SAMPLES / "images"
KEYS = sorted(path.relative_to(IMAGES).with_suffix("").as_posix() for path in IMAGES.rglob("*.JPEG"))
FOLDERS = sorted(path.name for path in IMAGES.iterdir())


class ImportingFolder(RelabelFolder):
    """A RelabelFolder that brings this module, and with it torchvision_import, into spawned workers."""


def random_crop(size=32):
    return transforms.Compose([
        transforms.RandomHorizontalFlip(), transforms.RandomResizedCrop(size), transforms.ToTensor(),
    ])


def timm_train(size=32):
    from timm.data import create_transform  # here, for spawned workers: timm takes seconds to import

    return create_transform(size, is_training=True, re_prob=0.5, interpolation="random")


def seed(number):
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def random_shard(path, keys=KEYS, classes=FOLDERS, **changes):
    """A shard of random labels for these keys; `classes` is its class table, None for ten unnamed classes."""
    table = [{"id": name, "index": index, "name": name} for index, name in enumerate(classes or ())]
    described = class_table(table) if table else None
    document = {"annotator": ANNOTATOR, "classes": described, "licence": "CC0-1.0"}
    return write_shard(
        path, keys=list(keys), rows=len(keys), num_classes=len(table) or 10, document=document, **changes
    )


def pictures(folder, keys):
    """A folder with the pictures of these keys."""
    for key in keys:
        path = folder / f"{key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(IMAGES / f"{key}.JPEG", path)
    return folder
