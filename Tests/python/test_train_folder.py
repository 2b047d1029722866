"""RelabelFolder: the join of pictures and maps, and the targets that DataLoader gets from it."""

import pickle
import shutil

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader
from torchvision import datasets
from train_data import (
    FOLDERS,
    IMAGES,
    KEYS,
    ImportingFolder,
    pictures,
    random_crop,
    random_shard,
    seed,
    timm_train,
    transforms,
)

import relabel_hdf5
from relabel_hdf5 import BoxError, NotFoundError, RelabelError, UsageError, label_pooling
from relabel_hdf5.train import EpochSampler, Placement, RelabelFolder, collate_maps, with_box

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on machines with few cores

TRANSFORMS = {"torchvision": random_crop, "timm": timm_train}


@pytest.fixture(scope="module")
def maps(sample_dataset):
    return relabel_hdf5.open(sample_dataset)


def folder(maps, transform=None, kind=RelabelFolder, **options):
    options.setdefault("classes", "maps")
    return kind(options.pop("root", IMAGES), maps, transform or random_crop(), **options)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_items_are_the_transformed_picture_and_the_pooled_box(maps, transform):
    dataset = folder(maps, transform())
    alone = with_box(transform())
    for item in (0, 7, -1):
        seed(11)
        image, target = dataset[item]
        seed(11)
        key = KEYS[item]
        expected, box = alone(Image.open(IMAGES / f"{key}.JPEG").convert("RGB"))
        assert torch.equal(image, expected)
        assert target.dtype == torch.float32 and target.shape == (1000,)
        assert np.abs(target.numpy() - label_pooling(maps[key], box)).max() < 1e-6
        assert target.sum() == pytest.approx(1)


def test_items_come_in_the_order_of_image_folder(maps):
    dataset = folder(maps, label=True, classes="folder", dropped_mass="drop")
    reference = datasets.ImageFolder(IMAGES)
    assert [dataset.path(i) for i in range(len(dataset))] == [path for path, _ in reference.samples]
    assert [dataset[i][2] for i in range(len(dataset))] == reference.targets
    assert list(dataset.classes) == reference.classes
    assert [dataset.key(i) for i in range(len(dataset))] == KEYS
    assert dataset.unused == 0 and dataset.skipped == ()


def test_indexes_out_of_range(maps):
    dataset = folder(maps)
    for index in (len(KEYS), -len(KEYS) - 1):
        with pytest.raises(IndexError):
            dataset[index]


def test_a_batch_is_read_at_once(maps, monkeypatch):
    asked = []
    original = type(maps).targets
    monkeypatch.setattr(
        type(maps), "targets", lambda self, positions, *rest, **options: (
            asked.append(list(positions)) or original(self, positions, *rest, **options)
        ),
    )
    dataset = folder(maps)
    list(DataLoader(dataset, batch_size=6))
    assert [len(positions) for positions in asked] == [6, 6, 6]


def batches(dataset, workers, context="fork", number=0, **options):
    """One epoch, its random numbers from one seed: the main process draws where there are no workers."""
    seed(number)
    loader = DataLoader(
        dataset, batch_size=5, sampler=EpochSampler(dataset, seed=3), num_workers=workers,
        generator=torch.Generator().manual_seed(number),
        multiprocessing_context=context if workers else None, **options,
    )
    return list(loader)


@pytest.mark.parametrize("workers", [0, 4])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_data_loader_delivers_what_pooling_the_boxes_gives(sample_dataset, workers, transform):
    """Pooled in the workers, and pooled here from raw maps and boxes: the same images, the same targets."""
    pooled = folder(sample_dataset, transform())
    raw = folder(sample_dataset, transform(), targets="maps")
    positions = []
    for (images, targets), (same_images, batch, boxes) in zip(
        batches(pooled, workers), batches(raw, workers, collate_fn=collate_maps), strict=True
    ):
        assert torch.equal(images, same_images)
        assert images.dtype == torch.float32 and images.shape[1:] == (3, 32, 32)
        assert boxes.dtype == torch.float64 and targets.shape == (len(images), 1000)
        torch.testing.assert_close(targets, label_pooling(batch, boxes), atol=1e-6, rtol=0)
        positions += batch.positions.tolist()
    assert sorted(positions) == list(range(len(KEYS)))


