"""`index.json`, which makes shards a dataset (spec, section 11)."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import Any

from ...errors import RelabelError, violation
from ...layout import INDEX_NAME
from .checks.canonical import NotCanonical, is_number, is_whole, parse
from .checks.path import path_fault
from .checks.root import VERSION, other_version
from .files import GIT_LFS_FAULT, GIT_LFS_POINTER, contents

_MAXIMUM_BYTES = 64 << 20
_MOST = 1 << 40
"""More rows or bytes than any dataset has, and few enough for sums of them."""
_OPENING, _CLOSING = b',"sha256":"', b'"}\n'
_TAIL = len(_OPENING) + 64 + len(_CLOSING)


@dataclass(frozen=True)
class ListedShard:
    """One shard, as the index lists it."""

    path: str
    """Relative to the folder of the index, `/` between parts."""
    rows: int
    bytes: int
    metadata_sha256: str


@dataclass(frozen=True)
class DatasetIndex:
    """What a reader needs of `index.json`."""

    name: str
    build_id: str
    writer: str
    num_classes: int
    score_kind: str
    annotator: str | None
    classes_sha256: str | None
    shards: tuple[ListedShard, ...]
    sha256: str
    """The document's own digest."""


def read_index(folder: str) -> DatasetIndex:
    """The index of a folder; raises M001 to M003, M006, M007, M009, M010 or L002."""
    path = os.path.join(folder, INDEX_NAME)
    if not os.path.exists(path):
        message = "there is no index.json here: this is no dataset, or one that is incomplete; run relabel-pack"
        raise violation("M001", message, file=folder)
    try:
        index = parse_index(contents(path, _MAXIMUM_BYTES))
        _check_paths(folder, index)
    except RelabelError as error:
        error.file = error.file or path
        raise
    return index


def parse_index(text: bytes) -> DatasetIndex:
    """The contents of an `index.json`, their own digest checked."""
    if text.startswith(GIT_LFS_POINTER):
        raise violation("M002", GIT_LFS_FAULT)
    digest = text[len(_OPENING) - _TAIL : -len(_CLOSING)]
    if len(text) <= _TAIL or text[-_TAIL:] != _OPENING + digest + _CLOSING:
        raise violation("M002", "the index does not end with its own digest")
    document = text[:-_TAIL] + b"}"
    if hashlib.sha256(document).hexdigest().encode() != digest:
        raise violation("M002", "the index differs from its own digest")
    try:
        members = _Members(parse(document), "the index")
    except NotCanonical as fault:
        raise violation("M002", f"the index is not canonical JSON: {fault}") from None
    return _index(members, digest.decode())


def _index(members: _Members, digest: str) -> DatasetIndex:
    if members.text("format") != "relabel-index":
        raise violation("M003", "'format' is not 'relabel-index'")
    version = members.text("format_version")
    match = VERSION.fullmatch(version)
    if not match or int(match[1]) != 1:
        raise violation("L002", other_version(version, members.text("writer")))
    if members.text("score_kind") not in ("logit", "probability", "log_probability"):
        raise violation("M003", f"'score_kind' is '{members.text('score_kind')}', which is unknown")
    members.get("options", dict, "an object")
    shards = tuple(_shard(_Members(entry, "a shard")) for entry in members.get("shards", list, "an array"))
    left_out = [_Members(entry, "a left-out input") for entry in members.get("left_out", list, "an array")]
    for entry in left_out:
        _check_left_out(entry)
    if members.count("count") != sum(shard.rows for shard in shards):
        raise violation("M006", "'count' is not the sum of the shards' rows")
    if members.count("count") + len(left_out) != members.count("sources"):
        raise violation("M006", "'count' and 'left_out' do not add up to 'sources'")
    return DatasetIndex(
        name=members.text("name"),
        build_id=members.text("build_id"),
        writer=members.text("writer"),
        num_classes=members.count("num_classes"),
        score_kind=members.text("score_kind"),
        annotator=members.text_or_null("annotator"),
        classes_sha256=members.text_or_null("classes_sha256"),
        shards=shards,
        sha256=digest,
    )


