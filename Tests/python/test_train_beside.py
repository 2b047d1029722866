"""Training beside other people's code: global defaults of torch, loaders of timm, ranks that are shared twice."""

import os
import pathlib
import random
import re
import shutil
import unicodedata
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
from conftest import ROOT
from PIL import Image
from timm.data import FastCollateMixup, create_loader, create_transform
from timm.data import transforms as tt
from torch.overrides import TorchFunctionMode
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, IterableDataset, Subset, default_collate
from torch.utils.data._utils.pin_memory import pin_memory
from torch.utils.data.distributed import DistributedSampler
from torchvision import transforms as v1
from torchvision.transforms import v2
from train_data import FOLDERS, IMAGES, KEYS, random_crop, random_shard, seed

import relabel_hdf5
from relabel_hdf5 import NotFoundError, UsageError, versions
from relabel_hdf5.train import (
    EpochSampler,
    Placement,
    RelabelFolder,
    RelabelStream,
    SoftMixup,
    collate_maps,
    join_maps,
    with_box,
)

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*pin_memory")
HEIGHT, WIDTH = 90, 120


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return relabel_hdf5.open(random_shard(tmp_path_factory.mktemp("maps") / "a.h5"))


def folder(maps, transform=None, **options):
    return RelabelFolder(options.pop("root", IMAGES), maps, transform or v1.Compose([v1.Resize((20, 20)), v1.ToTensor()]), **options)


# ------------------------------------------------------------------------------------------ generators


class Elsewhere(TorchFunctionMode):
    """Draws from a generator that nobody else knows, as torch does on another default device."""

    def __init__(self):
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in (torch.rand, torch.randint, torch.Tensor.uniform_) and kwargs.get("generator") is None:
            kwargs["generator"] = self.generator
        return function(*args, **kwargs)


class MyCrop(v1.RandomResizedCrop):
    """A subclass that draws as its parent does."""


class MyNumPyCrop(v1.RandomResizedCrop):
    """A subclass that draws from NumPy's generator."""

    @staticmethod
    def get_params(picture, scale, ratio):
        top, left = np.random.randint(0, 40, 2).tolist()
        return top, left, 40, 50


class MyOwnCrop(torch.nn.Module):
    """Draws its window without telling."""

    def forward(self, picture):
        return v1.functional.crop(picture, *np.random.randint(0, 40, 2).tolist(), 40, 50)


class CopyingFlip(v1.RandomHorizontalFlip):
    """Hands back a copy where it flips nothing."""

    def forward(self, picture):
        return super().forward(picture.clone() if isinstance(picture, torch.Tensor) else picture.copy())


def painted():
    rows, columns = np.mgrid[0.5:HEIGHT, 0.5:WIDTH]
    return torch.from_numpy(np.stack([rows / HEIGHT, columns / WIDTH])).float()


def shown(output, axis):
    """The part of a painted picture that an output shows along an axis."""
    return float(output[axis].min()), float(output[axis].max())


CROPS = {
    "v1": v1.Compose([v1.RandomHorizontalFlip(), v1.RandomResizedCrop(60, antialias=True), v1.RandomVerticalFlip()]),
    "v1 crop": v1.Compose([v1.RandomHorizontalFlip(), v1.RandomCrop(50)]),
    "v2": v2.Compose([v2.RandomHorizontalFlip(), v2.RandomResizedCrop(60, antialias=True), v2.RandomVerticalFlip()]),
    "v2 crop": v2.Compose([v2.RandomVerticalFlip(), v2.RandomCrop(50)]),
    "timm": v1.Compose([v1.RandomHorizontalFlip(), tt.RandomCropOrPad(50)]),
    "declared": v1.Compose([v1.RandomHorizontalFlip(), MyCrop(60, antialias=True)]),
    "declared, of NumPy": v1.Compose([CopyingFlip(), MyNumPyCrop(60, antialias=True)]),
}
KNOWN = {MyCrop: v1.RandomResizedCrop, MyNumPyCrop: v1.RandomResizedCrop, CopyingFlip: v1.RandomHorizontalFlip}


