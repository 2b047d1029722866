"""with_box against painted pictures: every pixel says where it comes from."""

import math
import pickle
import random

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
from PIL import Image
from timm.data import auto_augment, create_transform, naflex_transforms, random_erasing
from timm.data import transforms as tt
from torchvision import transforms as v1
from torchvision.transforms import v2

from relabel_hdf5 import BoxError, UsageError
from relabel_hdf5.train import Placement, register, with_box

HEIGHT, WIDTH = 90, 120
OUTSIDE = -1.0


def painted(axis):
    """A picture whose pixels hold their own row (axis 0) or column (axis 1), in fractions of the picture."""
    rows, columns = np.mgrid[0.5:HEIGHT, 0.5:WIDTH].astype(np.float32)
    return Image.fromarray(rows / HEIGHT if axis == 0 else columns / WIDTH)


def shown_by(wrapped, after, outside):
    """Along each axis of a few crops: the box, the places that the pixels show, and the size of a pixel."""
    for number in range(6):
        for axis in (0, 1):
            seed(number)
            output, box = wrapped(painted(axis))
            values = np.asarray(output)
            if after and values.min() < -0.01:
                continue  # padding hides a corner
            yield axis, box, values[values > outside], 1 / (HEIGHT, WIDTH)[axis]


def seed(number):
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def seen(transform, number, axis):
    """The part of the picture that the output shows along an axis, read from its pixels, and the box."""
    seed(number)
    output, box = with_box(transform)(painted(axis))
    values = np.asarray(output, np.float64)
    values = values[0] if values.ndim == 3 else values
    profile = np.moveaxis(values, axis, 0).max(axis=1)  # the other axis may hold padding too
    inside = np.flatnonzero(profile > -0.5)
    first, last = inside[0], inside[-1] + 1
    margin = (last - first) // 5  # resampling bends the values at borders
    middle = np.arange(first + margin, last - margin)
    slope, start = np.polyfit(middle + 0.5, profile[middle], 1)
    ends = start + slope * first, start + slope * last
    return (max(min(ends), 0.0), min(max(ends), 1.0)), box


