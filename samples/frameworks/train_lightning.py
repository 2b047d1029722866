"""Lightning: train_lightning.py PICTURES DATASET."""

import sys

import lightning
import torch
from torch.utils.data import DataLoader
from torchvision import transforms as T

from relabel_hdf5.train import EpochSampler, RelabelFolder, soft_target_cross_entropy

crop = T.Compose([T.RandomResizedCrop(64), T.RandomHorizontalFlip(), T.ToTensor()])
data = RelabelFolder(sys.argv[1], sys.argv[2], crop, classes="maps")
loader = DataLoader(data, batch_size=6, sampler=EpochSampler(data), num_workers=2)


class Linear(lightning.LightningModule):
    def __init__(self, classes):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, classes))

    def training_step(self, batch, _):
        images, targets = batch
        return soft_target_cross_entropy(self.layers(images), targets)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.001)


# EpochSampler shares items among the ranks itself.
trainer = lightning.Trainer(
    max_epochs=2, accelerator="cpu", use_distributed_sampler=False, logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(Linear(data.num_classes), loader)
assert trainer.global_step == 2 * len(loader)
print(f"{trainer.global_step} steps")