@pytest.mark.parametrize("transform", CROPS.values(), ids=CROPS)
def test_boxes_are_what_is_shown_whatever_generator_is_drawn_from(transform):
    with Elsewhere():
        for number in range(12):
            seed(number)
            output, box = with_box(transform, known=KNOWN)(painted())
            for axis in (0, 1):
                low, high = shown(output, axis)
                assert box[axis] == pytest.approx(low, abs=0.02) and box[axis] + box[axis + 2] == pytest.approx(high, abs=0.02)


def test_a_crop_that_does_not_tell_is_refused():
    with pytest.raises(UsageError, match="MyOwnCrop asked its get_params 0 times"):
        MyOwnCrop.get_params = staticmethod(lambda picture, scale, ratio: (0, 0, 1, 1))
        with_box(MyOwnCrop(), known={MyOwnCrop: v1.RandomResizedCrop})(painted())


def test_a_flip_that_does_more_is_refused():
    class MyFlip(v1.RandomHorizontalFlip):
        def forward(self, picture):
            return picture + 1

    with pytest.raises(UsageError, match="MyFlip was declared to be a flip"):
        with_box(MyFlip(), known={MyFlip: v1.RandomHorizontalFlip})(painted())


@pytest.mark.parametrize("draw", [
    random.random, lambda: np.random.rand(), lambda: float(torch.rand(1))], ids=["Python", "NumPy", "torch"])
def test_handlers_may_draw_from_global_generators(draw):
    def crop(picture):
        return v1.functional.crop(picture, int(draw() * 40), 0, 50, WIDTH)

    def foretell(transform, size):
        return Placement.window(size, int(draw() * 40), 0, 50, WIDTH)

    seed(0)
    wrapped = with_box(crop, known={crop: foretell})
    for _ in range(5):
        output, box = wrapped(painted())
        assert box[0] == pytest.approx(shown(output, 0)[0], abs=0.01)


def test_handlers_that_draw_from_elsewhere_are_refused():
    generator = np.random.default_rng(0)

    def crop(picture):
        return picture

    def foretell(transform, size):
        return Placement.window(size, int(generator.integers(0, 40)), 0, 50, WIDTH)

    with pytest.raises(UsageError, match="asked twice and answered differently"):
        for _ in range(5):
            with_box(crop, known={crop: foretell})(painted())
    with pytest.raises(UsageError, match="gave a tuple: it returns a Placement"):
        with_box(crop, known={crop: lambda transform, size: (0, 0, 1, 1)})(painted())


def test_the_generator_of_the_default_device_is_put_back(monkeypatch):
    class Device:
        state = 0

        def get_rng_state(self):
            return self.state

        def set_rng_state(self, state):
            self.state = state

    device, kind = Device(), torch.device("cuda")
    monkeypatch.setattr(torch, "cuda", device)
    monkeypatch.setattr(torch, "get_default_device", lambda: kind)

    def crop(picture):
        device.state += 1
        return v1.functional.crop(picture, device.state, 0, 50, WIDTH)

    def foretell(transform, size):
        device.state += 1
        return Placement.window(size, device.state, 0, 50, WIDTH)

    for number in range(1, 4):
        assert with_box(crop, known={crop: foretell})(painted())[1][0] == number / HEIGHT
    monkeypatch.setattr(torch, "cuda", None)
    with pytest.raises(UsageError, match="tensors on cuda, whose generator can't be put back"):
        with_box(crop, known={crop: foretell})(painted())


# -------------------------------------------------------------------------------------------- defaults