V1 = {
    "crop then resize": v1.RandomResizedCrop(64),
    "crop, flip": v1.Compose([
        v1.RandomResizedCrop((48, 64)), v1.RandomHorizontalFlip(), v1.RandomVerticalFlip(),
    ]),
    "flip, crop": v1.Compose([v1.RandomHorizontalFlip(), v1.RandomVerticalFlip(), v1.RandomResizedCrop(64)]),
    "resize then crop": v1.Compose([v1.Resize(70), v1.CenterCrop(50)]),
    "odd centre": v1.CenterCrop((41, 36)),
    "centre larger": v1.Compose([v1.CenterCrop((131, 64)), v1.ToTensor()]),
    "larger, then smaller": v1.Compose([v1.CenterCrop((131, 131)), v1.CenterCrop(60)]),
    "crops in a row": v1.Compose([
        v1.RandomCrop(80), v1.RandomHorizontalFlip(), v1.RandomCrop((50, 40)), v1.Resize(60),
    ]),
    "padded crop": v1.RandomCrop(80, padding=(20, 5), fill=OUTSIDE),
    "four paddings": v1.RandomCrop(88, padding=(4, 8, 16, 32), fill=OUTSIDE),
    "pad if needed": v1.RandomCrop((100, 60), pad_if_needed=True, fill=OUTSIDE),
    "pad": v1.Compose([v1.Pad((10, 20, 30, 5), fill=OUTSIDE), v1.CenterCrop(100)]),
    "pad one": v1.Compose([v1.Pad(7, fill=OUTSIDE), v1.RandomCrop(60)]),
    "apply": v1.RandomApply([v1.RandomCrop(60), v1.RandomHorizontalFlip(1.0)], p=0.5),
    "choice": v1.RandomChoice(
        [v1.RandomCrop(60), v1.CenterCrop(50), v1.RandomHorizontalFlip(1.0)], p=[1, 2, 1]
    ),
    "order": v1.RandomOrder([v1.RandomResizedCrop(75), v1.RandomHorizontalFlip(), v1.CenterCrop(40)]),
    "sequential": torch.nn.Sequential(v1.RandomCrop(60), v1.RandomHorizontalFlip()),
    "nested": v1.Compose([v1.Compose([v1.RandomCrop(80)]), torch.nn.Sequential(v1.CenterCrop(50))]),
    "module list": v1.RandomApply(torch.nn.ModuleList([v1.RandomCrop(60)]), p=0.5),
}
V2 = {
    "crop, flip": v2.Compose([v2.RandomResizedCrop(64), v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]),
    "flip, crop": v2.Compose([
        v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomResizedCrop((48, 64)),
    ]),
    "resize then crop": v2.Compose([v2.Resize(70), v2.CenterCrop((50, 41))]),
    "centre larger": v2.CenterCrop((60, 131)),
    "larger, then smaller": v2.Compose([v2.CenterCrop((131, 131)), v2.CenterCrop(60)]),
    "padded crop": v2.RandomCrop(80, padding=(20, 5), fill=OUTSIDE),
    "pad if needed": v2.RandomCrop((100, 60), padding=(4, 0, 8, 1), pad_if_needed=True, fill=OUTSIDE),
    "pad": v2.Compose([v2.Pad([10, 20], fill=OUTSIDE), v2.RandomCrop(100)]),
    "apply": v2.RandomApply([v2.RandomCrop(60), v2.RandomHorizontalFlip(1.0)], p=0.5),
    "choice": v2.RandomChoice(
        [v2.RandomCrop(60), v2.CenterCrop(50), v2.RandomVerticalFlip(1.0)], p=[1, 3, 0.3]
    ),
    "order": v2.RandomOrder([v2.RandomResizedCrop(75), v2.RandomHorizontalFlip(), v2.CenterCrop(40)]),
    "resizes": v2.Compose([v2.RandomResize(50, 90), v2.RandomShortestSize(60), v2.RandomCrop(45)]),
    "scale jitter": v2.Compose([v2.ScaleJitter((64, 64), (0.8, 1.0)), v2.CenterCrop(40)]),
}
TIMM = {
    "crop": v1.Compose([
        tt.RandomResizedCropAndInterpolation(64, interpolation="random"), v1.RandomHorizontalFlip(),
    ]),
    "keep ratio": v1.Compose([
        tt.ResizeKeepRatio(
            64, interpolation="random", random_scale_prob=0.5, random_scale_area=True, random_aspect_prob=0.5
        ),
        tt.RandomCropOrPad(64, fill=OUTSIDE),
    ]),
    "border": v1.Compose([tt.ResizeKeepRatio(70, longest=1.0), tt.CenterCropOrPad(64, fill=OUTSIDE)]),
    "larger, then smaller": v1.Compose([tt.CenterCropOrPad((131, 131)), tt.CenterCropOrPad(60)]),
    "crop or pad": tt.RandomCropOrPad((100, 61), fill=OUTSIDE),
    "pad or crop": tt.RandomCropOrPad((61, 150), fill=OUTSIDE),
    "trim": v1.Compose([tt.TrimBorder(7), v1.RandomCrop(60)]),
    "sequence": v1.Compose([naflex_transforms.RandomResizedCropToSequence(8, 64), v1.RandomHorizontalFlip()]),
    "resize to sequence": v1.Compose([naflex_transforms.ResizeToSequence(8, 64), v1.RandomCrop(40)]),
}
CASES = [
    pytest.param(transform, id=f"{family} {name}")
    for family, table in (("v1", V1), ("v2", V2), ("timm", TIMM)) for name, transform in table.items()
]


@pytest.mark.parametrize("transform", CASES)
def test_box_is_what_the_output_shows(transform):
    for number in range(8):
        for axis in (0, 1):
            shown, box = seen(transform, number, axis)
            assert box.dtype == np.float64 and box.shape == (4,)
            assert box[axis] == pytest.approx(shown[0], abs=0.004), (number, axis)
            assert box[axis] + box[axis + 2] == pytest.approx(shown[1], abs=0.004), (number, axis)


def photo(size=(160, 120)):
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(values)


