"""All checks of a shard that come before its rows are read, in their order."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from h5py import h5f

from ....errors import violation
from ....header import Header
from ....layout import BOX_TYPES, CLASS_FACTOR, CLASS_INDEX, IMAGE_KEY, QUALITY, TARGET_ERROR
from ....target_error import fault
from .container import Container, Description, check_container
from .encoding import Encoding
from .layout import check_layout
from .root import Root, check_root


@dataclass(frozen=True)
class Inspection:
    """A shard that can be read."""

    header: Header
    datasets: dict[str, Description]
    shared: dict[str, Any]
    """What all shards of a dataset have in common, by name (spec, section 11.7)."""


def inspect(file: h5f.FileID, file_bytes: int) -> Inspection:
    """Checks an open file; raises the first broken rule of families C and L."""
    container = check_container(file, file_bytes)
    root = check_root(container.root)
    encoding = check_layout(container, root)
    header = _header(container, root, encoding)
    return Inspection(header, container.datasets, _shared(container, root, header))


def _header(container: Container, root: Root, encoding: Encoding) -> Header:
    height, width, top_k = container.datasets[CLASS_INDEX].shape[1:]
    return Header(
        format_version=root.version,
        writer=root.writer,
        num_classes=root.num_classes,
        score_kind=root.score_kind,
        classes_are=root.classes_are,
        fill=root.fill,
        temperature=root.temperature,
        cell_order=root.cell_order,
        row_order=root.row_order,
        orientation=root.orientation,
        map_extent=root.map_extent,
        build_id=root.build_id,
        height=height,
        width=width,
        top_k=top_k,
        encoding=encoding.name,
        step=encoding.step,
        offset=encoding.offset,
        metadata=root.metadata,
        metadata_sha256=root.metadata_sha256,
        has_views="views" in root.required_features,
        has_factors="factors" in root.required_features,
        view_size=root.view_size,
        box_type=_box_type(container),
        factor_quality=_factor_quality(container),
    )


def _factor_quality(container: Container) -> float | None:
    """How near the writer made factors, in its own measure; raises V034 for an error of targets that nobody measures."""
    if CLASS_FACTOR not in container.datasets:
        return None
    column = container.datasets[CLASS_FACTOR]
    attributes = column.attributes.under("L004")
    if TARGET_ERROR in attributes and (what := fault(attributes.numbers(TARGET_ERROR, "float64", (5,)), column.shape[0])):
        raise attributes.fault(f"attribute '{TARGET_ERROR}': {what}", "V034")
    if QUALITY not in attributes:
        return None
    quality = float(attributes.numbers(QUALITY, "float64")[0])
    if not (quality > 0 and math.isfinite(quality)):
        raise attributes.fault(f"attribute '{QUALITY}' is {quality}, not a number above 0")
    return quality


def _box_type(container: Container) -> str | None:
    boxes = container.datasets.get("view_box")
    if boxes is None:
        return None
    found = boxes.attributes.word("source_type", BOX_TYPES)
    if found == "pixels" and "image_size" not in container.datasets:
        what = "boxes were whole pixels of the picture, but dataset 'image_size' is missing"
        raise violation("L005", what, dataset="view_box")
    return found


def _shared(container: Container, root: Root, header: Header) -> dict[str, Any]:
    shared = {field.name: getattr(header, field.name) for field in fields(Header) if field.compare}
    ids, operations = container.datasets[CLASS_INDEX], container.datasets.get("operations")
    return shared | {
        "features_required": root.required_features,
        "features_optional": root.optional_features,
        "images_per_chunk": ids.chunk[0],
        "filters": ids.filters,
        "key_bytes": container.datasets[IMAGE_KEY].element.size,
        "view_size": header.view_size,
        "box_type": header.box_type,
        "operations_bytes": operations.element.size if operations else None,
        "datasets": sorted(container.datasets),
    }