def test_spawned_workers_deliver_what_forked_ones_do(sample_dataset):
    dataset = folder(sample_dataset, kind=ImportingFolder)
    forked, spawned = (batches(dataset, 2, context) for context in ("fork", "spawn"))
    for (images, targets), (same_images, same_targets) in zip(forked, spawned, strict=True):
        assert torch.equal(images, same_images) and torch.equal(targets, same_targets)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_epoch_twice_is_identical(sample_dataset, workers):
    dataset = folder(sample_dataset, timm_train())
    first, again, other = (batches(dataset, workers, number=number) for number in (7, 7, 8))
    for (images, targets), (same_images, same_targets) in zip(first, again, strict=True):
        assert torch.equal(images, same_images) and torch.equal(targets, same_targets)
    assert not torch.equal(first[0][0], other[0][0])


def test_raw_maps_travel_light(maps):
    images, batch, boxes, labels = collate_maps(folder(maps, targets="maps", label=True).__getitems__([2, 0]))
    assert batch.class_index.dtype == torch.int32 and batch.score.dtype == torch.float32
    assert batch.header.metadata == {} and len(pickle.dumps(batch.header)) < 2000
    assert labels.tolist() == [int(folder(maps).labels[i]) for i in (2, 0)]
    assert batch.positions.tolist() == [int(folder(maps).positions[i]) for i in (2, 0)]


class TestCollate:
    def test_maps_of_two_builds_make_no_batch(self, maps, tmp_path):
        """One header for both would decode or pool one of them wrongly."""
        other = random_shard(tmp_path / "a.h5", attributes={"orientation": "xy"})
        both = ConcatDataset([folder(maps, targets="maps"), folder(other, targets="maps")])
        with pytest.raises(UsageError, match="item 1 of the batch is of other maps than item 0: .*dataset"):
            collate_maps([both[0], both[len(KEYS)]])
        builds = [random_shard(tmp_path / f"{i}.h5", attributes={"build_id": str(i) * 64}) for i in (1, 2)]
        one, two = (folder(build, targets="maps")[0] for build in builds)
        with pytest.raises(UsageError, match="build_id is '2+', and '1+' there"):
            collate_maps([one, two])
        with pytest.raises(UsageError, match="item 2 "):
            collate_maps([one, one, two])

    def test_equal_headers_of_two_workers_make_a_batch(self, maps):
        dataset = folder(maps, targets="maps")
        items = [dataset[0], pickle.loads(pickle.dumps(dataset[1]))]
        assert items[0][1].header is not items[1][1].header
        assert collate_maps(items)[1].positions.tolist() == dataset.positions[:2].tolist()

    def test_shapes_and_lengths(self, maps):
        image, raw = folder(maps, targets="maps")[0]
        for changes in ({"class_index": raw.class_index[1:]}, {"score": raw.score[:, 1:]}):
            with pytest.raises(UsageError, match="item 1 of the batch has class_index .* item 0 "):
                collate_maps([(image, raw), (image, raw._replace(**changes))])
        with pytest.raises(UsageError, match="item 1 of the batch has 3 members, item 0 has 2"):
            collate_maps([(image, raw), (image, raw, 4)])

    def test_pooled_items_are_named(self, maps):
        for items in ([folder(maps)[0]], [folder(maps, targets="maps")[0], (torch.zeros(1),)], [5]):
            with pytest.raises(UsageError, match=r"has no label map.*RelabelFolder\(targets='maps'\)"):
                collate_maps(items)


