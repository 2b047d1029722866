"""The pixels of a stored crop: cut, resized and mirrored as the reader of the source does with Pillow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ..errors import UnsupportedError, UsageError
from ..views import View, Views

Operations = Callable[[Image.Image, dict[str, Any], View], Image.Image]
Cut = Callable[[Image.Image, View], Image.Image]

INTERPOLATIONS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
"""The words of the metadata document for how a crop is resized."""

_OTHER_THINGS = {"relabel-views/fkd": frozenset({"unlabelled"})}
"""Members of operations that are not about the pixels of their view, by schema (`spec/write-views.md`)."""


def crop_edges(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of the crop that a box means.

        >>> from relabel_hdf5.train.crop_pixels import crop_edges
        >>> crop_edges((0.011029412038624287, 0.13437500596046448, 0.9007353186607361, 0.578125), 320, 272)
        (43, 3, 228, 248)

    Each edge is rounded by itself, half to even, as Pillow rounds the box of `crop`. Edges may leave the picture.
    """
    top, left, crop_height, crop_width = box[0] * height, box[1] * width, box[2] * height, box[3] * width
    return round(left), round(top), round(left + crop_width), round(top + crop_height)


@dataclass(frozen=True)
class CropPixels:
    """Makes the picture of a view from the whole picture."""

    size: tuple[int, int]
    """Height and width of every view."""
    resample: Image.Resampling
    """How a crop is resized."""
    chain: tuple[str, ...]
    """The steps in their order: words of the metadata document's `chain`."""
    operations: Operations | None = None
    """The user's function for what else was done to a picture."""

    def __call__(self, picture: Image.Image, view: View) -> Image.Image:
        """The picture of a view; raises a `RelabelError` that names the image where it can't be made again."""
        recorded = _done_to_pixels(view)
        if recorded is not None:
            if self.operations is None:
                raise _unsupported(view)
            if self._has_operations_first:
                picture = self.operations(picture, recorded, view)
        picture = self._cropped(picture, view).resize(self.size[::-1], self.resample)
        if self._is_mirrored(view):
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if recorded is not None and self.operations is not None and not self._has_operations_first:
            picture = self.operations(picture, recorded, view)
        return picture

    @property
    def _has_operations_first(self) -> bool:
        """Whether operations were done to the whole picture, before the crop."""
        steps = self.chain
        return "operations" in steps and "crop" in steps and steps.index("operations") < steps.index("crop")

    def _cropped(self, picture: Image.Image, view: View) -> Image.Image:
        assert view.box is not None
        left, top, right, bottom = edges = crop_edges(view.box, *picture.size)
        if right <= left or bottom <= top:
            raise UsageError(f"the crop {edges} (left, top, right, bottom) of {picture.size} pixels is empty", **_place(view))
        return picture.crop(edges)

    def _is_mirrored(self, view: View) -> bool:
        if "view_flip" not in view.rows.source.table and "flip" not in self.chain:
            return False
        if view.flip is None:
            raise UsageError("nobody knows whether the view is mirrored: give cut=, which makes its picture", **_place(view))
        return view.flip


def crop_pixels(
    views: Views, size: int | tuple[int, int] | None, interpolation: str | None, operations: Operations | None
) -> CropPixels:
    """How the views of a dataset are cut; raises `UsageError` for what neither it nor the user says."""
    document = views.document
    if "view_box" not in views.table:
        seeds = "only the seed of each view is known (view_seed)" if "view_seed" in views.table else "no crop box is known"
        raise UsageError(f"{seeds}: give cut=, a function that makes a view's picture", file=views.maps.path)
    height_width = (size, size) if isinstance(size, int) else size or views.size
    if height_width is None:
        raise UsageError("nobody says how large a view is: give size=(height, width)", file=views.maps.path)
    word = interpolation or document.get("interpolation", "unknown")
    if word not in INTERPOLATIONS:
        words = " or ".join(map(repr, INTERPOLATIONS))
        raise UsageError(f"interpolation is {word!r}: say interpolation={words}", file=views.maps.path)
    if interpolation is None and document.get("antialias") is False:
        raise UsageError(
            "the views were resized without antialiasing, and Pillow always has it: say interpolation= if that will do, or "
            "give cut=",
            file=views.maps.path,
        )
    if tuple(height_width) != views.size and "cutmix_box" in views.table:
        raise UsageError(
            f"size is {tuple(height_width)}, and boxes of cutmix are in pixels of a view of {views.size}", file=views.maps.path
        )
    height, width = height_width
    return CropPixels((height, width), INTERPOLATIONS[word], tuple(document.get("chain", ())), operations)


def _done_to_pixels(view: View) -> dict[str, Any] | None:
    """The operations of a view but for those that a known schema has for other things than its pixels."""
    recorded = view.operations
    others = _OTHER_THINGS.get(view.rows.source.document.get("operations_schema", ""), frozenset())
    return None if recorded is None or recorded.keys() <= others else recorded


def _unsupported(view: View) -> UnsupportedError:
    schema = view.rows.source.document.get("operations_schema", "that nobody names")
    return UnsupportedError(
        f"the picture had operations under the schema {schema!r}, which this package does not know: give operations=, a "
        "function (picture, operations, view) that does them",
        **_place(view),
    )


def _place(view: View) -> dict[str, Any]:
    return {"file": view.rows.source.maps.path, "key": view.key}
