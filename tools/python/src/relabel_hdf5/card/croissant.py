"""`croissant.json`: what the dataset is and which files it has, for programs (Croissant 1.0)."""

from __future__ import annotations

import json
from typing import Any

from ..errors import printable
from ..layout import INDEX_NAME
from .licences import address
from .markdown import NOTE_LENGTH, cut
from .preview import NAME as PREVIEW
from .preview import Preview
from .stated import Described
from .words import TAGS, what_it_is

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives."""

_FIELDS = (
    ("filename", "sc:Text", False, "The picture's key: its path in the source, without an extension unless one was asked for."),
    ("gt_index", "cr:Int32", False, "The class that the source gives to the picture."),
    ("label_indices", "cr:Int32", True, "The classes that the label lists, the most probable first."),
    ("label_probs", "cr:Float32", True, "Their probabilities."),
    ("gt_name", "sc:Text", False, "The name of the source's class."),
    ("label_names", "sc:Text", True, "The names of the listed classes."),
)
_NAMES = ("gt_name", "label_names")


def croissant(described: Described, preview: Preview) -> str:
    """The document; the same for the same dataset and statements."""
    stated = described.stated
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": _line(described.name),
        "description": what_it_is(described),
        "keywords": list(TAGS),
        "license": _licence(described.document("licence")),
        "citeAs": _text(described.document("citation")),
        "datePublished": stated.published,
        "version": stated.version,
        "url": stated.url,
        "distribution": _files(described, preview),
        "recordSet": [] if preview.refused else [_records(preview)],
    }
    kept = {name: value for name, value in document.items() if value not in (None, [])}
    return json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _files(described: Described, preview: Preview) -> list[dict[str, Any]]:
    index = _file(
        INDEX_NAME, INDEX_NAME, "application/json", described.index_sha256, described.index_bytes,
        "The list of the shards, with their digests, and of the inputs that were left out.",
    )  # fmt: skip
    shards = [
        _file(
            f"shard-{number:05}", shard["path"], "application/x-hdf5", shard["sha256"], shard["bytes"],
            f"A shard with {shard['rows']:,} rows.",
        )
        for number, shard in enumerate(described.index["shards"])
    ]  # fmt: skip
    if preview.refused:
        return [index, *shards]
    about = f"One label for each of {preview.images:,} pictures, made from their maps."
    return [index, *shards, _file(PREVIEW, PREVIEW, "application/x-parquet", preview.sha256, preview.bytes, about)]


def _file(id: str, path: str, form: str, sha256: str, size: int, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": id, "name": path, "description": about, "contentUrl": path,
        "encodingFormat": form, "contentSize": f"{size} B", "sha256": sha256,
    }  # fmt: skip


def _records(preview: Preview) -> dict[str, Any]:
    fields = [field for field in _FIELDS if preview.has_names or field[0] not in _NAMES]
    return {
        "@type": "cr:RecordSet", "@id": "preview", "name": "preview",
        "description": "One label for each picture: the classes that its map shows, and how probable they are.",
        "key": {"@id": "preview/filename"},
        "field": [_field(*field) for field in fields],
    }  # fmt: skip


def _field(name: str, kind: str, is_list: bool, about: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field", "@id": f"preview/{name}", "name": name, "description": about, "dataType": kind,
        **({"repeated": True} if is_list else {}),
        "source": {"fileObject": {"@id": PREVIEW}, "extract": {"column": name}},
    }  # fmt: skip


def _licence(value: Any) -> str | None:
    return address(_line(value)) if isinstance(value, str) else _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else "\n".join(printable(line) for line in cut(value, NOTE_LENGTH).split("\n"))
    return cut(json.dumps(value, ensure_ascii=False), NOTE_LENGTH)


def _line(text: str) -> str:
    return cut(printable(text), NOTE_LENGTH)