def test_pictures_are_read_without_exif_rotation(maps, tmp_path):
    key = KEYS[0]
    root = pictures(tmp_path, [key])
    with Image.open(root / f"{key}.JPEG") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90 degrees
        size = picture.size
        picture.save(root / f"{key}.JPEG", exif=exif)
    image, _ = folder(maps, transforms.PILToTensor(), root=root)[0]
    assert image.shape == (3, size[1], size[0])


class TestClasses:
    def test_folders_of_some_classes_are_refused_by_default(self, maps):
        with pytest.raises(UsageError, match="15 in the folder, 1000 in the maps.*classes='maps'"):
            folder(maps, classes=None)

    def test_labels_are_columns_of_the_target(self, maps):
        dataset = folder(maps, label=True)
        ids = [entry.id for entry in maps.classes]
        assert dataset.num_classes == 1000 and dataset.classes == tuple(ids)
        for item in (0, 9):
            assert ids[dataset[item][2]] == KEYS[item].partition("/")[0]

    @pytest.mark.parametrize("dropped_mass", ["renormalise", "drop", "spread"])
    def test_subset(self, maps, dropped_mass):
        whole, subset = folder(maps, transforms.ToTensor()), folder(
            maps, transforms.ToTensor(), classes=FOLDERS[::-1], dropped_mass=dropped_mass
        )
        places = [[entry.id for entry in maps.classes].index(name) for name in FOLDERS[::-1]]
        kept = whole[3][1].double()[places]
        expected = {
            "renormalise": kept / kept.sum(), "drop": kept, "spread": kept + (1 - kept.sum()) / 15,
        }[dropped_mass]
        torch.testing.assert_close(subset[3][1].double(), expected, atol=1e-6, rtol=0)
        assert subset.num_classes == 15

    @pytest.mark.parametrize("options", [
        {"classes": "folder", "dropped_mass": "drop"}, {"classes": FOLDERS[::-1], "dropped_mass": "spread"},
        {"classes": "maps", "dropped_mass": "drop"},
    ])
    def test_raw_maps_have_no_other_columns(self, maps, options):
        with pytest.raises(UsageError, match="all their own classes.*need targets='pooled'"):
            folder(maps, targets="maps", **options)

    def test_raw_maps_have_the_classes_of_the_maps(self, maps, tmp_path):
        ids = [entry.id for entry in maps.classes]
        for classes in ("maps", "unchecked", ids):
            assert folder(maps, targets="maps", classes=classes).num_classes == 1000
        ten = random_shard(tmp_path / "a.h5")
        with pytest.raises(UsageError, match="own classes"):
            folder(ten, targets="maps", classes=FOLDERS[::-1])
        for classes in (None, "folder", FOLDERS):
            assert folder(ten, targets="maps", classes=classes).num_classes == len(FOLDERS)

    def test_a_folder_of_an_unknown_class(self, maps, tmp_path):
        root = pictures(tmp_path, KEYS[:1])
        (root / "n99999999").mkdir()
        with pytest.raises(UsageError, match="n99999999"):
            folder(maps, root=root)

    def test_maps_without_table(self, tmp_path):
        dataset = random_shard(tmp_path / "a.h5", classes=None)
        with pytest.raises(UsageError, match="no class table"):
            folder(dataset)
        assert folder(dataset, classes="unchecked")[0][1].shape == (10,)
        for options in ({"label": True}, {"missing": "one_hot"}):
            with pytest.raises(UsageError, match="it is not known which class"):
                folder(dataset, classes="unchecked", **options)


