"""What the paper trains with: options, crops, rates, optimisers. The figures are those of its released configurations."""

import argparse
import math
import os
import random

import numpy as np
import torch
from evaluate import MEAN, STD
from timm.optim import AdamP
from torchvision import transforms as T

from relabel_hdf5.train import register

FREE = {"pictures", "maps", "output", "val", "workers"}
"""Options that may change when a run goes on."""
WITHOUT_CUTMIX = 5
"""Epochs at the end in which nothing is mixed."""


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("pictures", help="the training pictures, a folder for each class")
    parser.add_argument("maps", help="the dataset of their label maps")
    parser.add_argument("--output", required=True, help="the folder of the checkpoint")
    parser.add_argument("--val", help="the validation pictures, for a line after each epoch")
    parser.add_argument("--model", default="resnet50", help="timm's name of the architecture")
    parser.add_argument("--profile", help="how maps of unknown orientation are pooled: see spec/relabel-hdf5.md")
    parser.add_argument("--cutmix", action="store_true", help="the paper's second recipe: CutMix, AdamP")
    parser.add_argument("--mixed", action="store_true", help="mixed precision: bfloat16 where autocast chooses it")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--warmup-epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=1024, help="of all processes together")
    parser.add_argument("--lr", type=float, help="default: 0.1, with --cutmix 0.002")
    parser.add_argument("--weight-decay", type=float, help="default: 0.0001, with --cutmix 0.01")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=8, help="of each process")
    options = parser.parse_args()
    if "RANK" not in os.environ:
        parser.error("start it with torchrun, for one process too: torchrun --standalone --nproc-per-node 1 train.py ...")
    if options.batch_size % (2 * int(os.environ["WORLD_SIZE"])):
        parser.error(f"a batch of {options.batch_size} can't be shared among the processes in pairs")
    if options.lr is None:
        options.lr = 0.002 if options.cutmix else 0.1
    if options.weight_decay is None:
        options.weight_decay = 0.01 if options.cutmix else 0.0001
    return options


def device_of_process():
    """The GPU that torchrun means for this process, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(device)
    torch.backends.cudnn.benchmark = True
    return device


class Lighting:
    """AlexNet's colour noise: the principal components of ImageNet's colours, each by a random weight."""

    values = torch.tensor([0.2175, 0.0188, 0.0045])
    vectors = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])

    def __call__(self, image):
        return image + (self.vectors @ (torch.randn(3) * 0.1 * self.values))[:, None, None]


register(Lighting, "pixels")  # so that RelabelFolder knows that crop boxes stay where they are


def crop(size):
    return T.Compose([
        T.RandomResizedCrop(size, scale=(0.08, 1)), T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4, 0.4),
        T.ToTensor(), Lighting(), T.Normalize(MEAN, STD),
    ])  # fmt: skip


def optimiser(model, options):
    if options.cutmix:
        return AdamP(model.parameters(), options.lr, weight_decay=options.weight_decay, nesterov=True)
    decay = options.weight_decay
    return torch.optim.SGD(model.parameters(), options.lr, momentum=0.9, weight_decay=decay, nesterov=True)


def rate(step, steps_of_epoch, options):
    """A straight rise from 0 over the warm-up, then half a cosine down to 0."""
    warmup, steps = options.warmup_epochs * steps_of_epoch, options.epochs * steps_of_epoch
    if step < warmup:
        return options.lr * step / warmup
    return options.lr * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def seeded(seed, epoch, rank):
    """Lets all that is random begin anew with an epoch, so that a run that goes on sees the same crops; the seed."""
    mixed = (seed * 1_000_003 + epoch) * 65_536 + rank
    random.seed(mixed)
    np.random.seed(mixed % 2**32)
    torch.manual_seed(mixed)
    return mixed