PHOTOMETRIC_V1 = v1.Compose([
    v1.RandomResizedCrop(48), v1.RandomHorizontalFlip(), v1.ColorJitter(0.4, 0.4, 0.4, 0.1),
    v1.RandomGrayscale(0.5), v1.RandomApply([v1.GaussianBlur(5)], 0.5), v1.RandomSolarize(128),
    v1.RandomPosterize(4), v1.RandomInvert(), v1.RandomAdjustSharpness(2), v1.RandomAutocontrast(),
    v1.RandomEqualize(), v1.ToTensor(),
    v1.Normalize((0.5,) * 3, (0.2,) * 3), v1.RandomErasing(0.5), v1.ConvertImageDtype(torch.float64),
])
PHOTOMETRIC_V2 = v2.Compose([
    v2.RandomCrop(50, padding=4), v2.RandomResizedCrop(48), v2.RandomHorizontalFlip(), v2.ToImage(),
    v2.RandomPhotometricDistort(), v2.RandomChannelPermutation(),
    v2.ToDtype(torch.float32, scale=True),
    v2.GaussianNoise(), v2.Normalize((0.5,) * 3, (0.2,) * 3), v2.RandomErasing(0.5), v2.Identity(),
    v2.ToPureTensor(),
])
TIMM_TRAIN = {
    "plain": {},
    "blur": {"gaussian_blur_prob": 0.5, "grayscale_prob": 0.5, "color_jitter_prob": 0.5},
    "flips and erasing": {"vflip": 0.5, "re_prob": 0.5},
    "rkrc": {"train_crop_mode": "rkrc", "interpolation": "random"},
    "rkrr": {"train_crop_mode": "rkrr"},
    "no aug": {"no_aug": True},
    "prefetcher": {"use_prefetcher": True},
    "pixels only": {"auto_augment": "rand-m9-t3a"},
}


def timm_transform(**options):
    return create_transform(48, is_training=True, **options)


@pytest.mark.parametrize("transform", [
    *CASES,
    pytest.param(PHOTOMETRIC_V1, id="v1 photometric"),
    pytest.param(PHOTOMETRIC_V2, id="v2 photometric"),
    *(pytest.param(timm_transform(**options), id=f"timm {name}") for name, options in TIMM_TRAIN.items()),
    pytest.param(create_transform(48), id="timm eval"),
    pytest.param(create_transform((48, 32), crop_mode="border"), id="timm border"),
    pytest.param(create_transform(48, crop_mode="squash", crop_border_pixels=3), id="timm squash"),
])
def test_same_pixels_and_random_numbers_as_unwrapped(transform):
    wrapped = with_box(transform)
    for number in range(5):
        picture = photo() if number % 2 else photo((110, 130))
        seed(number)
        plain = transform(picture)
        after = torch.rand(1).item(), random.random(), np.random.rand()
        seed(number)
        output, box = wrapped(picture)
        assert after == (torch.rand(1).item(), random.random(), np.random.rand())
        assert np.array_equal(np.asarray(plain), np.asarray(output))
        assert (box[2:] > 0).all() and (box[:2] >= 0).all() and (box[:2] + box[2:] <= 1 + 1e-12).all()


def test_tensors_are_followed_as_pictures_are():
    picture = torch.from_numpy(np.stack([np.asarray(painted(0)), np.asarray(painted(1))]))
    for crop in (v1.RandomResizedCrop, v2.RandomResizedCrop, tt.RandomResizedCropAndInterpolation):
        output, box = with_box(crop(64))(picture)
        assert output.shape == (2, 64, 64)
        assert box[0] + box[2] / 2 == pytest.approx(output[0].mean().item(), abs=0.01)
        assert box[1] + box[3] / 2 == pytest.approx(output[1].mean().item(), abs=0.01)


