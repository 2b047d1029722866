"""DistributedDataParallel: torchrun --nproc-per-node 2 train_ddp.py PICTURES DATASET."""

import sys

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torchvision import transforms as T

from relabel_hdf5.train import EpochSampler, RelabelFolder, soft_target_cross_entropy

distributed.init_process_group("gloo")
crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
data = RelabelFolder(sys.argv[1], sys.argv[2], crop, classes="maps")
order = EpochSampler(data)  # asks torch.distributed for the rank
layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, data.num_classes))
model = DistributedDataParallel(layers)
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
for images, targets in DataLoader(data, batch_size=6, sampler=order):
    optimizer.zero_grad()
    soft_target_cross_entropy(model(images), targets).backward()
    optimizer.step()
shares = [None] * distributed.get_world_size()
distributed.all_gather_object(shares, list(order))
assert len({item for share in shares for item in share}) == sum(map(len, shares))
if distributed.get_rank() == 0:
    print(f"{len(shares)} processes took {' and '.join(str(len(share)) for share in shares)} pictures")
del model, optimizer  # the last to hold the group must not be DDP: it may wait for ever (torch 2.13)
distributed.destroy_process_group()