class TestMissing:
    @pytest.fixture
    def few(self, tmp_path):
        """Maps of seven of the eighteen pictures, and of one that has no picture."""
        keys = [KEYS[i] for i in (5, 1, 17, 3, 0, 9, 11)]
        return relabel_hdf5.open(random_shard(tmp_path / "few.h5", [*keys, "nobody"]))

    def test_error_names_the_first_ten_and_the_count(self, few):
        with pytest.raises(NotFoundError) as caught:
            folder(few)
        without = [key for key in KEYS if few.positions([key])[0] < 0]
        first = ", ".join(without[:10])
        assert f"11 of 18 pictures have no label map, the first of them: {first}." in str(caught.value)
        assert without[10] not in str(caught.value)

    def test_skip_leaves_them_out(self, few):
        dataset = folder(few, transforms.ToTensor(), missing="skip")
        assert len(dataset) == 7 and len(dataset.skipped) == 11
        assert sorted([*dataset.skipped, *(dataset.key(i) for i in range(7))]) == KEYS
        assert dataset.unused == 1
        for item in range(7):
            expected = label_pooling(few[dataset.key(item)], np.array([0.0, 0.0, 1.0, 1.0]))
            assert np.abs(dataset[item][1].numpy() - expected).max() < 1e-6

    def test_one_hot_stands_in(self, few):
        dataset = folder(few, transforms.ToTensor(), missing="one_hot", label=True)
        items = dataset.__getitems__(range(18))
        for item, (_, target, label) in enumerate(items):
            if dataset.positions[item] < 0:
                assert target.nonzero().flatten().tolist() == [label] and target[label] == 1
            else:
                assert len(target.nonzero()) == 15

    def test_all_missing_shows_a_key(self, maps, tmp_path):
        root = tmp_path / "train" / "images"
        shutil.copytree(IMAGES, root / "x")
        with pytest.raises(NotFoundError, match=r"18 of 18.*maps have keys such as n\d+/.*key="):
            folder(maps, root=root, classes="unchecked")

    @pytest.mark.parametrize("missing", ["error", "skip", "one_hot"])
    def test_a_complete_mismatch_is_refused_whatever_missing_says(self, maps, missing):
        with pytest.raises(NotFoundError) as caught:
            folder(maps, missing=missing, key=lambda path: f"train/{path}")
        path = f"{KEYS[0]}.JPEG"
        hint = f"{path} has the key train/{path}, the maps have keys such as {maps.key(0)}: key="
        assert "18 of 18" in str(caught.value) and hint in str(caught.value)
        assert "missing=" not in str(caught.value)

    def test_the_keys_are_suspected_before_anything_else(self, few):
        with pytest.raises(NotFoundError, match="the maps have keys such as .*key=.*missing='skip'"):
            folder(few)

    @pytest.mark.parametrize("made", [None, 7, b"n01/x"])
    def test_keys_are_strings(self, maps, made):
        with pytest.raises(UsageError, match=f"key= made {made!r} of the path '{KEYS[0]}.JPEG'"):
            folder(maps, key=lambda path: made)

    def test_keys_of_the_user(self, maps, tmp_path):
        for key in KEYS[:4]:
            pictures(tmp_path, [key])
        for path in tmp_path.rglob("*.JPEG"):
            path.rename(path.with_name(f"small_{path.name}"))
        dataset = folder(maps, root=tmp_path, key=lambda path: path.replace("small_", "")[: -len(".JPEG")])
        assert [dataset.key(i) for i in range(4)] == KEYS[:4]

    def test_two_pictures_of_one_map(self, maps, tmp_path):
        root = pictures(tmp_path, KEYS[:2])
        shutil.copy(root / f"{KEYS[1]}.JPEG", root / f"{KEYS[1]}.png")
        with pytest.raises(UsageError, match=f"the same map: {KEYS[1]}.JPEG and {KEYS[1]}.png"):
            folder(maps, root=root)

    @pytest.mark.parametrize(("options", "message"), [
        ({"missing": "ignore"}, "'error', 'skip' and 'one_hot'"),
        ({"missing": "one_hot", "targets": "maps"}, "not a label map"),
        ({"targets": "dense"}, "'pooled' and 'maps'"),
        ({"outside": "shrug"}, "shrug"),
        ({"targets": "maps", "profile": "relabel"}, r"label_pooling\(maps, boxes, profile='relabel'\)"),
        ({"targets": "maps", "outside": "clamp"}, r"label_pooling\(maps, boxes, outside='clamp'\)"),
        ({"root": "/nowhere"}, "no such image folder"),
        ({"extensions": (".gif",)}, "no pictures"),
        ({"transform": transforms.Lambda(str)}, "doesn't know"),
    ])
    def test_bad_options(self, maps, options, message):
        with pytest.raises(UsageError, match=message):
            folder(maps, **options)


