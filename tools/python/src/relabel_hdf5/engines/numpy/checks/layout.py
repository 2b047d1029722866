"""Compares the HDF5 datasets of a shard with what its root attributes call for (spec, section 4)."""

from __future__ import annotations

from ....errors import RelabelError, violation
from ....layout import (
    CLASS_FACTOR,
    CLASS_INDEX,
    COLUMNS,
    FACTOR_COLUMNS,
    IMAGE_KEY,
    MAXIMUM_GRID_SIDE,
    MAXIMUM_IDENTITY_CHUNK,
    MAXIMUM_KEY_BYTES,
    MAXIMUM_OPERATIONS_BYTES,
    MAXIMUM_TOP_K,
    REQUIRED,
    SCORE,
    Column,
    class_index_type,
)
from .container import Container, Description
from .encoding import Encoding, check_encoding
from .root import Root


def check_layout(container: Container, root: Root) -> Encoding:
    """How the scores are stored; raises C004 or L004 to L012 where an HDF5 dataset is not as it must be."""
    found = container.datasets
    _check_names(found, root)
    ids = found[CLASS_INDEX]
    encoding = check_encoding(found[SCORE])
    columns = [(column, found[column.name]) for column in COLUMNS if column.name in found]
    for column, description in columns:
        _check_type(column, description, root, encoding)
        _check_shape(column, description, root, ids)
        _check_details(column, description, ids)
        _check_attributes(column, description, root)
    rows = ids.shape[0]
    if found[SCORE].shape != ids.shape or any(other.shape[0] != rows for other in found.values()):
        raise _fault("L007", "the datasets have different shapes or numbers of rows", SCORE)
    for column, description in columns:
        if description.filters not in column.chains:
            chain = ", ".join(description.filters)
            raise _fault("C004", f"the filter chain is '{chain}'", column.name)
    return encoding


def _fault(rule: str, message: str, dataset: str) -> RelabelError:
    return violation(rule, message, dataset=dataset)


def _check_names(found: dict[str, Description], root: Root) -> None:
    known = {column.name: column.feature for column in COLUMNS}
    for name in sorted(found):
        if name not in known and name not in root.optional_features:
            raise _fault("L005", "there is no dataset of this name in format 1.1", name)
        feature = known.get(name)
        if feature and feature not in root.required_features:
            raise _fault("L005", f"there is no dataset of this name without the feature '{feature}'", name)
    if "log_normalizer" in found and root.score_kind != "logit":
        raise _fault("L005", "only logits have a log_normalizer", "log_normalizer")
    if "log_normalizer" in found and root.classes_are == "independent":
        raise _fault("L005", "classes that don't exclude each other have no log_normalizer", "log_normalizer")
    if "log_normalizer" in found and "factors" in root.required_features:
        raise _fault("L005", "factors have all classes, and no log_normalizer", "log_normalizer")
    needed = [column.name for column in REQUIRED] + (["view"] if "views" in root.required_features else [])
    if "factors" in root.required_features:
        needed += [column.name for column in FACTOR_COLUMNS]
    for name in needed:
        if name not in found:
            raise _fault("L005", f"dataset '{name}' is missing", name)
    if "cutmix_box" in found and root.view_size is None:
        raise _fault("L004", "attribute 'view_size' is missing: boxes are in pixels of the view", "cutmix_box")


def _check_type(column: Column, description: Description, root: Root, encoding: Encoding) -> None:
    form = description.element
    expected = column.types[0]
    if column.name == CLASS_INDEX:
        expected = class_index_type(root.num_classes)
    elif column.name == SCORE:
        expected = encoding.type
        if form.name != expected and form.name in column.types:
            raise _fault("L010", f"encoding '{encoding.name}' does not store {form}", SCORE)
    limits = {IMAGE_KEY: ("keys", MAXIMUM_KEY_BYTES), "operations": ("operations", MAXIMUM_OPERATIONS_BYTES)}
    what, limit = limits.get(column.name, (expected, form.size))
    if form.name != expected or form.size > limit:
        raise _fault("L006", f"the elements are {form}, not {what}", column.name)


def _check_shape(column: Column, description: Description, root: Root, ids: Description) -> None:
    shape = description.shape
    if column.is_label:
        is_right = len(shape) == 4 and (
            1 <= shape[1] <= MAXIMUM_GRID_SIDE
            and 1 <= shape[2] <= MAXIMUM_GRID_SIDE
            and 1 <= shape[3] <= min(root.num_classes, MAXIMUM_TOP_K)
        )
        if not is_right:
            raise _fault("L007", f"shape {shape} is not [image, y, x, rank]", column.name)
        return
    tail = _tail(column, root, ids)
    if shape != (ids.shape[0], *tail):
        raise _fault("L007", f"shape {shape} does not fit the labels' {ids.shape}", column.name)


def _tail(column: Column, root: Root, ids: Description) -> tuple[int, ...]:
    """The lengths of the axes behind `image`."""
    lengths = {"y": ids.shape[1], "x": ids.shape[2], "factor": ids.shape[3], "class": root.num_classes}
    axes = column.axes.split()[1:]
    return tuple(lengths[axis] for axis in axes) if all(axis in lengths for axis in axes) else column.tail


def _check_details(column: Column, description: Description, ids: Description) -> None:
    """What a reader gets by with but every writer must do."""
    if description.limits != (None, *description.shape[1:]):
        raise _fault("L011", "axis 0 must be unlimited and the other axes fixed", column.name)
    chunk = description.chunk
    is_whole = chunk[1:] == description.shape[1:] and chunk[0] <= MAXIMUM_IDENTITY_CHUNK
    is_read_with_labels = column.name == CLASS_FACTOR
    if not is_whole or (column.is_label and chunk != ids.chunk) or (is_read_with_labels and chunk[0] != ids.chunk[0]):
        raise _fault("L012", f"chunks of {chunk} do not hold whole images alike", column.name)
    if (description.filters == ("fletcher32",)) != (ids.filters == ("fletcher32",)):
        raise _fault("C004", "some datasets are compressed and some are not", column.name)
    if not description.writes_fill or description.fill != description.element.fill:
        raise _fault("L009", "the fill value is not the one reserved for 'never written'", column.name)


def _check_attributes(column: Column, description: Description, root: Root) -> None:
    attributes = description.attributes.under("L008")
    if root.version == "1.0":
        for name in attributes.names:
            if name not in column.attributes and not name.startswith("x-"):
                message = f"there is no attribute '{name}' here; your own names start with 'x-'"
                raise attributes.fault(message, "L009" if name == "_FillValue" else "L004")
    attributes.check_vendors()
    axes = attributes.text("axes")
    if axes != column.axes:
        raise attributes.fault(f"attribute 'axes' is '{axes}', not '{column.axes}'")