class TestExamplesOfTheSpecification:
    """Section 13.6."""

    def test_crop_then_resize_has_the_exact_fractions(self):
        drawn = []
        crop = v1.RandomResizedCrop(32)
        for number in range(20):
            seed(number)
            drawn.append(crop.get_params(photo((333, 500)), crop.scale, crop.ratio))
            seed(number)
            _, box = with_box(v1.Compose([crop, v1.RandomHorizontalFlip(1.0)]))(photo((333, 500)))
            top, left, height, width = drawn[-1]
            assert box.tolist() == [top / 500, left / 333, height / 500, width / 333]

    @pytest.mark.parametrize("library", [v1, v2])
    def test_resize_then_crop(self, library):
        _, box = with_box(library.Compose([library.Resize(256), library.CenterCrop(224)]))(photo((400, 300)))
        assert box.tolist() == [16 / 256, 58 / 341, 224 / 256, 224 / 341]

    def test_crops_in_a_row(self):
        _, box = with_box(v1.Compose([v1.CenterCrop((50, 80)), v1.CenterCrop((25, 20))]))(photo((160, 100)))
        assert box.tolist() == [(25 + 12) / 100, (40 + 30) / 160, 25 / 100, 20 / 160]

    def test_flip_before_the_crop(self):
        crop = known_window(0, 10, 50, 30)
        across, down = v1.RandomHorizontalFlip(1.0), v1.RandomVerticalFlip(1.0)
        _, box = with_box(v1.Compose([across, crop]), known={type(crop): handler})(photo((100, 50)))
        assert box.tolist() == [0, 0.6, 1, 0.3]
        _, box = with_box(v1.Compose([down, crop]), known={type(crop): handler})(photo((100, 60)))
        assert box.tolist() == [10 / 60, 0.1, 50 / 60, 0.3]

    def test_padding_is_cut_off(self):
        _, box = with_box(v1.Compose([v1.Pad(50), v1.CenterCrop(110)]))(photo((100, 100)))
        assert box.tolist() == [0, 0, 1, 1]

    def test_what_a_crop_cut_away_does_not_come_back_with_padding(self):
        transform = v1.Compose([v1.CenterCrop(40), v1.Pad(30)])
        _, box = with_box(transform)(photo((100, 100)))
        assert box.tolist() == [0.3, 0.3, 0.4, 0.4]

    def test_nothing_but_padding_has_no_target(self):
        crop = known_window(0, 0, 10, 10)
        transform = with_box(v1.Compose([v1.Pad(20), crop]), known={type(crop): handler})
        with pytest.raises(BoxError, match="nothing of the picture but padding"):
            transform(photo())


class known_window:  # noqa: N801
    """A crop of ours at a fixed place."""

    def __init__(self, *window):
        self.window = window

    def __call__(self, picture):
        return v1.functional.crop(picture, *self.window)


def handler(transform, size):
    np.random.rand()  # what a handler draws is put back
    return Placement.window(size, *transform.window)


class MyNoise:
    def __call__(self, picture):
        return picture


class MyCrop(v1.RandomResizedCrop):
    """A subclass, which may do anything."""


def whiten(picture):
    return picture


