"""The metadata document: its pieces, its digest and its members (spec, section 10)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from typing import Any

import numpy as np

from ....layout import MAXIMUM_METADATA_BYTES
from .attributes import Attributes
from .canonical import NotCanonical, dumps, is_number, is_whole, parse
from .view_document import check_views

_PIECE = re.compile(r"metadata_[0-9]{4,}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class _Fault(ValueError):
    """A member of the document is wrong."""


def is_metadata(name: str) -> bool:
    """True for the attributes that make up the document."""
    return name == "metadata_sha256" or _PIECE.fullmatch(name) is not None


def check_metadata(
    root: Attributes, num_classes: int, temperature: float, map_extent: tuple[float, ...]
) -> dict[str, Any]:
    """The document; raises L013 or L014, and C006 for one beyond all limits."""
    text = _joined(root)
    if hashlib.sha256(text).hexdigest() != root.text("metadata_sha256"):
        what = "attribute 'metadata_sha256' is not the digest of the metadata document"
        raise root.fault(what, "L014")
    try:
        document = deepcopy(_parsed(text))  # one caller must not change what another sees
        _check_against(document, num_classes, temperature, map_extent)
    except NotCanonical as fault:
        raise root.fault(f"the metadata document is not canonical JSON: {fault}", "L013") from None
    except _Fault as fault:
        raise root.fault(str(fault), "L013") from None
    return document


def _joined(root: Attributes) -> bytes:
    count = sum(_PIECE.fullmatch(name) is not None for name in root.names)
    if count == 0:
        raise root.fault("attribute 'metadata_0000' is missing", "L013")
    pieces: list[bytes] = []
    for number in range(count):
        piece = root.get(f"metadata_{number:04}")
        if piece is None or not isinstance(piece.value, bytes):
            raise root.fault(f"attribute 'metadata_{number:04}' is missing or no string", "L013")
        pieces.append(piece.value)
        if sum(map(len, pieces)) > MAXIMUM_METADATA_BYTES:
            raise root.fault(f"the metadata document has more than {MAXIMUM_METADATA_BYTES} bytes", "C006")
    return b"".join(pieces)


@lru_cache(maxsize=4)
def _parsed(text: bytes) -> dict[str, Any]:
    """The document as far as it can be checked alone; the shards of a dataset share it."""
    document = parse(text)
    if not isinstance(document, dict):
        raise _Fault("the metadata document is not a JSON object")
    annotator = document.get("annotator", False)
    if isinstance(annotator, dict):
        _check_annotator(annotator)
    elif annotator is not None:
        raise _Fault("member 'annotator' is neither object nor null")
    for name in ("source", "licence", "citation"):
        if not isinstance(document.get(name), (str, dict, list, type(None))):
            raise _Fault(f"member '{name}' is neither text nor a structure")
    if "views" in document:
        check_views(document["views"], _Fault)
    classes = document.get("classes", False)
    if isinstance(classes, dict):
        _check_classes(classes)
    elif classes is not None:
        raise _Fault("member 'classes' is neither object nor null")
    return document


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(is_number, value))


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(is_whole(side) and side > 0 for side in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_ANNOTATOR: dict[str, tuple[Callable[[Any], Any], str]] = {
    "name": (lambda value: _is_text(value) and value != "", "a text"),
    "weights_sha256": (lambda value: _is_text(value) and _DIGEST.fullmatch(value), "64 hexadecimal digits"),
    "input_size": (_is_size, "[height, width]"),
    "resize": (_is_text, "a word"),
    "interpolation": (_is_text, "a word"),
    "mean": (_is_numbers, "a list of numbers"),
    "std": (_is_numbers, "a list of numbers"),
    "temperature": (lambda value: is_number(value) and value > 0, "a positive number"),
    "map_extent": (_is_numbers, "[top, left, height, width]"),
}


def _check_annotator(annotator: dict[str, Any]) -> None:
    if "name" not in annotator:
        raise _Fault("the annotator lacks 'name', a text")
    for name, (is_right, what) in _ANNOTATOR.items():
        if name in annotator and not is_right(annotator[name]):
            raise _Fault(f"the annotator's '{name}' is not {what}")


def _check_classes(classes: dict[str, Any]) -> None:
    table = classes.get("table")
    if not isinstance(table, list):
        raise _Fault("member 'classes.table' is not an array")
    for number, row in enumerate(table):
        if not _is_entry(row, number):
            raise _Fault(f"'classes.table[{number}]' lacks its index, or id and name")
    # The digest is of the canonical text, which must not depend on how fractions are spelled.
    if _holds_fraction(table):
        raise _Fault("'classes.table' holds a number that is not whole")
    if not is_whole(classes.get("count")) or classes["count"] != len(table):
        raise _Fault("'classes.count' differs from the length of the table")
    if classes.get("sha256") != hashlib.sha256(dumps(table).encode()).hexdigest():
        raise _Fault("'classes.sha256' is not the digest of the table")


def _is_entry(row: Any, number: int) -> bool:
    if not isinstance(row, dict) or not is_whole(row.get("index")) or row["index"] != number:
        return False
    return row.get("id") != "" and (_is_text(row.get("id")) or _is_text(row.get("name")))


def _holds_fraction(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_holds_fraction, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float)


def _check_against(
    document: dict[str, Any], num_classes: int, temperature: float, map_extent: tuple[float, ...]
) -> None:
    """Compares the document with the root attributes that say the same."""
    if document["classes"] and len(document["classes"]["table"]) != num_classes:
        raise _Fault(f"the class table has {len(document['classes']['table'])} of {num_classes} classes")
    annotator = document["annotator"] or {}
    if annotator.get("temperature", temperature) != temperature:
        raise _Fault("the annotator's temperature differs from attribute 'temperature'")
    if "map_extent" in annotator and _rounded(annotator["map_extent"]) != list(map_extent):
        raise _Fault("the annotator's map_extent differs from attribute 'map_extent'")


def _rounded(values: list[float]) -> list[float]:
    return [float(np.float32(value)) for value in values]
