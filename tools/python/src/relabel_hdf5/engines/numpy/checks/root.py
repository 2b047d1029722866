"""What the root attributes say (spec, sections 5.1 and 12)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from ....header import Extent
from ....layout import MAXIMUM_VIEW_SIDE
from .attributes import Attributes
from .extent import extent_fault
from .metadata import check_metadata, is_metadata

VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", re.ASCII)
_FEATURE = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_ROW_ORDER = re.compile(r"(?:source|image|replay)|shuffled:(0|[1-9][0-9]*)", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FEATURES = ("independent", "views", "factors")  # that this package knows
_NEWEST_MINOR = 1  # the newest version whose names it knows
_NAMES = {
    "format", "format_version", "features_required", "features_optional", "num_classes", "score_kind", "fill",
    "temperature", "cell_order", "row_order", "orientation", "map_extent", "writer", "build_id",
}  # fmt: skip


@dataclass(frozen=True)
class Root:
    """The values of the root attributes."""

    version: str
    required_features: tuple[str, ...]
    optional_features: tuple[str, ...]
    num_classes: int
    score_kind: str
    classes_are: str
    fill: str
    temperature: float
    cell_order: str
    row_order: str
    orientation: str
    map_extent: Extent
    view_size: tuple[int, int] | None
    writer: str
    build_id: str
    metadata: dict[str, Any]
    metadata_sha256: str


def check_root(root: Attributes) -> Root:
    """The root attributes; raises L001 to L004, L013 or L014, and C006 for a document beyond all limits."""
    found = root.text_or_none("format")
    if found != "relabel":
        what = "is missing or no string" if found is None else f"is '{found}', not 'relabel'"
        raise root.fault(f"attribute 'format' {what}: this is not a ReLabel shard", "L001")
    version = _version(root)
    required, optional = _features(root, version)
    if int(version.split(".")[1]) <= _NEWEST_MINOR:
        _check_names(root, required)
    root.check_vendors()
    num_classes = _num_classes(root)
    score_kind = root.word("score_kind", ("logit", "probability", "log_probability"))
    classes_are = _relation(root, version, required)
    fill = _fill(root, score_kind, classes_are)
    temperature = _temperature(root)
    has_views = _has_views(root, version, required)
    cell_order = root.word("cell_order", ("score", "class", "source") if has_views else ("score", "class"))
    row_order = _row_order(root, has_views)
    if "factors" in required:
        _check_factors(root, version, score_kind, classes_are, cell_order, has_views)
    orientation = root.word("orientation", ("yx", "xy", "unknown"))
    map_extent = _map_extent(root)
    view_size = _view_size(root) if has_views and "view_size" in root else None
    writer = root.text("writer")
    build_id = root.text("build_id")
    if not _DIGEST.fullmatch(build_id):
        raise root.fault(f"attribute 'build_id' is '{build_id}', not 64 hexadecimal digits")
    metadata = check_metadata(root, num_classes, temperature, map_extent)
    return Root(
        version, required, optional, num_classes, score_kind, classes_are, fill, temperature, cell_order, row_order, orientation,
        map_extent, view_size, writer, build_id, metadata, root.text("metadata_sha256"),
    )  # fmt: skip


def _writer(root: Attributes) -> str:
    return root.text_or_none("writer") or "an unknown writer"


def _version(root: Attributes) -> str:
    text = root.text("format_version")
    match = VERSION.fullmatch(text)
    if not match:
        what = f"attribute 'format_version' is '{text}', not MAJOR.MINOR; written by {_writer(root)}"
        raise root.fault(what, "L002")
    if int(match[1]) != 1:
        raise root.fault(other_version(text, _writer(root)), "L002")
    return text


def other_version(version: str, writer: str) -> str:
    """What to say of a file of another major version."""
    needed = f"needs a reader of version {version.split('.')[0]}; this one reads 1"
    return f"format version {version}, written by {writer}, {needed}"


def _features(root: Attributes, version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The required features, all of them known to this package, and the optional ones."""
    required = _feature_names(root, "features_required")
    optional = _feature_names(root, "features_optional")
    if both := sorted(set(required) & set(optional)):
        raise root.fault(f"feature '{both[0]}' is required and optional at once")
    if unknown := [name for name in required if name not in _FEATURES]:
        names = "', '".join(unknown)
        needed = f"a reader of format version {version} or newer that knows it is needed"
        what = f"feature '{names}' is required by this file, written by {_writer(root)}; {needed}"
        raise root.fault(what, "L003")
    return required, optional