class TestUnknown:
    @pytest.mark.parametrize(("transform", "name"), [
        (v1.Lambda(whiten), "Lambda"),
        (v1.FiveCrop(10), "FiveCrop"),
        (MyNoise(), "MyNoise"),
        (MyCrop(32), "MyCrop"),
        (whiten, "whiten"),
        (v2.RandomZoomOut(), "RandomZoomOut"),
        (torch.nn.Linear(2, 2), "Linear"),
    ])
    def test_refused_when_wrapped(self, transform, name):
        for inside in (transform, v1.Compose([v1.CenterCrop(32), transform]),
                       v1.Compose([v1.RandomApply([v2.RandomChoice([transform])])])):
            with pytest.raises(UsageError, match=rf"doesn't know .*{name}.*known=.*register"):
                with_box(inside)

    def test_declared_by_the_user(self):
        transform = v1.Compose([v1.CenterCrop(60), MyNoise(), whiten])
        _, box = with_box(transform, known={MyNoise: "pixels", whiten: "pixels"})(photo((120, 120)))
        assert box.tolist() == [0.25, 0.25, 0.5, 0.5]
        with pytest.raises(UsageError, match="whiten"):
            with_box(transform, known={MyNoise: "pixels"})

    def test_declared_as_another_class(self):
        crop = MyCrop(32)
        seed(1)
        expected = crop.get_params(photo(), crop.scale, crop.ratio)
        seed(1)
        _, box = with_box(crop, known={MyCrop: v1.RandomResizedCrop})(photo())
        assert box.tolist() == [expected[0] / 120, expected[1] / 160, expected[2] / 120, expected[3] / 160]
        with pytest.raises(UsageError, match="MyNoise is not a class"):
            with_box(crop, known={MyCrop: MyNoise})

    def test_registered(self):
        class Registered(MyNoise):
            pass

        with pytest.raises(UsageError):
            with_box(Registered())
        register(Registered, "pixels")
        assert with_box(Registered())(photo())[1].tolist() == [0, 0, 1, 1]
        with pytest.raises(UsageError, match="neither"):
            register(Registered, "pixel")

    def test_handlers_of_the_user_leave_the_random_numbers_alone(self):
        crop = known_window(5, 5, 20, 20)
        seed(3)
        with_box(crop, known={known_window: handler})(photo())
        drawn = np.random.rand()
        seed(3)
        assert drawn == np.random.rand()

    def test_parts_are_not_a_transform(self):
        with pytest.raises(UsageError, match="one Compose"):
            with_box(create_transform(48, is_training=True, separate=True))

    def test_none_is_not_a_transform(self):
        with pytest.raises(UsageError, match="transform = None: give one of torchvision or timm"):
            with_box(None)

    def test_arrays_have_no_size_to_follow(self):
        with pytest.raises(UsageError, match="ndarray"):
            with_box(v1.CenterCrop(10))(np.zeros((20, 20, 3), np.uint8))


GEOMETRIC = [
    v1.RandAugment(), v1.AutoAugment(), v1.TrivialAugmentWide(), v1.AugMix(), v1.RandomRotation(10),
    v1.RandomAffine(10), v1.RandomPerspective(), v1.ElasticTransform(),
    v2.RandAugment(), v2.AutoAugment(), v2.TrivialAugmentWide(), v2.AugMix(), v2.RandomRotation(10),
    v2.RandomAffine(10), v2.RandomPerspective(), v2.ElasticTransform(),
    auto_augment.rand_augment_transform("rand-m9-mstd0.5-inc1", {}),
    auto_augment.auto_augment_transform("v0", {}),
    auto_augment.augment_and_mix_transform("augmix-m5", {}),
]
VISION = (
    v1.RandAugment, v1.AutoAugment, v1.TrivialAugmentWide, v2.RandAugment, v2.AutoAugment, v2.TrivialAugmentWide,
)
MOVING = ["Rotate", "ShearX", "ShearY", "TranslateX", "TranslateXRel", "TranslateY", "TranslateYRel"]


