"""Accelerate: train_accelerate.py PICTURES DATASET."""

import sys

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from torchvision import transforms as T

from relabel_hdf5.train import EpochSampler, RelabelFolder, soft_target_cross_entropy

accelerator = Accelerator(cpu=True)
crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
data = RelabelFolder(sys.argv[1], sys.argv[2], crop, classes="maps")
order = EpochSampler(data, rank=0, ranks=1)  # Accelerate shares items among the processes
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, data.num_classes))
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
model, optimizer, loader = accelerator.prepare(model, optimizer, DataLoader(data, batch_size=6, sampler=order))
for epoch in range(2):
    order.set_epoch(epoch)
    for images, targets in loader:
        optimizer.zero_grad()
        loss = soft_target_cross_entropy(model(images), targets)
        accelerator.backward(loss)
        optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.3f}")
