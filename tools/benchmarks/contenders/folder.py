"""A folder of pictures item by item or in batches of 64, as DataLoader fetches them: folder.py WHOSE HOW FOLDER.

WHOSE is `ImageFolder` or `RelabelFolder`, HOW is `batches` or `items`. It answers with processor seconds.
"""

import pathlib
import random
import sys
import time

import numpy as np
import torch
from torch.utils.data import default_collate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "checking"))
import torchvision_import  # noqa: E402, F401
from torchvision import datasets, transforms  # noqa: E402

IMAGES, BATCH = 256, 64


def fetched(data, items, how):
    """What DataLoader asks of a dataset."""
    if how == "items":
        for item in items:
            data[item]
        return
    for first in range(0, len(items), BATCH):
        part = items[first : first + BATCH]
        default_collate(data.__getitems__(part) if hasattr(data, "__getitems__") else [data[item] for item in part])


def main():
    whose, how, folder = sys.argv[1:]
    torch.set_num_threads(1)
    transform = transforms.Compose([
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    if whose == "ImageFolder":
        data = datasets.ImageFolder(f"{folder}/images", transform)
    else:
        from relabel_hdf5.train import RelabelFolder

        data = RelabelFolder(f"{folder}/images", f"{folder}/dataset", transform, classes="unchecked")
    items = np.random.default_rng(0).permutation(len(data))[:IMAGES].tolist()

    def work():
        torch.manual_seed(0)  # the same crops for all
        random.seed(0)
        start = time.process_time()
        fetched(data, items, how)
        return time.process_time() - start

    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(work(), flush=True)


main()