def _feature_names(root: Attributes, attribute: str) -> tuple[str, ...]:
    text = root.text(attribute)
    if text == "none":
        return ()
    names = text.split(" ")
    if names != sorted(set(names)):
        raise root.fault(f"attribute '{attribute}' is '{text}', not sorted names with one space between")
    for name in names:
        if name == "none" or not _FEATURE.fullmatch(name):
            raise root.fault(f"'{name}' in attribute '{attribute}' is not the name of a feature")
    return tuple(names)


def _check_names(root: Attributes, required: tuple[str, ...]) -> None:
    added = {"independent": "classes_are", "views": "view_size"}
    known = _NAMES | {added[feature] for feature in required if feature in added}
    for name in root.names:
        if name not in known and not name.startswith("x-") and not is_metadata(name):
            raise root.fault(f"there is no attribute '{name}' in format 1.0; your own names start with 'x-'")


def _num_classes(root: Attributes) -> int:
    value = int(root.numbers("num_classes", "int64")[0])
    if not 1 <= value < 2**32:
        raise root.fault(f"attribute 'num_classes' is {value}, not between 1 and {2**32 - 1}")
    return value


def _relation(root: Attributes, version: str, required: tuple[str, ...]) -> str:
    """Whether classes exclude each other, which the feature and its attribute say together."""
    if "independent" not in required:
        return "exclusive"
    if version == "1.0":
        raise root.fault("feature 'independent' came with format 1.1, but 'format_version' is 1.0")
    found = root.word("classes_are", ("exclusive", "independent"))
    if found != "independent":
        raise root.fault(f"attribute 'classes_are' is '{found}', but feature 'independent' is required")
    return found


def _fill(root: Attributes, score_kind: str, classes_are: str) -> str:
    fill = root.word("fill", ("zero", "uniform"))
    if score_kind == "logit" and fill != "zero":
        raise root.fault(f"attribute 'fill' is '{fill}', but logits are filled with 'zero'")
    if classes_are == "independent" and fill != "zero":
        what = "but classes that don't exclude each other leave no rest to share"
        raise root.fault(f"attribute 'fill' is '{fill}', {what}")
    return fill


def _temperature(root: Attributes) -> float:
    value = float(root.numbers("temperature", "float64")[0])
    if not (value > 0 and math.isfinite(value)):
        raise root.fault(f"attribute 'temperature' is {value}, not a positive number")
    return value


def _row_order(root: Attributes, has_views: bool) -> str:
    text = root.text("row_order")
    match = _ROW_ORDER.fullmatch(text)
    if not match or int(match[1] or 0) >= 2**64 or (text in ("image", "replay") and not has_views):
        others = ", 'image', 'replay'" if has_views else ""
        raise root.fault(f"attribute 'row_order' is '{text}', not 'source'{others} or 'shuffled:SEED'")
    return text


def _has_views(root: Attributes, version: str, required: tuple[str, ...]) -> bool:
    if "views" in required and version == "1.0":
        raise root.fault("feature 'views' came with format 1.1, but 'format_version' is 1.0")
    return "views" in required


def _check_factors(
    root: Attributes, version: str, score_kind: str, classes_are: str, cell_order: str, has_views: bool
) -> None:
    """What a shard of factors may be (section 4.11)."""
    if version == "1.0":
        raise root.fault("feature 'factors' came with format 1.1, but 'format_version' is 1.0")
    if score_kind != "logit" or classes_are != "exclusive":
        raise root.fault("factors add up to logits of classes that exclude each other, and of nothing else")
    if cell_order != "class":
        raise root.fault(f"attribute 'cell_order' is '{cell_order}', but factors are numbered: 'class'")
    if has_views:
        raise root.fault("features 'factors' and 'views' do not go together")


def _view_size(root: Attributes) -> tuple[int, int]:
    height, width = root.numbers("view_size", "int64", (2,))
    if not (1 <= height <= MAXIMUM_VIEW_SIDE and 1 <= width <= MAXIMUM_VIEW_SIDE):
        raise root.fault(f"attribute 'view_size' is {height}, {width}, not a height and a width in pixels")
    return height, width


def _map_extent(root: Attributes) -> Extent:
    top, left, height, width = root.numbers("map_extent", "float32", (4,))
    if fault := extent_fault(top, left, height, width):
        raise root.fault(f"attribute 'map_extent' is not a box within the picture: {fault}")
    return top, left, height, width
