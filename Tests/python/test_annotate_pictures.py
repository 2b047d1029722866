"""Pictures on their way into a network: which, in which order, and what of them it sees."""

import io
import shutil

import numpy as np
import pytest
import torch
import torchvision_import  # noqa: F401
from conftest import SAMPLES
from PIL import Image
from torchvision import datasets
from torchvision.transforms import functional

from relabel_hdf5 import InvalidDataError, UsageError
from relabel_hdf5.annotate import Preprocessing, list_pictures
from relabel_hdf5.annotate.fitting import shown
from relabel_hdf5.annotate.pictures import Picture, Unreadable, load_picture
from relabel_hdf5.annotate.preprocessing import decoded, is_rotated
from relabel_hdf5.annotate.session import parts

PHOTO = sorted((SAMPLES / "images").rglob("*.JPEG"))[0]
USUAL = Preprocessing((96, 128), (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def saved(picture, kind="png", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_order_is_that_of_image_folder(tmp_path):
    names = ("b/2.jpg", "b/10.JPEG", "a/x.png", "a/y/z.jpg", "a/zz.jpg", "a/a.txt", "ab/1.jpg", "a-b/1.jpg", "a/y z/1.jpg")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name, "png") if not name.endswith("txt") else (tmp_path / name).touch()
    theirs = [path.removeprefix(f"{tmp_path}/") for path, _ in datasets.ImageFolder(tmp_path).samples]
    assert list(list_pictures(tmp_path).paths) == theirs
    before = list_pictures(tmp_path).sha256
    for hidden in ("a/._x.png", ".trash/1.png"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "a" / "x.png", tmp_path / hidden)
    assert list_pictures(tmp_path).sha256 == before
    shutil.copy(tmp_path / "a" / "x.png", tmp_path / "a" / "w.png")
    assert list_pictures(tmp_path).sha256 != before
    assert [path for path in list_pictures(SAMPLES / "images").paths] == (
        (SAMPLES / "images.txt").read_text().split()
    )


def test_two_pictures_of_one_key_are_refused(tmp_path):
    for name in ("cat.jpg", "cat.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    with pytest.raises(InvalidDataError, match="same key") as error:
        list_pictures(tmp_path)
    assert error.value.key == "cat"


def test_a_link_into_a_folder_above_is_no_endless_listing(tmp_path):
    for folder in ("a", "a/b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / folder / "x.png")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    assert list_pictures(tmp_path).paths == ("a/x.png", "a/b/x.png")


@pytest.mark.parametrize("make", [lambda path: path / "nothing", lambda path: path])
def test_a_folder_without_pictures_is_refused(make, tmp_path):
    with pytest.raises(UsageError):
        list_pictures(make(tmp_path))


def test_squash_is_one_resize():
    picture = decoded(PHOTO.read_bytes())
    expected = np.asarray(picture.resize((128, 96), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.array_equal(USUAL.pixels(picture), expected)
    assert USUAL.extent(picture) == (0, 0, 1, 1)


def test_crop_shows_what_its_extent_says():
    """The oracle: torchvision's crop of the extent in pixels, resized."""
    crop = Preprocessing((96, 96), USUAL.mean, USUAL.std, resize="crop", crop_share=0.875)
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (320, 480, 3), dtype=np.uint8))
    top, left, height, width = crop.extent(picture)
    assert (top, height) == pytest.approx((1 / 16, 7 / 8)) and width * 480 == pytest.approx(height * 320)
    box = (round(top * 320), round(left * 480), round(height * 320), round(width * 480))
    expected = functional.resized_crop(picture, *box, [96, 96], functional.InterpolationMode.BICUBIC)
    # At the border the filter of one sees what the other has cut off.
    inner = np.s_[3:-3, 3:-3]
    assert np.abs(crop.pixels(picture).transpose(1, 2, 0).astype(int) - np.asarray(expected))[inner].max() <= 1


@pytest.mark.parametrize("size", [(60, 200), (200, 60), (7, 500)])
def test_fit_pads_with_the_mean_and_its_map_shows_the_picture_alone(size):
    fit = Preprocessing((64, 64), (0.5, 0.25, 0.0), (0.2,) * 3, resize="fit")
    picture = Image.new("RGB", size, (200, 100, 50))
    pixels = fit.pixels(picture).transpose(1, 2, 0)
    top, left, height, width = (round(value * 64) for value in fit.inner(picture))
    inside = np.zeros((64, 64), bool)
    inside[top : top + height, left : left + width] = True
    assert (pixels[inside] == (200, 100, 50)).all() and (pixels[~inside] == (128, 64, 0)).all()
    assert fit.extent(picture) == (0, 0, 1, 1)
    # A map that says of each cell where it lies in the input says, resampled, where it lies in the picture.
    rows = (torch.arange(16) + 0.5) / 16
    places = torch.stack([rows[:, None].expand(16, 16), rows[None].expand(16, 16)])[None]
    found = shown(places, [fit.inner(picture)])[0]
    down, right = fit.inner(picture)[0::2], fit.inner(picture)[1::2]
    for axis, (start, length) in enumerate((down, right)):
        # No cell that sees more of the padding than of the picture takes part, where the picture has a cell of its own.
        if length >= 1 / 16:
            assert found[axis].min() >= start + 1 / 32 - 1e-6 and found[axis].max() <= start + length - 1 / 32 + 1e-6
    # Half a cell at the border is as far as a grid of cells can tell.
    torch.testing.assert_close(found[0, :, 0].double(), down[0] + rows.double() * down[1], rtol=0, atol=1 / 32)
    torch.testing.assert_close(found[1, 0].double(), right[0] + rows.double() * right[1], rtol=0, atol=1 / 32)


KINDS = {
    "grey": (Image.new("L", (8, 6), 77), (77, 77, 77)),
    "palette": (Image.new("RGB", (8, 6), (9, 200, 30)).convert("P"), None),
    "CMYK": (Image.new("CMYK", (8, 6), (0, 255, 255, 0)), (255, 0, 0)),
    "transparent, on white": (Image.new("RGBA", (8, 6), (10, 20, 30, 0)), (255, 255, 255)),
    "grey with alpha": (Image.new("LA", (8, 6), (77, 255)), (77, 77, 77)),
    "black and white": (Image.new("1", (8, 6), 1), (255, 255, 255)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_every_kind_become_red_green_and_blue(kind):
    picture, colour = KINDS[kind]
    found = decoded(saved(picture, "tiff" if picture.mode == "CMYK" else "png"))
    assert found.mode == "RGB" and found.size == (8, 6)
    if colour:
        assert found.getpixel((0, 0)) == colour


def test_sixteen_bits_are_refused_by_name(tmp_path):
    Image.fromarray(np.full((6, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
    found = load_picture(list_pictures(tmp_path), 0, USUAL)
    assert isinstance(found, Unreadable) and "convert it" in found.reason


def test_exif_rotation_is_noticed_and_not_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(tmp_path / "turned.jpg", exif=exif)
    found = load_picture(list_pictures(tmp_path), 0, USUAL)
    assert isinstance(found, Picture) and found.is_rotated and found.size == (6, 8)
    assert not is_rotated(PHOTO.read_bytes())


@pytest.mark.parametrize("data", [b"", b"no picture", PHOTO.read_bytes()[:500], PHOTO.read_bytes()[:-2000]])
def test_what_is_no_whole_picture_is_named(data, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(data)
    found = load_picture(list_pictures(tmp_path), 0, USUAL)
    assert isinstance(found, Unreadable) and found.reason


@pytest.mark.parametrize("wrong", [
    {"std": (0, 1, 1)}, {"mean": (0.5,)}, {"input_size": (0, 3)}, {"resize": "stretch"}, {"interpolation": "magic"},
    {"crop_share": 0}, {"value_range": (1, 0)}, {"mean": (float("nan"),) * 3},
])  # fmt: skip
def test_preprocessing_that_is_none_is_refused(wrong):
    usual = {"input_size": (8, 8), "mean": (0, 0, 0), "std": (1, 1, 1)}
    with pytest.raises(UsageError):
        Preprocessing(**(usual | wrong))


@pytest.mark.parametrize("count, batch, ranks", [(100, 7, 3), (5, 8, 4), (64, 8, 1), (1, 1, 2)])
def test_parts_are_all_pictures_once_in_whole_batches(count, batch, ranks):
    one = parts(count, batch)
    shared = [places for rank in range(ranks) for places in parts(count, batch, (rank, ranks))]
    assert shared == one
    assert [place for places in one for place in places] == list(range(count))
