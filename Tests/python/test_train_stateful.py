"""Checkpoints of torchdata's StatefulDataLoader go on in the order of the epoch."""

import pytest
from torchdata.stateful_dataloader import StatefulDataLoader

from relabel_hdf5.train import EpochSampler

COUNT, BATCH = 23, 4


def loader(workers):
    return StatefulDataLoader(
        list(range(COUNT)), batch_size=BATCH, sampler=EpochSampler(COUNT, seed=3), num_workers=workers
    )


def batches(walk):
    return [batch.tolist() for batch in walk]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("done", [1, 3, 5])
def test_the_rest_of_an_epoch(workers, done):
    whole = batches(loader(workers))
    first = loader(workers)
    walk = iter(first)
    seen = [next(walk).tolist() for _ in range(done)]
    later = loader(workers)
    later.load_state_dict(first.state_dict())
    assert seen + batches(later) == whole == batches(loader(0))


def test_items_are_counted_as_they_are_handed_out():
    sampler = EpochSampler(COUNT, seed=3)
    whole = list(sampler)
    assert sampler.state_dict()["position"] == COUNT
    walk = iter(sampler)
    seen = [next(walk) for _ in range(7)]
    later = EpochSampler(COUNT, seed=3)
    later.load_state_dict(sampler.state_dict())
    assert later.state_dict() == sampler.state_dict() == sampler.state_dict(7)
    assert seen + list(later) == whole
    sampler.set_epoch(1)
    assert sampler.state_dict()["position"] == 0
