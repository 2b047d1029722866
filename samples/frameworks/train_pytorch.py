"""Plain PyTorch: train_pytorch.py PICTURES DATASET."""

import sys

import torch
from torch.utils.data import DataLoader
from torchvision import transforms as T

from relabel_hdf5.train import EpochSampler, RelabelFolder, soft_target_cross_entropy

crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
data = RelabelFolder(sys.argv[1], sys.argv[2], crop, classes="maps")
order = EpochSampler(data)
loader = DataLoader(data, batch_size=6, sampler=order, num_workers=2)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, data.num_classes))
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
for epoch in range(2):
    order.set_epoch(epoch)
    for images, targets in loader:
        optimizer.zero_grad()
        loss = soft_target_cross_entropy(model(images), targets)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: loss {loss.item():.3f}")
checkpoint = {"model": model.state_dict(), "order": order.state_dict()}
print(f"the checkpoint goes with the labels {checkpoint['order']['fingerprint']}")
