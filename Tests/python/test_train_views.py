"""Training on stored crops: the pixels, mixes and orders of a stored run, against torchvision and plain NumPy."""

import pickle

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
import view_shards
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

import relabel_hdf5
from relabel_hdf5 import InvalidDataError, NotFoundError, RelabelError, UnsupportedError, UsageError
from relabel_hdf5.epoch import epoch_keys, epoch_order
from relabel_hdf5.train import RandomViews, ReplayBatches, StoredCrops

SIZE = (8, 8)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Pictures n01/000.png ... of several sizes, noise in all of them."""
    root = tmp_path_factory.mktemp("pictures")
    (root / "n01").mkdir()
    generator = np.random.default_rng(11)
    for number in range(7):
        height, width = generator.integers(20, 60, 2)
        pixels = generator.integers(0, 256, (height, width, 3)).astype("u1")
        Image.fromarray(pixels).save(root / "n01" / f"{number:03}.png")
    return root


def write(stored, folder, **changes):
    return str(stored.shard(**changes).write(folder / "views.h5"))


def crop_of_torchvision(root, stored, row, interpolation=InterpolationMode.BILINEAR):
    """The picture of a view as the readers of FKD and SRe2L make it."""
    with Image.open(root / f"{stored.keys[row]}.png") as file:
        picture = file.convert("RGB")
    width, height = picture.size
    top, left, crop_height, crop_width = map(float, stored.columns["view_box"][row])
    edges = top * height, left * width, crop_height * height, crop_width * width
    picture = F.resized_crop(picture, *edges, SIZE, interpolation)
    if stored.columns["view_flip"][row]:
        picture = F.hflip(picture)
    return F.to_tensor(picture)


def crops(root, path, **options):
    return StoredCrops(root, path, classes="unchecked", **options)


def test_an_item_is_the_crop_and_its_target(root, tmp_path):
    stored = view_shards.crops(images=4, views=3)
    dataset = crops(root, write(stored, tmp_path))
    assert len(dataset) == 12 and dataset.num_classes == 10
    wanted = dataset.views.targets(range(12))
    for row in (0, 5, 11, -1):
        image, target = dataset[row]
        torch.testing.assert_close(image, crop_of_torchvision(root, stored, row), rtol=0, atol=0)
        assert target.tolist() == wanted[row].tolist()
    assert dataset.path(11).endswith("n01/003.png")
    with pytest.raises(IndexError):
        dataset[12]


def test_boxes_that_leave_the_picture(root, tmp_path):
    stored = view_shards.crops(images=2, views=2)
    stored.columns["view_box"] = [[-0.25, 0.5, 0.75, 0.75], [0, 0, 1, 1], [-1, -1, 3, 3], [0.031, 0.069, 0.5, 0.4]]
    dataset = crops(root, write(stored, tmp_path))
    for row in range(4):
        assert torch.equal(dataset[row][0], crop_of_torchvision(root, stored, row))


@pytest.mark.parametrize("said,given,mode", [("bicubic", None, "BICUBIC"), ("bilinear", "bicubic", "BICUBIC"), ("unknown", "bilinear", "BILINEAR")])  # fmt: skip
def test_interpolation(said, given, mode, root, tmp_path):
    stored = view_shards.crops()
    stored.document["interpolation"] = said
    dataset = crops(root, write(stored, tmp_path), interpolation=given)
    assert torch.equal(dataset[2][0], crop_of_torchvision(root, stored, 2, InterpolationMode[mode]))


def test_transform_and_temperature(root, tmp_path):
    stored = view_shards.crops()
    dataset = crops(root, write(stored, tmp_path), transform=lambda picture: F.to_tensor(picture) * 2 - 1, temperature=20)
    image, target = dataset[3]
    assert torch.equal(image, crop_of_torchvision(root, stored, 3) * 2 - 1)
    assert target.tolist() == dataset.views.targets([3], 20)[0].tolist()
    assert dataset.views.size == SIZE


# ---------------------------------------------------------------------------------------------- replay


def mixed_by_hand(root, stored, mix):
    """All pictures of a run [n, 3, 8, 8], mixed batch by batch as the training code of SRe2L does."""
    triples, rows = np.array(stored.columns["replay"]), len(stored.keys)
    plain = [crop_of_torchvision(root, stored, row) for row in range(rows)]
    found = [image.clone() for image in plain]
    for row in range(rows):
        partner = stored.columns[f"{mix}_partner"][row][1]
        other = next(n for n in range(rows) if triples[n].tolist() == [*triples[row, :2], partner])
        if mix == "mixup":
            lam = stored.columns["mixup_lambda"][row]
            found[row] = plain[row] * lam + plain[other] * (1 - lam)
        else:
            top, left, bottom, right = stored.columns["cutmix_box"][row]
            found[row][:, top:bottom, left:right] = plain[other][:, top:bottom, left:right]
    return found


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_a_run_is_replayed(mix, root, tmp_path):
    stored = view_shards.replayed(images=7, epochs=2, batch=4, mix=mix)
    dataset = crops(root, write(stored, tmp_path))
    images, triples = mixed_by_hand(root, stored, mix), np.array(stored.columns["replay"])
    sampler, seen = ReplayBatches(dataset), []
    assert sampler.epochs == (0, 1)
    for epoch in sampler.epochs:
        sampler.set_epoch(epoch)
        assert len(sampler) == 2
        for number, (pictures, targets) in enumerate(DataLoader(dataset, batch_sampler=sampler)):
            rows = [row for row in np.lexsort(triples.T[::-1]) if triples[row, :2].tolist() == [epoch, number]]
            torch.testing.assert_close(pictures, torch.stack([images[row] for row in rows]), rtol=0, atol=1e-6)
            assert targets.tolist() == dataset.views.targets(rows).tolist()
            seen += rows
    assert sorted(seen) == list(range(14))


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_a_mixed_view_alone_is_the_same(mix, root, tmp_path):
    stored = view_shards.replayed(images=7, mix=mix)
    dataset, images = crops(root, write(stored, tmp_path)), mixed_by_hand(root, stored, mix)
    for row in range(len(dataset)):
        torch.testing.assert_close(dataset[row][0], images[row], rtol=0, atol=1e-6)


def whole_run(dataset, workers, context=None):
    sampler, found = ReplayBatches(dataset), []
    for epoch in sampler.epochs:
        sampler.set_epoch(epoch)
        loader = DataLoader(dataset, batch_sampler=sampler, num_workers=workers, multiprocessing_context=context)
        found += [(images, targets) for images, targets in loader]
    return found


@pytest.mark.parametrize("workers,context", [(1, "fork"), (2, "fork"), (2, "spawn")])
def test_any_number_of_workers(workers, context, root, tmp_path):
    dataset = crops(root, write(view_shards.replayed(images=7), tmp_path))
    for one, other in zip(whole_run(dataset, 0), whole_run(dataset, workers, context), strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


@pytest.mark.parametrize("tail", ["drop", "pad", "uneven"])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_slices_of_every_batch(ranks, tail, root, tmp_path):
    path = write(view_shards.replayed(images=7, epochs=1, batch=4), tmp_path)
    views = relabel_hdf5.open(path).views
    parts = [list(ReplayBatches(views, rank=rank, ranks=ranks, tail=tail)) for rank in range(ranks)]
    for number in views.batches(0):
        whole = views.batch(0, number).positions.tolist()
        step = [position for part in parts for position in part[number]]
        lengths = {len(part[number]) for part in parts}
        if tail == "uneven":
            assert step == whole
        elif tail == "drop":
            assert step == whole[: len(whole) // ranks * ranks] and len(lengths) == 1
        else:
            assert step == (whole * 2)[: -(-len(whole) // ranks) * ranks] and len(lengths) == 1


@pytest.mark.parametrize("tail", ["drop", "pad", "uneven"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_whole_batches_in_turn(ranks, tail, tmp_path):
    path = write(view_shards.replayed(images=7, epochs=1, batch=3), tmp_path)
    views = relabel_hdf5.open(path).views
    batches = [views.batch(0, number).positions.tolist() for number in views.batches(0)]
    samplers = [ReplayBatches(views, rank=rank, ranks=ranks, share="batches", tail=tail) for rank in range(ranks)]
    parts = [list(sampler) for sampler in samplers]
    assert [len(part) for part in parts] == [len(sampler) for sampler in samplers]
    steps = [part[step] for step in range(max(map(len, parts))) for part in parts if step < len(part)]
    end = {"drop": 3 // ranks * ranks, "uneven": 3, "pad": -(-3 // ranks) * ranks}[tail]
    assert steps == (batches * 2)[:end]


def test_slices_load_partners_of_other_ranks(root, tmp_path):
    stored = view_shards.replayed(images=7)
    dataset, images = crops(root, write(stored, tmp_path)), mixed_by_hand(root, stored, "cutmix")
    for rank in range(2):
        for positions in ReplayBatches(dataset, rank=rank, ranks=2):
            for position, (image, _) in zip(positions, dataset.__getitems__(positions), strict=True):
                assert torch.equal(image, images[position])


def test_a_batch_too_small_for_its_ranks(tmp_path):
    path = write(view_shards.replayed(images=7, epochs=1, batch=4), tmp_path)
    with pytest.raises(UsageError, match="batch 0 of epoch 0 has 4 views, too few for 5 ranks"):
        list(ReplayBatches(path, rank=4, ranks=5))


def test_going_on_in_the_middle(tmp_path):
    path = write(view_shards.replayed(images=7, epochs=3, batch=2), tmp_path)
    sampler = ReplayBatches(path)
    sampler.set_epoch(1)
    whole = list(sampler)
    walk = iter(sampler)
    handed = [next(walk), next(walk)]
    for state in (sampler.state_dict(), sampler.state_dict(batches=2), pickle.loads(pickle.dumps(sampler.state_dict()))):
        again = ReplayBatches(path)
        again.load_state_dict(state)
        again.set_epoch(1)
        assert len(again) == 2 and handed + list(again) == whole
        again.set_epoch(2)
        assert len(again) == 4 and len(list(again)) == 4
    sampler.set_epoch(1, start=3)
    assert list(sampler) == whole[3:]
    for wrong in (5, -1, 0.5):
        with pytest.raises(UsageError):
            sampler.set_epoch(1, start=wrong)
    with pytest.raises(UsageError, match="another replay"):
        ReplayBatches(path, rank=0, ranks=2).load_state_dict(state)
    for wrong in (None, {}, {**state, "epoch": None}):
        with pytest.raises(UsageError):
            sampler.load_state_dict(wrong)
    with pytest.raises(NotFoundError, match="there is no epoch 3"):
        sampler.set_epoch(3)


# ------------------------------------------------------------------------------------------ random access


@pytest.mark.parametrize("per_image", [1, 2])
def test_random_views_are_those_of_the_spec(per_image, root, tmp_path):
    stored = view_shards.crops(images=5, views=4)
    dataset = crops(root, write(stored, tmp_path))
    sampler, drawn = RandomViews(dataset, seed=3, per_image=per_image), set()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        keys, wanted = epoch_keys(3, epoch, 5), []
        for image in epoch_order(3, epoch, 5).tolist():
            wanted += [4 * image + view for view in epoch_order(int(keys[image]), epoch, 4)[:per_image].tolist()]
        assert list(sampler) == wanted and len(sampler) == len(wanted) == 5 * per_image
        drawn |= set(wanted)
    assert len(drawn) == 20
    images, targets = next(iter(DataLoader(dataset, sampler=sampler, batch_size=4)))
    assert images.shape == (4, 3, 8, 8) and targets.shape == (4, 10)


def test_ranks_share_images(tmp_path):
    path = write(view_shards.crops(images=5, views=2), tmp_path)
    parts = [list(RandomViews(path, per_image=2, rank=rank, ranks=2, tail="uneven")) for rank in range(2)]
    assert sorted(parts[0] + parts[1]) == list(range(10)) and [len(part) for part in parts] == [4, 6]
    with pytest.raises(UsageError, match="at least 2 views"):
        RandomViews(path, per_image=3)


# ---------------------------------------------------------------------- what can't be made again, by name


def refusal(root, stored, folder, item=0, kind=RelabelError, **options):
    with pytest.raises(kind) as error:
        dataset = crops(root, write(stored, folder), **options)
        dataset[item]
    return error.value


def test_operations_are_read_but_not_replayed(root, tmp_path):
    stored = view_shards.crops()
    stored.columns["operations"] = ["", '{"rotate":90}', "", "", "", ""]
    stored.document["operations_schema"] = "example/1"
    dataset = crops(root, write(stored, tmp_path))
    assert torch.equal(dataset[0][0], crop_of_torchvision(root, stored, 0))
    assert dataset.views[1].operations == {"rotate": 90}
    error = refusal(root, stored, tmp_path, 1, UnsupportedError)
    assert "example/1" in str(error) and error.key == "n01/000"


def test_operations_that_are_about_other_crops(root, tmp_path):
    stored = view_shards.crops()
    stored.columns["operations"] = ["", '{"unlabelled":[[0,0,1,1,0]]}', '{"unlabelled":[],"rotate":1}', "", "", ""]
    stored.document["operations_schema"] = "relabel-views/fkd"
    dataset = crops(root, write(stored, tmp_path))
    assert torch.equal(dataset[1][0], crop_of_torchvision(root, stored, 1))
    with pytest.raises(UnsupportedError, match="relabel-views/fkd"):
        dataset[2]


@pytest.mark.parametrize("chain,wanted", [(["operations", "crop", "resize", "flip"], "whole"), (["crop", "resize", "flip", "operations"], "view")])  # fmt: skip
def test_operations_of_the_user(chain, wanted, root, tmp_path):
    stored, seen = view_shards.crops(), []
    stored.columns["operations"] = ["", '{"rotate":90}', "", "", "", ""]
    stored.document["chain"] = chain

    def operate(picture, operations, view):
        seen.append((picture.size, operations, view.position))
        return picture

    dataset = crops(root, write(stored, tmp_path), operations=operate)
    assert torch.equal(dataset[1][0], crop_of_torchvision(root, stored, 1))
    dataset[0]
    whole = Image.open(root / "n01" / "000.png").size
    assert seen == [(whole if wanted == "whole" else (8, 8), {"rotate": 90}, 1)]


def test_views_of_which_only_the_seed_is_known(root, tmp_path):
    stored = view_shards.crops()
    del stored.columns["view_box"]
    stored.columns["view_seed"] = list(range(6))
    assert "only the seed" in str(refusal(root, stored, tmp_path, kind=UsageError))
    dataset = crops(root, write(stored, tmp_path), cut=lambda picture, view: picture.resize((4, 4 + view.seed)))
    assert dataset[3][0].shape == (3, 7, 4)


def test_a_partner_that_is_not_stored(root, tmp_path):
    stored = view_shards.replayed(mix="mixup")
    stored.columns["mixup_partner"][3] = [2, -1]
    error = refusal(root, stored, tmp_path, 3, UnsupportedError)
    assert "is not stored" in str(error) and error.key == stored.keys[3]


def test_both_mixes_at_once(root, tmp_path):
    stored = view_shards.replayed(mix="cutmix")
    stored.columns["mixup_lambda"], stored.columns["mixup_partner"] = stored.columns["cutmix_lambda"], stored.columns["cutmix_partner"]
    assert "by mixup and by cutmix" in str(refusal(root, stored, tmp_path, 0, UnsupportedError))


HOSTILE = {
    "slot out of range": ("cutmix_partner", [-1, 99]),
    "slot far out of range": ("cutmix_partner", [-1, (1 << 63) - 1]),
    "another image": ("cutmix_partner", [6, 0]),
    "another lambda": ("cutmix_lambda", 0.123),
    "another box": ("cutmix_box", [0, 0, 1, 1]),
    "no batch": ("replay", [-1, -1, -1]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_partners_that_contradict(what, root, tmp_path):
    stored = view_shards.replayed(images=7, epochs=1)
    name, value = HOSTILE[what]
    row = next(r for r in range(7) if stored.columns["cutmix_partner"][r][1] != stored.columns["replay"][r][2])
    if what == "another image":
        value = [(stored.columns["cutmix_partner"][row][0] + 1) % 7, stored.columns["cutmix_partner"][row][1]]
    if what == "no batch":
        stored.columns["cutmix_partner"][row][1] = 7
    stored.columns[name] = [*stored.columns[name][:row], value, *stored.columns[name][row + 1 :]]
    error = refusal(root, stored, tmp_path, row, InvalidDataError)
    assert error.rule == "V029" and error.row == row, error


def test_boxes_that_mean_nothing(root, tmp_path):
    stored = view_shards.crops()
    stored.columns["view_box"][2] = [0, 0, float("inf"), 1]
    assert refusal(root, stored, tmp_path, 2, InvalidDataError).rule == "V003"
    stored.columns["view_box"][2] = [0.5, 0.5, 1e-6, 1e-6]
    assert "is empty" in str(refusal(root, stored, tmp_path, 2, UsageError))


def test_what_nobody_says(root, tmp_path):
    stored = view_shards.crops()
    stored.document["interpolation"] = "unknown"
    assert "interpolation='bilinear'" in str(refusal(root, stored, tmp_path, kind=UsageError))
    stored = view_shards.crops()
    stored.view_size = None
    assert "size=(height, width)" in str(refusal(root, stored, tmp_path, kind=UsageError))
    assert crops(root, write(stored, tmp_path), size=5)[0][0].shape == (3, 5, 5)
    stored = view_shards.crops()
    stored.columns["view_flip"][1] = 255
    assert "mirrored" in str(refusal(root, stored, tmp_path, 1, UsageError))
    stored = view_shards.crops()
    stored.document["antialias"] = False
    assert "antialiasing" in str(refusal(root, stored, tmp_path, kind=UsageError))
    assert "of a view of (8, 8)" in str(refusal(root, view_shards.replayed(), tmp_path, kind=UsageError, size=16))


def test_probabilities_have_their_temperature(root, tmp_path):
    path = write(view_shards.crops(), tmp_path, score_kind="probability")
    with pytest.raises(UsageError, match="made at temperature"):
        crops(root, path, temperature=20)


def test_pictures_that_are_missing(root, tmp_path):
    stored = view_shards.crops(folder="n02")
    error = refusal(root, stored, tmp_path, kind=NotFoundError)
    assert "n02/000" in str(error) and "n01/000" in str(error)
    dataset = crops(root, write(stored, tmp_path), key=lambda path: path.replace("n01", "n02")[:-4])
    assert dataset[0][0].shape == (3, 8, 8)


def test_maps_of_pictures_are_no_crops(root, tmp_path, sample_dataset):
    with pytest.raises(UsageError, match="no views"):
        StoredCrops(root, sample_dataset)
    with pytest.raises(UsageError, match="no run to replay"):
        ReplayBatches(write(view_shards.crops(), tmp_path))