@contextmanager
def defaults(other):
    """Another default of torch: a type, or a device on which tensors have no values."""
    if other == "meta":
        with torch.device("meta"):
            yield
        return
    torch.set_default_dtype(getattr(torch, other))
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def as_bytes(picture):
    """A tensor of no default: torchvision's own transforms ask them."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def items(maps, few):
    """Items of all kinds of folders, and what they are made of."""
    bytes_ = with_box(as_bytes, known={as_bytes: "pixels"})
    plain, one_hot = folder(maps, bytes_, label=True), folder(few, bytes_, missing="one_hot", label=True)
    some = folder(maps, bytes_, classes=FOLDERS[:7:-1] + FOLDERS[:8], label=True)
    small = with_box(v1.Compose([v1.Resize((20, 20)), as_bytes]), known={as_bytes: "pixels"})
    raw = folder(maps, small, targets="maps", label=True)
    found = [data[item] for data in (plain, one_hot, some) for item in (0, 9)]
    found += [plain.labels, one_hot.labels]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, batch, boxes, labels = collate_maps(raw.__getitems__([3, 5]))
    stream = RelabelStream(plain, batch_size=2, seed=4)
    stream.load_state_dict(stream.state_dict(9))
    found += [boxes, labels, relabel_hdf5.label_pooling(batch, boxes), *next(iter(stream))[1:], list(EpochSampler(plain, seed=2))]
    found.append(batch.positions)
    return found


def flat(values):
    for value in values:
        if isinstance(value, (tuple, list)):
            yield from flat(value)
        else:
            yield value


@pytest.mark.parametrize("other", ["float64", "float16", "meta"])
def test_defaults_of_torch_change_nothing(other, maps, tmp_path):
    few = relabel_hdf5.open(random_shard(tmp_path / "few.h5", KEYS[:5]))
    expected = items(maps, few)
    with defaults(other):
        changed = items(maps, few)
    for found, wanted in zip(flat(changed), flat(expected), strict=True):
        if isinstance(wanted, torch.Tensor):
            assert found.dtype == wanted.dtype and found.device.type == "cpu"
            assert np.array_equal(found.numpy(), wanted.numpy())
        else:
            assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("mode", ["batch", "elem", "pair"])
@pytest.mark.parametrize("kind", ["float64", "bfloat16"])
def test_mixing_asks_no_default(kind, mode):
    def mixed():
        seed(3)
        targets = torch.arange(40, dtype=torch.float32).reshape(4, 10) / 780
        return SoftMixup(cutmix_alpha=1.0, mode=mode, num_classes=10)(torch.ones(4, 3, 8, 8, dtype=torch.float32), targets)

    expected = mixed()
    with defaults(kind):
        found = mixed()
        assert torch.get_default_dtype() == getattr(torch, kind)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype and torch.equal(one, other)


# --------------------------------------------------------------------------------------------- versions


def test_the_least_versions_are_those_of_the_project_file():
    text = (ROOT / "tools" / "python" / "pyproject.toml").read_text()
    text = re.sub(r"^annotate = .*$", "", text, flags=re.M)  # its timm has to be newer than that of training
    declared = dict(re.findall(r'"([a-z0-9]+)>=([\d.]+)"', text))
    assert declared == {**versions.LEAST, "hatchling": "1.27"}


@pytest.mark.parametrize(("name", "found"), [("timm", "0.4.12"), ("torchvision", "0.18.1+cpu"), ("torch", "2.3.9")])
def test_old_packages_are_refused_when_a_transform_is_wrapped(name, found, maps, monkeypatch):
    monkeypatch.setattr(versions, "_seen", set())
    monkeypatch.setattr(__import__(name), "__version__", found)
    for make in (lambda: with_box(random_crop()), lambda: folder(maps)):
        with pytest.raises(UsageError, match=f"{name} {re.escape(found)} is too old: .* {name} {versions.LEAST[name]} or later"):
            make()


@pytest.mark.parametrize(("name", "found"), [("numpy", "1.23.5"), ("h5py", "3.10.0")])
def test_old_packages_are_refused_when_maps_are_opened(name, found, tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "_seen", set())
    monkeypatch.setattr(__import__(name), "__version__", found)
    monkeypatch.setattr(relabel_hdf5.engines.library, "library", lambda: None)
    with pytest.raises(UsageError, match=f"{name} {found} is too old"):
        relabel_hdf5.open(random_shard(tmp_path / "a.h5"))


# ------------------------------------------------------------------------------------------------- timm


def grey(root, count=8):
    """Pictures whose grey says which they are."""
    for number, key in enumerate(KEYS[:count]):
        path = root / f"{key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 50, 3), number * 5, np.uint8)).save(path.with_suffix(".png"))
    return root


@pytest.fixture
def greys(maps, tmp_path):
    return RelabelFolder(grey(tmp_path / "img"), maps, create_transform(32), classes="maps")


def loader(dataset, **options):
    return create_loader(dataset, (3, 32, 32), 4, device=torch.device("cpu"), num_workers=0, **options)


@pytest.mark.parametrize("options", [{}, {"use_prefetcher": False}])
def test_create_loader_of_timm(greys, options):
    """It sets the transform from outside; pictures and targets are right with its prefetcher and without."""
    batches = list(loader(greys, **options))
    images, targets = (torch.cat(part) for part in zip(*batches, strict=True))
    assert (images[:, 0, 16, 16] * 0.229 * 255 + 0.485 * 255).round().int().tolist() == [number * 5 for number in range(8)]
    crop = torch.from_numpy(greys.maps.targets(greys.positions, np.tile(with_box(greys.transform)(Image.new("RGB", (50, 40)))[1], (8, 1))))
    assert targets.dtype == torch.float32 and torch.equal(targets, crop)


def test_a_transform_from_outside_is_followed_or_refused(greys):
    follow = with_box(create_transform(32, is_training=True, auto_augment="rand-m9"), geometric="follow")
    with pytest.raises(UsageError, match="Rotate.*geometric='follow'"):
        loader(greys, is_training=True, auto_augment="rand-m9")
    greys.transform = follow
    assert greys.transform is follow.transform
    loader(greys, is_training=True, auto_augment="rand-m9")  # wrapped as the one before was
    assert next(iter(loader(greys, is_training=True)))[0].shape == (4, 3, 32, 32)
    for wrong in (None, v1.Lambda(abs), create_transform(32, is_training=True, separate=True)):
        with pytest.raises(UsageError):
            greys.transform = wrong


@pytest.mark.parametrize("inside", [
    lambda data: data, lambda data: Subset(data, [1, 2, 3, 4]), lambda data: ConcatDataset([data, data])])
@pytest.mark.parametrize("workers", [0, 1])
def test_pictures_that_the_prefetcher_would_cast_are_refused(greys, inside, workers):
    from timm.data.loader import fast_collate

    with pytest.raises(UsageError, match="casts pictures to uint8, and this transform makes torch.float32"):
        next(iter(DataLoader(inside(greys), batch_size=4, collate_fn=fast_collate, num_workers=workers)))
    greys.transform = create_transform(32, use_prefetcher=True)
    assert next(iter(DataLoader(inside(greys), batch_size=4, collate_fn=fast_collate)))[0].dtype == torch.uint8


def test_mixing_while_collating(greys):
    greys.transform = create_transform(32, use_prefetcher=True)
    for options in ({}, {"multi_label": True}, {"label_smoothing": 0}):
        mixing = FastCollateMixup(num_classes=greys.num_classes, **options)
        with pytest.raises(UsageError, match="FastCollateMixup.*multi_label=True, label_smoothing=0.*SoftMixup"):
            next(iter(DataLoader(greys, batch_size=4, collate_fn=mixing)))
    mixing = FastCollateMixup(num_classes=greys.num_classes, multi_label=True, label_smoothing=0)
    seed(7)
    _, targets = next(iter(DataLoader(greys, batch_size=4, collate_fn=mixing)))
    seed(7)
    images, plain = default_collate([greys[item] for item in range(4)])
    seed(7)
    expected = SoftMixup(num_classes=greys.num_classes)(images.float(), plain)[1]
    torch.testing.assert_close(targets, expected, atol=1e-6, rtol=0)
    greys.transform = create_transform(32)
    with pytest.raises(UsageError, match="uint8"):
        next(iter(DataLoader(greys, batch_size=4, collate_fn=mixing)))


def test_default_collate_of_raw_maps_names_ours(maps):
    for workers in (0, 1):
        with pytest.raises(UsageError, match="collate_fn=relabel_hdf5.train.collate_maps"):
            next(iter(DataLoader(folder(maps, targets="maps"), batch_size=2, num_workers=workers)))


def test_batches_of_maps_are_pinned(maps, monkeypatch):
    batch = next(iter(DataLoader(folder(maps, targets="maps"), batch_size=4, collate_fn=collate_maps)))
    pinned = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self, *_: pinned.append(self.data_ptr()) or self)
    for held in (batch, [batch], {"batch": batch}, (1, batch)):
        pinned.clear()
        pin_memory(held)
        names = ("class_index", "score", "extent", "positions")
        assert {getattr(batch[1], name).data_ptr() for name in names} < set(pinned) and len(pinned) == 6
    assert isinstance(maps.batch([0]).pin_memory().score, torch.Tensor)


# ------------------------------------------------------------------------------------------------ ranks


class AgainByBatches(BatchSampler):
    """What Accelerate puts around a batch sampler."""

    def __init__(self, inner, rank, ranks):
        self.batch_sampler, self.process_index, self.num_processes = inner, rank, ranks

    def __len__(self):
        return len(self.batch_sampler) // self.num_processes

    def __iter__(self):
        return (batch for number, batch in enumerate(self.batch_sampler) if number % self.num_processes == self.process_index)


class ListOfSampler:
    def __init__(self, sampler):
        self.sampler = sampler
        self.reset()

    def reset(self):
        self.items = list(self.sampler)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class AgainByItems(DistributedSampler):
    """What Lightning puts around a sampler."""

    def __init__(self, sampler, rank, ranks):
        super().__init__(ListOfSampler(sampler), num_replicas=ranks, rank=rank, shuffle=False)

    def __iter__(self):
        self.dataset.reset()
        return (self.dataset[index] for index in super().__iter__())


class AgainByStream(IterableDataset):
    """What Accelerate puts around a stream."""

    def __init__(self, dataset, ranks):
        self.dataset, self.num_processes = dataset, ranks

    def __iter__(self):
        yield from self.dataset


@pytest.fixture
def distributed(monkeypatch):
    """Says that this is one of two processes."""
    def be(rank):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(torch.distributed, "get_rank", lambda: rank)
        monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)

    return be


def again(how, sampler, rank, ranks=2):
    """The items that a rank gets where its loader is shared again."""
    data = list(range(24))
    if how == "batches":
        given = {"batch_sampler": AgainByBatches(BatchSampler(sampler, 3, False), rank, ranks)}
    else:
        given = {"batch_size": 3, "sampler": AgainByItems(sampler, rank, ranks)}
    made = DataLoader(data, **given)
    assert len(made) == 24 // ranks // 3
    return torch.cat(list(made)).tolist()


@pytest.mark.parametrize("how", ["batches", "items"])
def test_what_is_shared_twice_is_handed_out_whole(how, distributed):
    seen = []
    for rank in range(2):
        distributed(rank)
        sampler = EpochSampler(24, seed=5)
        with pytest.warns(UserWarning, match="shares items among processes.*use_distributed_sampler=False"):
            seen += again(how, sampler, rank)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(again(how, sampler, rank)) == 12  # told once
        assert sampler.state_dict(3)["ranks"] == 1
    assert sorted(seen) == list(range(24))


@pytest.mark.parametrize("how", ["batches", "items"])
def test_ranks_that_were_given_are_not_shared_again(how):
    with pytest.raises(UsageError, match=r"rank 1 of 2.*rank=0, ranks=1.*use_distributed_sampler=False"):
        again(how, EpochSampler(24, rank=1, ranks=2), 1)
    assert sorted(sum((again(how, EpochSampler(24, rank=0, ranks=1), rank) for rank in range(2)), [])) == list(range(24))


def test_only_the_training_loop_knows_what_a_sampler_read_ahead_has_seen(distributed):
    distributed(0)
    sampler = EpochSampler(24)
    with pytest.warns(UserWarning, match="shares items"):
        again("items", sampler, 0)
    with pytest.raises(UsageError, match="give the position"):
        sampler.state_dict()


def test_streams_are_not_shared_again(maps, distributed, monkeypatch):
    distributed(1)
    stream = RelabelStream(folder(maps), batch_size=2)
    for workers in (0, 1):
        with pytest.raises(UsageError, match="AgainByStream shares items.*rank=0, ranks=1"):
            list(DataLoader(AgainByStream(stream, 2), batch_size=2, num_workers=workers))
    assert len(list(DataLoader(AgainByStream(stream, 1), batch_size=None))) == 9
    state = type("PartialState", (), {"_shared_state": {"num_processes": 2}})
    monkeypatch.setitem(__import__("sys").modules, "accelerate.state", type("module", (), {"PartialState": state}))
    with pytest.raises(UsageError, match="Accelerate shares .*rank=0, ranks=1"):
        RelabelStream(folder(maps), batch_size=2)
    assert len(RelabelStream(folder(maps), batch_size=2, rank=0, ranks=1)) == 18


# --------------------------------------------------------------------------------------- names and places


def test_a_relative_root_outlives_the_working_folder(maps, tmp_path, monkeypatch):
    grey(tmp_path / "img")
    monkeypatch.chdir(tmp_path)
    data = RelabelFolder("img", maps, v1.ToTensor(), classes="maps")
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    assert data[0][0].shape == (3, 40, 50) and os.path.isabs(data.path(0))


def test_hidden_pictures_and_links_that_lead_upwards_are_passed_over(maps, tmp_path):
    """As by the packer and by `relabel-verify --images`."""
    root = grey(tmp_path / "img")
    first = root / pathlib.Path(KEYS[0]).parent
    shutil.copy(root / f"{KEYS[0]}.png", first / "._x.png")
    for hidden in (root / ".cache", first / ".cache"):
        hidden.mkdir()
        shutil.copy(root / f"{KEYS[0]}.png", hidden / "x.png")
    (first / "loop").symlink_to(root)
    data = RelabelFolder(root, maps, v1.ToTensor(), classes="maps")
    assert [data.key(item) for item in range(len(data))] == KEYS[:8]


def test_keys_begin_without_the_folder_that_one_is_in(maps):
    data = folder(maps, key=lambda path: "./" + os.path.splitext(path)[0])
    assert [data.key(item) for item in range(len(data))] == KEYS
    assert [sample["relabel"].key for sample in join_maps([{"__key__": f"././{key}"} for key in KEYS[:3]], maps)] == KEYS[:3]


def test_another_form_of_unicode_is_named(tmp_path):
    key = f"{FOLDERS[0]}/caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    path = random_shard(tmp_path / "a.h5", [key])
    root = tmp_path / "img"
    (root / FOLDERS[0]).mkdir(parents=True)
    Image.new("RGB", (20, 20)).save(root / f"{unicodedata.normalize('NFD', key)}.png")
    with pytest.raises(NotFoundError, match=r"another form of Unicode \(NFC\).*unicodedata.normalize\('NFC'"):
        RelabelFolder(root, path, v1.ToTensor(), classes="maps")

    def composed(path):
        return unicodedata.normalize("NFC", os.path.splitext(path)[0])

    assert len(RelabelFolder(root, path, v1.ToTensor(), classes="maps", key=composed)) == 1


def test_names_with_dots_of_webdataset(tmp_path):
    maps = relabel_hdf5.open(random_shard(tmp_path / "a.h5", ["n/a.b", "n/c", "n/c.d", "n/e.f", "n/e.g"]))
    samples = [{"__key__": "n/a", "__url__": "x", "b.jpg": b""}, {"__key__": "n/c", "jpg": b""}]
    assert [sample["relabel"].key for sample in join_maps(samples, maps)] == ["n/a.b", "n/c"]
    with pytest.raises(UsageError, match="several pictures that have maps: n/e.f, n/e.g"):
        list(join_maps([{"__key__": "n/e", "f.jpg": b"", "g.jpg": b""}], maps))
    with pytest.raises(NotFoundError):
        list(join_maps([{"__key__": "n/a", "z.jpg": b""}], maps))


def test_classes_that_were_not_compared_give_no_labels(maps):
    data = folder(maps, classes="unchecked")
    assert data.labels is None and len(data[0]) == 2
    for options in ({"label": True}, {"missing": "one_hot"}):
        with pytest.raises(UsageError, match="nothing was compared.*classes='maps'"):
            folder(maps, classes="unchecked", **options)


@pytest.mark.parametrize("number", [np.int64(3), np.uint8(3), torch.tensor(3), True + 2])
def test_whole_numbers_of_any_type(maps, number):
    def order(three):
        sampler = EpochSampler(np.int32(20), seed=three, rank=np.int64(0), ranks=number - number + 2)
        sampler.set_epoch(three)
        return list(sampler)

    assert order(number) == order(3)
    assert relabel_hdf5.epoch_order(number, number, 9).tolist() == relabel_hdf5.epoch_order(3, 3, 9).tolist()
    assert len(next(iter(RelabelStream(folder(maps), batch_size=number)))) == 2
    for wrong in (3.0, "3", None):
        with pytest.raises(UsageError, match=f"seed is {wrong!r}, not a whole number"):
            EpochSampler(20, seed=wrong)
