"""torchvision's reference recipe: its collate function with CutMix, MixUp and RandAugment.

train_torchvision.py PICTURES DATASET
"""

import sys

import torch
from torch.utils.data import DataLoader, default_collate
from torchvision.transforms import v2

from relabel_hdf5.train import EpochSampler, RelabelFolder, with_box

crop = v2.Compose([
    v2.RandomResizedCrop(64, antialias=True), v2.RandomHorizontalFlip(), v2.RandAugment(),
    v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
])
data = RelabelFolder(sys.argv[1], sys.argv[2], with_box(crop, geometric="follow"), classes="maps")
mix = v2.RandomChoice([v2.MixUp(num_classes=data.num_classes), v2.CutMix(num_classes=data.num_classes)])
loader = DataLoader(
    data, batch_size=6, sampler=EpochSampler(data), collate_fn=lambda items: mix(*default_collate(items))
)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, data.num_classes))
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
criterion = torch.nn.CrossEntropyLoss()  # takes probabilities, too
for images, targets in loader:
    assert torch.allclose(targets.sum(1), torch.ones(len(targets)), atol=1e-4)
    optimizer.zero_grad()
    loss = criterion(model(images), targets)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")