class TestGeometric:
    @pytest.mark.parametrize("transform", GEOMETRIC, ids=lambda t: f"{type(t).__module__}.{type(t).__name__}")
    def test_refused_unless_the_user_says_so(self, transform):
        inside = v1.Compose([v1.RandomResizedCrop(48), transform])
        with pytest.raises(UsageError, match=r"(Aug|Random|Elastic|Rotate|Shear).*'ignore'"):
            with_box(inside)
        seed(0)
        plain = inside(photo())
        seed(0)
        output, box = with_box(inside, geometric="ignore")(photo())
        assert np.array_equal(np.asarray(plain), np.asarray(output))
        seed(0)
        assert box.tolist() == with_box(v1.RandomResizedCrop(48))(photo())[1].tolist()

    def test_timm_recipe_is_refused_and_followed(self):
        transform = create_transform(48, is_training=True, auto_augment="rand-m9-mstd0.5-inc1", re_prob=0.25)
        with pytest.raises(UsageError, match=r"Rotate.*with_box\(transform, geometric='follow'\)"):
            with_box(transform)
        wrapped = with_box(transform, geometric="follow")
        for number in range(10):
            seed(number)
            plain = transform(photo())
            after = random.random(), np.random.rand()
            seed(number)
            output, box = wrapped(photo())
            assert torch.equal(plain, output)
            assert after == (random.random(), np.random.rand())

    def test_photometric_augmentation_passes(self):
        transform = auto_augment.rand_augment_transform("rand-m9-t3a", {})
        assert with_box(transform)(photo())[1].tolist() == [0, 0, 1, 1]

    @pytest.mark.parametrize("transform", [
        t for t in GEOMETRIC if "timm" not in type(t).__module__ and not isinstance(t, VISION)
    ])
    def test_what_cannot_be_followed_says_so(self, transform):
        with pytest.raises(UsageError, match=r"box: with_box\(transform, geometric='ignore'\)"):
            with_box(transform, geometric="follow")

    def test_unknown_word(self):
        with pytest.raises(UsageError, match="'maybe'"):
            with_box(v1.CenterCrop(3), geometric="maybe")

    def test_unknown_operation_of_timm(self):
        op = auto_augment.AugmentOp("Invert")
        op.name = "Swirl"
        with pytest.raises(UsageError, match="Swirl"):
            with_box(auto_augment.RandAugment([op]), geometric="ignore")

    @pytest.mark.parametrize("after", [[], [v1.RandomCrop((40, 50))]], ids=["whole", "cropped"])
    @pytest.mark.parametrize("name", MOVING)
    @pytest.mark.parametrize("magnitude", [3, 10])
    def test_followed_operations_against_painted_pictures(self, name, magnitude, after):
        """The box bounds what the pixels show: never smaller, and larger by less than two pixels.

        A crop afterwards tells directions apart.
        """
        hparams = {"translate_const": 30, "img_mean": OUTSIDE, "interpolation": Image.BILINEAR}
        op = auto_augment.AugmentOp(name, prob=0.8, magnitude=magnitude, hparams=hparams)
        augment = auto_augment.RandAugment([op], 1)
        chain = v1.Compose([v1.RandomCrop((70, 90)), augment, *after, v1.RandomHorizontalFlip()])
        wrapped = with_box(chain, geometric="follow")
        for axis, box, shown, pixel in shown_by(wrapped, after, -0.01):
            assert box[axis] <= shown.min() and box[axis] + box[axis + 2] >= shown.max()
            assert box[axis] == pytest.approx(shown.min(), abs=1.6 * pixel)
            assert box[axis] + box[axis + 2] == pytest.approx(shown.max(), abs=1.6 * pixel)

    def test_translation_example_of_the_specification(self):
        """A picture moved right by 0.1 of its width shows (0, 0, 1, 0.9)."""
        op = auto_augment.AugmentOp("TranslateXRel", prob=1.0, magnitude=10, hparams={"translate_pct": 0.1})
        for number in range(10):
            random.seed(number)
            _, box = with_box(op, geometric="follow")(photo((100, 50)))
            assert box[1:] == pytest.approx([0, 1, 0.9]) or box[1:] == pytest.approx([0.1, 1, 0.9])

    def test_turned_picture_shows_nearly_all_of_itself(self):
        op = auto_augment.AugmentOp("Rotate", prob=1.0, magnitude=10)
        assert with_box(op, geometric="follow")(photo())[1].tolist() == [0, 0, 1, 1]

    def test_crop_of_a_turned_picture(self):
        """The corners of the crop, turned back about the middle of the picture, make the bounding box."""
        op = auto_augment.AugmentOp("Rotate", prob=1.0, magnitude=10)  # 30 degrees one way or the other
        _, box = with_box(v1.Compose([op, v1.CenterCrop(20)]), geometric="follow")(photo((100, 100)))
        reach = 10 * (math.cos(math.radians(30)) + math.sin(math.radians(30))) / 100
        assert box == pytest.approx([0.5 - reach, 0.5 - reach, 2 * reach, 2 * reach])


def of_one_operation(kind, name, magnitude):
    """A RandAugment or TrivialAugmentWide of torchvision that knows one operation."""
    augment = kind(interpolation=v1.InterpolationMode.NEAREST, fill=OUTSIDE)
    if hasattr(augment, "_AUGMENTATION_SPACE"):
        augment._AUGMENTATION_SPACE = {name: (lambda bins, height, width: torch.full((bins,), magnitude), True)}
    else:
        augment._augmentation_space = lambda bins, *_: {name: (torch.full((bins,), magnitude), True)}
    return augment


