"""torchdata: a StatefulDataLoader goes on in the middle of an epoch: train_torchdata.py PICTURES DATASET."""

import sys

import torch
from torchdata.stateful_dataloader import StatefulDataLoader
from torchvision import transforms as T

from relabel_hdf5.train import EpochSampler, RelabelFolder

whole = T.Compose([T.Resize((64, 64)), T.ToTensor()])
data = RelabelFolder(sys.argv[1], sys.argv[2], whole, classes="maps")


def loader():
    return StatefulDataLoader(data, batch_size=6, sampler=EpochSampler(data, seed=1), num_workers=2)


first = loader()
walk = iter(first)
seen = [next(walk)[1] for _ in range(2)]
state = first.state_dict()  # holds the fingerprint of the labels: others are refused
later = loader()
later.load_state_dict(state)
rest = [targets for _, targets in later]
assert torch.equal(torch.cat(seen + rest), torch.cat([targets for _, targets in loader()]))
print(f"{len(seen)} batches, then {len(rest)} more of the same epoch")