CENTRE = {"map_extent": np.array([0.25, 0.25, 0.5, 0.5], "<f4")}


class TestPooling:
    def test_unknown_orientation_needs_a_profile(self, tmp_path):
        dataset = random_shard(tmp_path / "a.h5", height=4, attributes={"orientation": "unknown"})
        with pytest.raises(UsageError, match="orientation unknown"):
            folder(dataset)
        seed(0)
        one = folder(dataset, profile="relabel")[0][1]
        seed(0)
        other = folder(dataset, profile="relabel-2021")[0][1]
        assert not torch.equal(one, other)
        with pytest.raises(UsageError, match="no profile"):
            folder(dataset, profile="relabel-2020")

    def test_boxes_outside_the_maps_extent(self, tmp_path):
        dataset = random_shard(tmp_path / "a.h5", attributes=CENTRE)
        whole = transforms.Compose([transforms.Resize((100, 100)), transforms.ToTensor()])
        folder(dataset, transforms.Compose([whole, transforms.CenterCrop(40)]))[0]
        with pytest.raises(BoxError):
            folder(dataset, whole)[0]
        _, target, covered = folder(dataset, whole, outside="clamp")[0]
        assert covered == pytest.approx(0.25) and target.sum() == pytest.approx(1)

    def test_a_transform_that_shows_only_padding_names_the_image(self, maps):
        dataset = folder(maps, with_box(
            beside, known={beside: lambda transform, size: Placement.window(size, 0, size[1], 10, 10)}
        ))
        with pytest.raises(BoxError, match=f"image '{KEYS[2]}'.*padding"):
            dataset[2]

    @pytest.mark.parametrize("workers", [0, 1])
    def test_what_the_transform_raises_names_the_picture(self, maps, workers):
        dataset = folder(maps, with_box(failing, known={failing: "pixels"}))
        place = f"{dataset.path(2)}, image '{KEYS[2]}': the transform failed with KeyError: 'colour'"
        with pytest.raises(RelabelError) as caught:
            list(DataLoader(dataset, sampler=[2], num_workers=workers))
        assert place in str(caught.value) and not isinstance(caught.value, (UsageError, BoxError))
        if not workers:
            assert isinstance(caught.value.__cause__, KeyError)
            assert (caught.value.key, caught.value.file) == (KEYS[2], dataset.path(2))

    def test_a_transform_that_makes_what_cannot_be_followed_names_the_picture(self, maps):
        chain = with_box(transforms.Compose([as_array, transforms.CenterCrop(9)]), known={as_array: "pixels"})
        with pytest.raises(UsageError, match=f"image '{KEYS[1]}': a ndarray reached"):
            folder(maps, chain)[1]

    def test_a_broken_picture_is_named(self, maps, tmp_path):
        root = pictures(tmp_path, KEYS[:1])
        path = root / f"{KEYS[0]}.JPEG"
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(OSError, match=f"{KEYS[0]}.JPEG: this picture can't be read"):
            folder(maps, root=root)[0]

    def test_errors_of_workers_keep_their_class(self, tmp_path):
        dataset = random_shard(tmp_path / "a.h5", attributes=CENTRE)
        loader = DataLoader(folder(dataset, transforms.ToTensor()), sampler=[0], num_workers=1)
        with pytest.raises(BoxError, match="leaves what the map covers"):
            list(loader)


def beside(picture):
    """Stands for a crop beside the picture."""
    return picture


def failing(picture):
    raise KeyError("colour")


def as_array(picture):
    return np.asarray(picture)
