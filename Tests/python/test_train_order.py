"""EpochSampler, RelabelStream and join_maps: every image once, in the order of section 14, resumable."""

import pickle
import warnings
from collections import Counter
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from train_data import IMAGES, KEYS, random_shard, transforms

import relabel_hdf5
from relabel_hdf5 import NotFoundError, UsageError
from relabel_hdf5.epoch import epoch_order
from relabel_hdf5.train import EpochSampler, RelabelFolder, RelabelStream, collate_maps, join_maps

COUNT = len(KEYS)
SMALL = transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor()])
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:the rows of these maps")


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """The maps of all pictures in an order of their own, four to a chunk."""
    keys = [KEYS[i] for i in np.random.default_rng(0).permutation(COUNT)]
    return random_shard(tmp_path_factory.mktemp("order") / "a.h5", keys, images_per_chunk=4)


def folder(maps, **options):
    return RelabelFolder(IMAGES, maps, SMALL, targets="maps", **options)


@pytest.fixture(scope="module")
def dataset(shard):
    return folder(shard)


def positions(loader):
    """The positions of the maps in a loader's batches, batch by batch."""
    return [batch.positions.tolist() for _, batch, _ in loader]


def loader(dataset, batch_size=4, **options):
    return DataLoader(dataset, batch_size=batch_size, collate_fn=collate_maps, **options)


def flat(lists):
    return [value for values in lists for value in values]


