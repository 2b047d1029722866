"""Facts of views in the types that forms of others have, and what changes on the way."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ...engines.numpy.checks.path import path_fault
from ...errors import InvalidDataError, UsageError
from ...header import Header
from ..views import Rows, Views

_EXACT = {"float16": (np.float16, np.float32, np.float64), "float32": (np.float32, np.float64)}
"""Which types hold boxes of a type as they are."""


def source_facts(header: Header) -> dict[str, Any]:
    """What the metadata document says of the files that views were imported from."""
    views = header.metadata.get("views") or {}
    found = views.get("source")
    return found if isinstance(found, dict) else {}


def source_folder(header: Header, missing: str) -> str:
    """The folder that the source's files lay in, below which an export puts them; `missing` where that isn't known.

    Raises `InvalidDataError` for a name that leads elsewhere.
    """
    found = source_facts(header).get("folder", missing)
    if not isinstance(found, str) or (found and (fault := path_fault(found))):
        said = fault if isinstance(found, str) else "it is no text"
        raise InvalidDataError(f"the source's folder {found!r} is not a path within a folder: {said}")
    return found


def score_type(header: Header) -> type[np.floating[Any]]:
    """The type of the source's scores: float16 or float32."""
    said = source_facts(header).get("score_type", header.encoding)
    return np.float16 if said == "float16" else np.float32


def need_one_score(views: Views, form: str, kind: str) -> None:
    """Raises `UsageError` for views that are not single cells of one kind of scores, of classes that exclude each other."""
    header = views.header
    if (header.height, header.width) != (1, 1):
        raise UsageError(
            f"{form} holds one label for a view, and these have {header.height}x{header.width} cells: export them to npz"
        )
    if header.classes_are != "exclusive":
        raise UsageError(f"these classes don't exclude each other, and those of {form} do: export them to npz")
    if header.score_kind != kind:
        raise UsageError(
            f"these scores are of kind {header.score_kind}, and readers of {form} take them for a {kind}: "
            f"export them to {'hald or fkd' if header.score_kind == 'probability' else 'sre2l, lpqld or npz'}"
        )


def unknown_losses(views: Views, box_type: type[np.floating[Any]] | None) -> list[str]:
    """What forms of views say nothing of, or round; a sentence each."""
    header = views.header
    found = []
    if header.step is not None:
        found.append(
            f"the shards store scores in steps of {header.step:.4g} ({header.encoding}), and these are exported: the "
            "annotator's own differ by up to half a step"
        )
    if box_type is not None and box_type not in _EXACT.get(views.header.box_type or "", (np.float64,)):
        found.append(f"boxes are {views.header.box_type} in the shards, and are rounded to {np.dtype(box_type).name}")
    said = [f"that scores are of kind {header.score_kind}"]
    said += [f"the temperature ({header.temperature:g})"] if header.temperature != 1 else []
    said += ["the names of classes"] if header.classes is not None else []
    said += ["what is known of the annotator"] if header.annotator is not None else []
    return [*found, f"only export.json says {', '.join(said)}"]


def rounded_boxes(rows: Rows, kind: type[np.floating[Any]]) -> npt.NDArray[Any]:
    """The crop boxes [n, 4] in the type of a form."""
    found: npt.NDArray[Any] = rows.columns["view_box"].astype(kind)
    return found


def pixel_boxes(rows: Rows, form: str) -> npt.NDArray[np.int64]:
    """The crop boxes [n, 4] in whole pixels of the picture; raises `UsageError` for ones that lie between pixels."""
    height, width = rows.columns["image_size"].astype(np.float64).T
    exact = rows.columns["view_box"] * np.stack([height, width, height, width], 1)
    found = np.rint(exact)
    wrong = (np.abs(found - exact) > 1e-6).any(1)
    if wrong.any():
        raise UsageError(
            f"this crop's box lies between pixels, and {form} holds whole ones", key=rows.keys[int(wrong.argmax())]
        )
    pixels: npt.NDArray[np.int64] = found.astype(np.int64)
    return pixels


def class_scores(views: Views, rows: Rows) -> npt.NDArray[np.floating[Any]]:
    """Scores of all classes [n, C] in the order of classes, in the source's type."""
    ids, scores = rows.single_cells()
    kind = score_type(views.header)
    found: npt.NDArray[np.floating[Any]] = np.empty(scores.shape, kind)
    np.put_along_axis(found, ids.astype(np.int64), narrowed(rows, scores, kind), 1)
    return found


def narrowed(rows: Rows, scores: npt.NDArray[np.float32], kind: type[np.floating[Any]]) -> npt.NDArray[Any]:
    """Scores in a type; raises `InvalidDataError` for one that is too large for it."""
    with np.errstate(over="ignore"):
        found: npt.NDArray[Any] = scores.astype(kind)
    wrong = ~np.isfinite(found).all(-1)
    if wrong.any():
        raise InvalidDataError("a score is too large for float16", key=rows.keys[int(wrong.argmax())])
    return found


def operations(rows: Rows) -> list[dict[str, Any]]:
    """What the shards record of each view's augmentation beyond columns; an empty one where there is nothing."""
    stored = rows.columns.get("operations")
    if stored is None:
        return [{} for _ in range(len(rows))]
    return [_document(text, key) for text, key in zip(stored.tolist(), rows.keys)]


def _document(text: bytes, key: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidDataError(f"operations is no JSON: {error}", dataset="operations", key=key) from None
    if not isinstance(found, dict):
        raise InvalidDataError("operations is no JSON object", dataset="operations", key=key)
    return found
