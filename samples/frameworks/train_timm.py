"""timm: its create_loader sets the transform, which is followed: train_timm.py PICTURES DATASET."""

import sys

from timm.data import create_loader, create_transform
from timm.loss import SoftTargetCrossEntropy
from timm.models import create_model
from timm.optim import create_optimizer_v2

from relabel_hdf5.train import RelabelFolder, with_box

# As the train script has it. What the folder gets first says how later transforms are followed.
follow = with_box(create_transform(64, is_training=True, auto_augment="rand-m9-mstd0.5"), geometric="follow")
data = RelabelFolder(sys.argv[1], sys.argv[2], follow, classes="maps")
loader = create_loader(
    data, input_size=(3, 64, 64), batch_size=6, is_training=True, auto_augment="rand-m9-mstd0.5",
    use_prefetcher=False, num_workers=2,
)
model = create_model("resnet10t", num_classes=data.num_classes)
optimizer = create_optimizer_v2(model, opt="sgd", lr=0.001)
criterion = SoftTargetCrossEntropy()
for images, targets in loader:
    optimizer.zero_grad()
    loss = criterion(model(images), targets)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")
