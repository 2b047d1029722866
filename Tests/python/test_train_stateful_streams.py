"""Checkpoints of torchdata's StatefulDataLoader with a `RelabelStream`, and states without a position."""

import json

import pytest
import torch
import torchvision_import  # noqa: F401
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader
from torchvision import transforms
from train_data import IMAGES, random_shard

import relabel_hdf5
from relabel_hdf5 import UsageError
from relabel_hdf5.train import EpochSampler, RelabelFolder, RelabelStream

BATCH = 4  # 18 pictures: five batches, the last of two

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*set_vital")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    maps = relabel_hdf5.open(random_shard(tmp_path_factory.mktemp("maps") / "a.h5"))
    transform = transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor()])
    return RelabelFolder(IMAGES, maps, transform, label=True)


def stream(data, **options):
    return RelabelStream(data, batch_size=BATCH, seed=3, **options)


def stateful(walk, workers=0, **options):
    return StatefulDataLoader(walk, batch_size=BATCH, num_workers=workers, **options)


def seen(batches):
    return [batch[0].flatten(1).sum(1).tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("done", [0, 1, 3, 4])
@pytest.mark.parametrize("epoch", [0, 2])
def test_the_rest_of_an_epoch(data, workers, done, epoch):
    def begun():
        walk = stream(data)
        walk.set_epoch(epoch)
        return walk

    whole = seen(DataLoader(begun(), batch_size=BATCH))
    first = stateful(begun(), workers)
    walk = iter(first)
    before = [next(walk) for _ in range(done)]
    state = first.state_dict()
    for other in (begun(), stream(data)):  # whether the epoch is said again or not
        later = stateful(other, workers)
        later.load_state_dict(state)
        assert seen(before) + seen(later) == whole


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("persistent", [False, True])
def test_the_epoch_after_one_that_went_on(data, workers, persistent):
    if persistent and not workers:
        pytest.skip("there are no workers to persist")
    first = stateful(stream(data), workers)
    walk = iter(first)
    next(walk)
    again = stream(data)
    later = stateful(again, workers, persistent_workers=persistent)
    later.load_state_dict(first.state_dict())
    assert len(list(later)) == 4
    again.set_epoch(1)
    expected = stream(data)
    expected.set_epoch(1)
    assert seen(later) == seen(DataLoader(expected, batch_size=BATCH))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_that_was_over(data, workers):
    first = stateful(stream(data), workers)
    whole = seen(first)
    later = stateful(stream(data), workers)
    later.load_state_dict(first.state_dict())
    assert seen(later) == whole  # the next walk is a whole one


def test_items_are_counted_as_they_are_yielded(data):
    walk = stream(data)
    whole = [item[2] for item in walk]
    assert walk.state_dict()["position"] == len(whole) == 18
    assert [item[2] for item in walk] == whole
    begun = iter(walk)
    before = [next(begun)[2] for _ in range(7)]
    state = json.loads(json.dumps(walk.state_dict()))
    assert state == walk.state_dict(7)
    later = stream(data)
    later.load_state_dict(state)
    assert len(later) == 11 and later.state_dict() == state
    assert before + [item[2] for item in later] == whole
    walk.set_epoch(1)
    assert walk.state_dict()["position"] == 0


def test_workers_read_ahead(data):
    walk = stream(data)
    batches = iter(DataLoader(walk, batch_size=BATCH, num_workers=1))
    next(batches)
    with pytest.raises(UsageError, match="give the position.*StatefulDataLoader"):
        walk.state_dict()
    assert walk.state_dict(BATCH)["position"] == BATCH
    del batches
    walk.set_epoch(1)
    assert walk.state_dict()["position"] == 0


def test_states_of_workers_are_loaded_by_workers_alone(data):
    first = stateful(stream(data), 2)
    walk = iter(first)
    next(walk)
    state = first.state_dict()["_snapshot"]["_worker_snapshots"]["worker_0"]["dataset_state"]
    assert (state["worker"], state["workers"]) == (0, 2)
    for other in (stream(data), EpochSampler(data, seed=3)):
        with pytest.raises(UsageError, match="worker 0 of 2: torchdata's StatefulDataLoader"):
            other.load_state_dict(state)


@pytest.mark.parametrize("workers", [0, 2])
def test_samplers_in_mid_epoch_with_pictures(data, workers):
    def begun():
        sampler = EpochSampler(data, seed=1)
        sampler.set_epoch(4)
        return StatefulDataLoader(data, batch_size=BATCH, sampler=sampler, num_workers=workers)

    whole = seen(begun())
    first = begun()
    walk = iter(first)
    before = [next(walk), next(walk)]
    later = begun()
    later.load_state_dict(first.state_dict())
    assert seen(before) + seen(later) == whole
    assert torch.is_tensor(before[0][1])
