"""How a picture becomes the input of a network: size, resizing, channel means, and what of the picture is left."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .words import INTERPOLATIONS, RESIZES

if TYPE_CHECKING:
    import torch
    from PIL import Image

Resize = Literal["squash", "crop", "fit"]
Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """What is done to a picture before the network sees it; all of it is written into the shards."""

    input_size: tuple[int, int]
    """Height and width of the input in pixels."""
    mean: tuple[float, ...]
    """What is subtracted from each channel (red, green, blue)."""
    std: tuple[float, ...]
    """What each channel is divided by."""
    value_range: tuple[float, float] = (0.0, 1.0)
    """Black and white as numbers, before the mean is subtracted."""
    interpolation: str = "bicubic"
    """How Pillow resizes."""
    resize: Resize = "squash"
    """`squash`: the whole picture, whatever its shape. `crop`: the shorter side is resized, the centre is kept.
    `fit`: the longer side is resized, the rest is padded with the mean colour."""
    crop_share: float = 1.0
    """The share of the resized shorter side that `crop` keeps (timm's `crop_pct`)."""

    def __post_init__(self) -> None:
        numbers = (*self.mean, *self.std, *self.value_range, self.crop_share)
        if not all(isinstance(number, (int, float)) and np.isfinite(number) for number in numbers):
            raise UsageError("mean, std, value range and crop share are finite numbers")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise UsageError("mean and std have a number for red, green and blue each; std is above 0")
        if self.value_range[1] <= self.value_range[0]:
            raise UsageError(f"the value range {self.value_range} is empty: black comes first, white second")
        if min(self.input_size) < 1:
            raise UsageError(f"the input size {self.input_size} has no pixels")
        if self.resize not in RESIZES:
            raise UsageError(f"resize is {self.resize!r}; it has to be one of {', '.join(RESIZES)}")
        if self.interpolation not in INTERPOLATIONS:
            raise UsageError(f"interpolation is {self.interpolation!r}; Pillow has {', '.join(INTERPOLATIONS)}")
        if not 0 < self.crop_share <= 1:
            raise UsageError(f"the crop share is {self.crop_share}; it has to be above 0 and at most 1")

    def sized(self, input_size: Sequence[int]) -> Preprocessing:
        """The same with another input size."""
        return replace(self, input_size=(int(input_size[0]), int(input_size[1])))

    def pixels(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        """The input's pixels [3, h, w], red, green and blue in 0 … 255."""
        height, width = self.input_size
        if self.resize == "squash":
            found = picture.resize((width, height), self._filter())
        elif self.resize == "crop":
            found = picture.resize((width, height), self._filter(), box=self._kept_pixels(picture))
        else:
            inner_height, inner_width, top, left = self._fitted(picture)
            from PIL import Image

            found = Image.new("RGB", (width, height), self._mean_colour())
            found.paste(picture.resize((inner_width, inner_height), self._filter()), (left, top))
        return np.ascontiguousarray(np.asarray(found, np.uint8).transpose(2, 0, 1))

    def extent(self, picture: Image.Image) -> Extent:
        """The part of the picture that its map covers: top, left, height, width in fractions (spec, section 8.5)."""
        if self.resize != "crop":
            return (0.0, 0.0, 1.0, 1.0)
        left, top, right, bottom = self._kept_pixels(picture)
        width, height = picture.size
        return (top / height, left / width, (bottom - top) / height, (right - left) / width)

    def inner(self, picture: Image.Image) -> Extent:
        """The part of the input that the picture takes: top, left, height, width in fractions; less with `fit`."""
        if self.resize != "fit":
            return (0.0, 0.0, 1.0, 1.0)
        inner_height, inner_width, top, left = self._fitted(picture)
        height, width = self.input_size
        return (top / height, left / width, inner_height / height, inner_width / width)

    def normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the network takes [B, 3, h, w], float32, of pixels [B, 3, h, w], uint8; on their device."""
        import torch

        low, high = self.value_range
        # (v · (high − low) / 255 + low − mean) / std, as one product and one sum.
        std = torch.tensor(self.std, dtype=torch.float64)
        factor = (high - low) / 255 / std
        term = (low - torch.tensor(self.mean, dtype=torch.float64)) / std
        place: dict[str, Any] = {"device": pixels.device, "dtype": torch.float32}
        return pixels.to(torch.float32).mul_(factor.to(**place)[:, None, None]).add_(term.to(**place)[:, None, None])

    def described(self) -> dict[str, Any]:
        """The members of the annotator document that say all this."""
        found: dict[str, Any] = {
            "input_size": list(self.input_size), "resize": self.resize, "interpolation": self.interpolation,
            "mean": list(self.mean), "std": list(self.std), "value_range": list(self.value_range),
            "channels": "RGB",
        }  # fmt: skip
        if self.resize == "crop":
            found["crop_share"] = self.crop_share
        return found

    def _kept_pixels(self, picture: Image.Image) -> tuple[float, float, float, float]:
        """The centre that `crop` keeps, in the picture's pixels: left, top, right, bottom."""
        width, height = picture.size
        scale = max(self.input_size[0] / height, self.input_size[1] / width) / self.crop_share
        kept_height, kept_width = self.input_size[0] / scale, self.input_size[1] / scale
        left, top = (width - kept_width) / 2, (height - kept_height) / 2
        return (max(left, 0.0), max(top, 0.0), min(left + kept_width, width), min(top + kept_height, height))

    def _fitted(self, picture: Image.Image) -> tuple[int, int, int, int]:
        """Height, width, top and left of the picture in the input of `fit`, in pixels."""
        width, height = picture.size
        scale = min(self.input_size[0] / height, self.input_size[1] / width)
        inner_height = min(self.input_size[0], max(1, round(height * scale)))
        inner_width = min(self.input_size[1], max(1, round(width * scale)))
        return (
            inner_height,
            inner_width,
            (self.input_size[0] - inner_height) // 2,
            (self.input_size[1] - inner_width) // 2,
        )

    def _mean_colour(self) -> tuple[int, int, int]:
        low, high = self.value_range
        red, green, blue = (min(255, max(0, round((value - low) / (high - low) * 255))) for value in self.mean)
        return red, green, blue

    def _filter(self) -> Any:
        from PIL import Image

        return Image.Resampling[self.interpolation.upper()]


def decoded(data: bytes) -> Image.Image:
    """The picture as red, green and blue, without EXIF rotation, as training loaders decode it (spec, section 4.5).

    Raises `OSError`, `ValueError` or `SyntaxError` (Pillow's) where the bytes are no whole picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        opened = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:  # whose own text names an object in memory
        raise ValueError("this is no picture of a kind that Pillow knows") from None
    with opened as picture:
        picture.load()
        if picture.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            raise ValueError(
                f"its pixels are of the mode {picture.mode}, which Pillow would clip to 8 bits: convert it"
            )
        if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
            # What is transparent is laid on white, not shown in whatever colour lies under it.
            clear = picture.convert("RGBA")
            ground = Image.new("RGBA", clear.size, "white")
            return Image.alpha_composite(ground, clear).convert("RGB")
        return picture.convert("RGB")


def is_rotated(data: bytes) -> bool:
    """Whether the picture's EXIF asks viewers to rotate or mirror it."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return picture.getexif().get(0x0112, 1) not in (0, 1)