class TestSampler:
    def test_vectors_of_the_specification(self):
        """Section 14.6."""
        sampler = EpochSampler(10)
        assert list(sampler) == [6, 7, 1, 2, 9, 0, 5, 8, 3, 4]
        sampler.set_epoch(1)
        assert list(sampler) == [9, 6, 3, 7, 5, 1, 4, 0, 2, 8]
        sampler = EpochSampler(10, seed=42)
        sampler.set_epoch(7)
        assert list(sampler) == [5, 2, 3, 6, 4, 0, 9, 8, 7, 1]

    def test_order_is_that_of_the_maps_positions(self, dataset):
        """Whatever the order of the pictures, programs in any language walk the same maps."""
        items = list(EpochSampler(dataset, seed=5))
        assert dataset.positions[items].tolist() == epoch_order(5, 0, COUNT).tolist()
        assert items != dataset.positions[items].tolist()

    def test_label_maps_alone(self, dataset):
        assert list(EpochSampler(dataset.maps, seed=5)) == epoch_order(5, 0, COUNT).tolist()
        assert list(EpochSampler([None] * COUNT, seed=5)) == epoch_order(5, 0, COUNT).tolist()

    def test_chunk_order_keeps_chunks_together(self, dataset):
        items = list(EpochSampler(dataset, seed=5, order="chunk"))
        walked = dataset.positions[items].tolist()
        assert walked == epoch_order(5, 0, dataset.maps.chunks).tolist()
        assert walked != epoch_order(5, 0, COUNT).tolist()
        assert all(walked[walked.index(at) - 1] == at - 1 for at in walked if at % 4)

    @pytest.mark.parametrize("ranks", [1, 2, 4, 5])
    @pytest.mark.parametrize("order", ["uniform", "chunk"])
    @pytest.mark.parametrize("tail", ["drop", "pad", "uneven"])
    def test_ranks_share_the_items(self, dataset, ranks, order, tail):
        options = {"seed": 1, "ranks": ranks, "order": order, "tail": tail}
        samplers = [EpochSampler(dataset, rank=rank, **options) for rank in range(ranks)]
        for epoch in (0, 3):
            shares = []
            for sampler in samplers:
                sampler.set_epoch(epoch)
                shares.append(list(sampler))
                assert len(sampler) == len(shares[-1])
            counts = Counter(flat(shares))
            if tail == "drop":
                assert len(counts) == COUNT // ranks * ranks and set(counts.values()) == {1}
            else:
                assert sorted(counts) == list(range(COUNT))
                assert sum(counts.values()) == (COUNT if tail == "uneven" else -(-COUNT // ranks) * ranks)
            if tail != "uneven":
                assert len({len(share) for share in shares}) == 1

    def test_items_without_a_map_have_their_turn(self, tmp_path):
        few = random_shard(tmp_path / "few.h5", [*KEYS[::2], "nobody"], images_per_chunk=2)
        maps = relabel_hdf5.open(few)
        for missing, count in (("one_hot", COUNT), ("skip", COUNT // 2)):
            dataset = RelabelFolder(IMAGES, maps, SMALL, missing=missing)
            for order in ("uniform", "chunk"):
                walks = []
                for epoch in range(2):
                    sampler = EpochSampler(dataset, order=order)
                    sampler.set_epoch(epoch)
                    walks.append(list(sampler))
                    assert sorted(walks[-1]) == list(range(count))
                assert walks[0] != walks[1]
                joined = [at for at in dataset.positions[walks[0]].tolist() if at >= 0]
                expected = epoch_order(0, 0, maps.chunks if order == "chunk" else len(maps)).tolist()
                if missing == "skip":
                    assert joined == [at for at in expected if maps.key(at) != "nobody"]

    @pytest.mark.parametrize("workers", [0, 2])
    def test_resumes_in_the_middle(self, dataset, workers):
        sampler = EpochSampler(dataset, seed=2)
        sampler.set_epoch(4)
        whole = positions(loader(dataset, sampler=sampler, num_workers=workers))
        state = sampler.state_dict(position=8)
        later = EpochSampler(dataset, seed=2)
        later.load_state_dict(state)
        later.set_epoch(4)
        assert later.epoch == 4 and len(later) == COUNT - 8
        assert positions(loader(dataset, sampler=later, num_workers=workers)) == whole[2:]
        later.set_epoch(5)
        assert len(later) == len(list(later)) == COUNT

    def test_state_needs_the_position_of_the_training_loop(self):
        """What was handed out is more than what was trained on, where workers fetch ahead."""
        sampler = EpochSampler(10)
        walk = iter(sampler)
        seen = [next(walk) for _ in range(5)][:3]
        assert sampler.state_dict() == sampler.state_dict(5) != sampler.state_dict(3)
        later = EpochSampler(10)
        later.load_state_dict(sampler.state_dict(3))
        assert seen + list(later) == list(EpochSampler(10))
        assert list(later) == list(EpochSampler(10))  # only the pass that was interrupted is shorter

    def test_state_of_another_dataset_is_refused(self, dataset, tmp_path):
        """Of the same size, but of another build, or with other pictures at the positions."""
        state = EpochSampler(dataset).state_dict(3)
        assert {"build_id", "items_digest"} <= state.keys()
        EpochSampler(folder(dataset.maps)).load_state_dict(state)
        other = folder(random_shard(tmp_path / "b.h5", images_per_chunk=4, attributes={"build_id": "b" * 64}))
        moved = folder(random_shard(tmp_path / "c.h5", KEYS, images_per_chunk=4))
        for items, name in (
            (other, r"build_id \(the build of the maps\) was"), (moved, "items_digest .a digest.* was"),
            (range(COUNT), "build_id .* and is None"),
        ):
            with pytest.raises(UsageError, match=f"another walk: {name}"):
                EpochSampler(items).load_state_dict(state)
        with pytest.raises(UsageError, match="build_id .* was None and is"):
            EpochSampler(dataset).load_state_dict(EpochSampler(COUNT).state_dict(3))
        with pytest.raises(UsageError, match="build_id"):
            RelabelStream(other, batch_size=4).load_state_dict(state)

    def test_state_of_a_plain_count_names_no_maps(self):
        assert EpochSampler(10).state_dict(3) == {
            "seed": 0, "ranks": 1, "order": "uniform", "tail": "drop", "count": 10, "epoch": 0, "position": 3,
        }

    @pytest.mark.parametrize(("changes", "message"), [
        ({"epoch": None}, "the epoch None: it is an integer"),
        ({"epoch": -1}, "the epoch -1"),
        ({"position": "3"}, "the position '3'"),
        ({"position": 3.0}, "the position 3.0"),
        ({"position": -1}, "the position -1"),
    ])
    def test_state_of_other_types_is_refused(self, changes, message):
        with pytest.raises(UsageError, match=message):
            EpochSampler(10).load_state_dict({**EpochSampler(10).state_dict(3), **changes})

    @pytest.mark.parametrize("name", ["epoch", "position"])
    def test_incomplete_states_are_refused(self, name):
        state = EpochSampler(10).state_dict(np.int64(3))
        EpochSampler(10).load_state_dict(state)
        del state[name]
        for bad, message in ((state, f"no '{name}'"), (None, "the state is None")):
            with pytest.raises(UsageError, match=f"{message}.*what state_dict returned"):
                EpochSampler(10).load_state_dict(bad)

    def test_state_of_another_walk_is_refused(self):
        state = EpochSampler(10, seed=1).state_dict(3)
        for options in ({"seed": 2}, {"ranks": 2, "rank": 0}, {"tail": "pad"}):
            with pytest.raises(UsageError, match=f"another walk: {next(iter(options))}"):
                EpochSampler(10, **{"seed": 1, **options}).load_state_dict(state)
        with pytest.raises(UsageError, match="count was 10 and is 11"):
            EpochSampler(11, seed=1).load_state_dict(state)
        with pytest.raises(UsageError, match="position 11"):
            EpochSampler(10, seed=1).load_state_dict({**state, "position": 11})

    @pytest.mark.parametrize(("items", "options", "message"), [
        (10, {"order": "chunk"}, "needs the chunks"),
        (10, {"order": "random"}, "'uniform' and 'chunk'"),
        (10, {"tail": "keep"}, "tail is 'keep'"),
        (10, {"rank": 2, "ranks": 2}, "rank 2 is not one of the 2"),
        (10, {"rank": 1}, "both or neither"),
        (None, {}, "no length"),
    ])
    def test_bad_arguments(self, items, options, message):
        with pytest.raises(UsageError, match=message):
            EpochSampler(items, **options)

    @pytest.mark.filterwarnings("default:the rows of these maps")
    def test_chunks_of_maps_in_source_order_warn(self, dataset, tmp_path):
        with pytest.warns(UserWarning, match="source order"):
            EpochSampler(dataset, order="chunk")
        shuffled = folder(random_shard(tmp_path / "b.h5", attributes={"row_order": "shuffled:0"}))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            EpochSampler(shuffled, order="chunk")
            EpochSampler(dataset)

    def test_ranks_come_from_torch_distributed(self, monkeypatch):
        assert list(EpochSampler(10)) == list(EpochSampler(10, rank=0, ranks=1))
        answers = {"is_available": True, "is_initialized": True, "get_rank": 1, "get_world_size": 3}
        for name, value in answers.items():
            monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
        assert list(EpochSampler(10)) == list(EpochSampler(10, rank=1, ranks=3))
        assert list(EpochSampler(10, rank=0, ranks=2)) != list(EpochSampler(10))


@pytest.mark.parametrize("tail", ["uneven", "pad"])
def test_two_ranks_with_two_workers_cover_every_image_once(dataset, tail):
    for kind in ("sampler", "stream"):
        seen = []
        for rank in range(2):
            options = {"seed": 3, "rank": rank, "ranks": 2, "tail": tail}
            if kind == "sampler":
                batches = loader(dataset, sampler=EpochSampler(dataset, **options), num_workers=2)
            else:
                batches = loader(RelabelStream(dataset, batch_size=4, **options), num_workers=2)
            seen += flat(positions(batches))
        assert sorted(seen) == list(range(COUNT)), kind


class TestStream:
    @pytest.mark.parametrize("order", ["uniform", "chunk"])
    def test_same_sequence_with_any_number_of_workers(self, dataset, order):
        """And the same as the sampler's."""
        expected = positions(loader(dataset, sampler=EpochSampler(dataset, seed=9, order=order)))
        for workers in (0, 1, 2, 3):
            stream = RelabelStream(dataset, batch_size=4, seed=9, order=order)
            assert positions(loader(stream, num_workers=workers)) == expected, workers
            assert len(stream) == COUNT

    def test_items_are_those_of_the_folder(self, shard):
        pooled = RelabelFolder(IMAGES, shard, SMALL, label=True)
        items = list(RelabelStream(pooled, batch_size=5))
        for item, place in zip(items, EpochSampler(pooled), strict=True):
            image, target, label = pooled[place]
            assert torch.equal(item[0], image) and item[2] == label
            torch.testing.assert_close(item[1], target)

    def test_set_epoch_reaches_workers_that_persist(self, dataset):
        stream = RelabelStream(dataset, batch_size=4)
        batches = loader(stream, num_workers=2, persistent_workers=True)
        walks = []
        for epoch in (0, 1, 0):
            stream.set_epoch(epoch)
            walks.append(flat(positions(batches)))
            assert walks[-1] == epoch_order(0, epoch, COUNT).tolist()

    def test_set_epoch_reaches_spawned_workers(self, dataset):
        """A stream that was pickled for a worker sees what is set here afterwards."""
        stream = RelabelStream(dataset, batch_size=4)
        there = pickle.loads(ForkingPickler.dumps(stream))
        stream.set_epoch(6)
        assert there.epoch == 6
        assert [raw.position for _, raw in there] == epoch_order(0, 6, COUNT).tolist()

    @pytest.mark.parametrize("workers", [0, 2])
    def test_resumes_in_the_middle(self, dataset, workers):
        stream = RelabelStream(dataset, batch_size=4, seed=1)
        stream.set_epoch(2)
        whole = positions(loader(stream, num_workers=workers))
        later = RelabelStream(dataset, batch_size=4, seed=1)
        later.load_state_dict(stream.state_dict(position=8))
        assert later.epoch == 2 and len(later) == COUNT - 8
        later.set_epoch(2)
        assert positions(loader(later, num_workers=workers)) == whole[2:]
        later.set_epoch(3)
        assert sorted(flat(positions(loader(later, num_workers=workers)))) == list(range(COUNT))

    def test_bad_arguments(self, dataset):
        with pytest.raises(UsageError, match="batch_size = 0"):
            RelabelStream(dataset, batch_size=0)
        with pytest.raises(UsageError, match="another walk: seed"):
            state = RelabelStream(dataset, batch_size=4, seed=1).state_dict(0)
            RelabelStream(dataset, batch_size=4).load_state_dict(state)


class TestJoinMaps:
    def samples(self, keys=KEYS, member="__key__"):
        return [{member: key, "jpg": number} for number, key in enumerate(keys)]

    def test_adds_the_label_map(self, shard):
        maps = relabel_hdf5.open(shard)
        for source in (maps, str(shard)):
            joined = list(join_maps(iter(self.samples()), source, batch_size=5))
            assert [sample["jpg"] for sample in joined] == list(range(COUNT))
            for sample in joined:
                alone = maps[sample["__key__"]]
                assert sample["relabel"].key == sample["__key__"]
                assert sample["relabel"].extent == alone.extent
                assert sample["relabel"].position == alone.position
                assert np.array_equal(sample["relabel"].class_index, alone.class_index)
                assert np.array_equal(sample["relabel"].score, alone.score)

    def test_pools_like_any_other(self, shard):
        maps = relabel_hdf5.open(shard)
        sample = next(join_maps(self.samples(), maps))
        box = np.array([0.25, 0, 0.5, 1])
        assert np.array_equal(
            relabel_hdf5.label_pooling(sample["relabel"], box), relabel_hdf5.label_pooling(maps[KEYS[0]], box)
        )

    def test_missing(self, shard):
        samples = self.samples([KEYS[0], "nobody", KEYS[1]])
        with pytest.raises(NotFoundError, match="nobody.*missing='skip'"):
            list(join_maps(samples, shard))
        found = list(join_maps(samples, shard, missing="skip"))
        assert [sample["__key__"] for sample in found] == [KEYS[0], KEYS[1]]

    @pytest.mark.parametrize("missing", ["error", "skip"])
    def test_a_complete_mismatch_is_refused(self, shard, missing):
        samples = self.samples([f"train/{key}" for key in KEYS])
        with pytest.raises(NotFoundError, match=rf"train/{KEYS[0]}.*maps have keys such as n\d+/"):
            list(join_maps(samples, shard, batch_size=4, missing=missing))
        assert list(join_maps([], shard, missing=missing)) == []
        late = [*samples, *self.samples(KEYS[:1])]
        assert len(list(join_maps(late, shard, batch_size=4, missing="skip"))) == 1
        early = [*self.samples(KEYS[:1]), *samples]
        assert len(list(join_maps(early, shard, batch_size=4, missing="skip"))) == 1

    @pytest.mark.parametrize("key", [b"n01/x", 5, None])
    def test_keys_are_strings(self, shard, key):
        for missing in ("error", "skip"):
            with pytest.raises(UsageError, match=f"the '__key__' of a sample is {key!r}"):
                list(join_maps(self.samples([KEYS[0], key]), shard, missing=missing))

    def test_members_are_the_users(self, shard):
        assert len(list(join_maps(self.samples(member="name"), shard, key="name"))) == COUNT
        with pytest.raises(UsageError, match="no '__key__', only 'name', 'jpg'"):
            list(join_maps(self.samples(member="name"), shard))
        with pytest.raises(UsageError, match="'error' and 'skip'"):
            join_maps([], shard, missing="one_hot")
        with pytest.raises(UsageError, match="batch_size"):
            join_maps([], shard, batch_size=0)