class TestAugmentationsOfTorchvision:
    """RandAugment, AutoAugment and TrivialAugmentWide are followed as timm's are."""

    @pytest.mark.parametrize("as_tensor", [False, True], ids=["PIL", "tensor"])
    @pytest.mark.parametrize("after", [[], [v1.RandomCrop((40, 50))]], ids=["whole", "cropped"])
    @pytest.mark.parametrize(("name", "magnitude"), [
        ("Rotate", 9.0), ("ShearX", 0.2), ("ShearY", 0.15), ("TranslateX", 11.7), ("TranslateY", 14.2),
    ])
    @pytest.mark.parametrize("kind", [kind for kind in VISION if "AutoAugment" not in kind.__name__])
    def test_operations_against_painted_pictures(self, kind, name, magnitude, after, as_tensor):
        """The box bounds what the pixels show: never smaller, and larger by a few pixels at most."""
        before = [v2.PILToTensor()] if as_tensor else []
        augment = of_one_operation(kind, name, magnitude)
        chain = v1.Compose([*before, v1.RandomCrop((70, 90)), augment, *after, v1.RandomHorizontalFlip()])
        wrapped, compared = with_box(chain, geometric="follow"), 0
        for axis, box, shown, pixel in shown_by(wrapped, after, -0.5):
            compared += 1
            assert box[axis] <= shown.min() + 0.51 * pixel and box[axis] + box[axis + 2] >= shown.max() - 0.51 * pixel
            assert box[axis] == pytest.approx(shown.min(), abs=2.6 * pixel)
            assert box[axis] + box[axis + 2] == pytest.approx(shown.max(), abs=2.6 * pixel)
        assert compared

    @pytest.mark.parametrize("kind", VISION)
    @pytest.mark.parametrize("as_tensor", [False, True], ids=["PIL", "tensor"])
    def test_pixels_and_random_numbers_are_the_transforms_own(self, kind, as_tensor):
        picture = v2.PILToTensor()(photo()) if as_tensor else photo()
        # Of AutoAugment's policies, ImageNet's only turns pictures, which shows all of them.
        augment = kind(policy=v1.AutoAugmentPolicy.SVHN) if "AutoAugment" in kind.__name__ else kind()
        wrapped, boxes = with_box(augment, geometric="follow"), set()
        for number in range(20):
            seed(number)
            output, box = wrapped(picture)
            after = torch.rand(3)
            seed(number)
            assert np.array_equal(np.asarray(output), np.asarray(augment(picture)))
            assert torch.equal(after, torch.rand(3))
            boxes.add(tuple(box.tolist()))
        assert len(boxes) > 1, "no operation has moved the picture"

    def test_unknown_operation(self):
        augment = of_one_operation(v2.RandAugment, "Swirl", 1.0)
        augment._apply_image_or_video_transform = lambda picture, *_, **__: picture
        with pytest.raises(UsageError, match="torchvision's operation Swirl"):
            with_box(augment, geometric="follow")(photo())

    def test_wrapped_ones_travel_to_workers(self):
        for kind in VISION:
            wrapped = pickle.loads(pickle.dumps(with_box(kind(), geometric="follow")))
            assert len(wrapped(photo())[1]) == 4


def test_wrapped_transforms_travel_to_workers():
    wrapped = pickle.loads(pickle.dumps(with_box(timm_transform(auto_augment="rand-m9"), geometric="follow")))
    seed(5)
    _, box = wrapped(photo())
    seed(5)
    assert box.tolist() == with_box(wrapped.transform, geometric="follow")(photo())[1].tolist()


def test_erasing_of_timm_leaves_the_box_alone():
    erasing = random_erasing.RandomErasing(1.0, device="cpu")
    transform = v1.Compose([v1.CenterCrop(60), v1.ToTensor(), erasing])
    assert with_box(transform)(photo((120, 120)))[1].tolist() == [0.25, 0.25, 0.5, 0.5]