def _shard(members: _Members) -> ListedShard:
    if members.value("score_min") is not None or members.value("score_max") is not None:
        if members.number("score_min") > members.number("score_max"):
            raise violation("M003", "'score_min' is above 'score_max'")
    if members.value("largest_error") is not None:
        members.number("largest_error")
    members.text("sha256")
    return ListedShard(
        path=members.text("path"),
        rows=members.count("rows"),
        bytes=members.count("bytes"),
        metadata_sha256=members.text("metadata_sha256"),
    )


def _check_left_out(members: _Members) -> None:
    members.text("key")
    members.text("reason")
    if members.value("image_index") is not None:
        members.count("image_index")


def _check_paths(folder: str, index: DatasetIndex) -> None:
    """Every shard is a file NAME-00000.h5 of the folder or a link to one of its size, is listed once and has rows."""
    seen: set[str] = set()
    for shard in index.shards:
        if fault := _path_fault(shard.path, index.name) or _link_fault(shard, folder):
            raise violation("M009", f"shard path '{shard.path}': {fault}")
        if shard.path in seen:
            raise violation("M007", f"shard '{shard.path}' is listed twice")
        if shard.rows == 0:
            raise violation("M010", f"shard '{shard.path}' is listed, but has no rows")
        seen.add(shard.path)


def _path_fault(path: str, name: str) -> str | None:
    if "\\" in path:
        return "it holds a backslash"
    if fault := path_fault(path):
        return fault
    if "/" in path:
        return f"it leads into another folder; shards lie beside {INDEX_NAME}"
    if not re.fullmatch(re.escape(name) + "-[0-9]{5,}[.]h5", path):
        return f"it is not '{name}-00000.h5' with a number of its own"
    return None


def _link_fault(shard: ListedShard, folder: str) -> str | None:
    """Why a shard that is a symbolic link is not followed; caches of datasets lay out links to the listed files."""
    place = os.path.join(folder, shard.path)
    if not os.path.islink(place):
        return None
    link, mend = f"'{shard.path}' is a symbolic link", "copy the dataset as plain files (cp -L) to read it"
    try:
        target = os.stat(place)
    except OSError:
        target = None
    if target is None or not stat.S_ISREG(target.st_mode):
        return f"{link} that leads to no file; fetch the file, or {mend}"
    if target.st_size != shard.bytes:
        return f"{link} to a file of {target.st_size} bytes, not the {shard.bytes} listed; {mend}"
    return None


class _Members:
    """Typed access to the members of a JSON object; raises M003."""

    def __init__(self, json: Any, owner: str) -> None:
        self._json = json if isinstance(json, dict) else {}
        self._owner = owner

    def value(self, name: str) -> Any:
        """Any value that is there, null included."""
        if name not in self._json:
            raise self._missing(name, "which every one has")
        return self._json[name]

    def get(self, name: str, kind: type, what: str) -> Any:
        """A value of one of JSON's types."""
        if not isinstance(self._json.get(name), kind):
            raise self._missing(name, what)
        return self._json[name]

    def text(self, name: str) -> str:
        """A string."""
        return str(self.get(name, str, "a string"))

    def text_or_null(self, name: str) -> str | None:
        """A string, or None for null."""
        return None if self.value(name) is None else self.text(name)

    def number(self, name: str) -> float:
        """Any number."""
        value: Any = self._json.get(name)
        if not is_number(value):
            raise self._missing(name, "a number")
        return float(value)

    def count(self, name: str) -> int:
        """A whole number that counts something."""
        value: Any = self._json.get(name)
        if not is_whole(value) or not 0 <= value <= _MOST:
            raise self._missing(name, "a whole number of at least 0")
        return int(value)

    def _missing(self, name: str, what: str) -> RelabelError:
        return violation("M003", f"{self._owner} lacks '{name}', {what}")
