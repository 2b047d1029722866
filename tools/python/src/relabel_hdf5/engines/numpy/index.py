"""`index.json`, which makes shards a dataset (spec, section 11)."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from itertools import pairwise

from ...errors import RelabelError, violation
from ...layout import INDEX_NAME
from .checks.canonical import NotCanonical, parse
from .checks.path import path_fault
from .checks.root import VERSION, other_version
from .files import GIT_LFS_FAULT, GIT_LFS_POINTER, contents
from .members import IndexMembers

_MAXIMUM_BYTES = 64 << 20
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
        message = "there is no index.json here: this is not a dataset, or it is incomplete; run relabel-pack"
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
        members = IndexMembers(parse(document), "the index")
    except NotCanonical as fault:
        raise violation("M002", f"the index is not canonical JSON: {fault}") from None
    return _index(members, digest.decode())


def _index(members: IndexMembers, digest: str) -> DatasetIndex:
    if members.text("format") != "relabel-index":
        raise violation("M003", "'format' is not 'relabel-index'")
    version = members.text("format_version")
    match = VERSION.fullmatch(version)
    if not match or int(match[1]) != 1:
        raise violation("L002", other_version(version, members.text("writer")))
    if members.text("score_kind") not in ("logit", "probability", "log_probability"):
        raise violation("M003", f"'score_kind' is '{members.text('score_kind')}', which is unknown")
    if fault := _name_fault(members.text("name")):
        raise violation("M003", f"'name' is not a valid name: {fault}")
    if not 1 <= members.count("num_classes") < 2**32:
        what = f"'num_classes' is {members.count('num_classes')}, not between 1 and {2**32 - 1}"
        raise violation("M003", what)
    members.get("options", dict, "an object")
    shards = tuple(_shard(IndexMembers(entry, "a shard")) for entry in members.get("shards", list, "an array"))
    left_out = [IndexMembers(entry, "a left-out input") for entry in members.get("left_out", list, "an array")]
    for entry in left_out:
        _check_left_out(entry)
    _check_order(members.text("name"), shards, left_out)
    if members.count("count") != sum(shard.rows for shard in shards):
        raise violation("M006", "'count' is not the sum of the shards' rows")
    if members.count("count") + len(left_out) != members.count("sources"):
        raise violation("M006", "'count' and 'left_out' do not add up to 'sources'")
    return DatasetIndex(
        name=members.text("name"),
        build_id=members.digest("build_id"),
        writer=members.words("writer"),
        num_classes=members.count("num_classes"),
        score_kind=members.text("score_kind"),
        annotator=members.text_or_null("annotator"),
        classes_sha256=members.digest_or_null("classes_sha256"),
        shards=shards,
        sha256=digest,
    )


def _shard(members: IndexMembers) -> ListedShard:
    if members.value("score_min") is not None or members.value("score_max") is not None:
        if members.score("score_min") > members.score("score_max"):
            raise violation("M003", "'score_min' is above 'score_max'")
    error = members.value("largest_error")
    if error is not None and members.number("largest_error") < 0:
        raise violation("M003", f"'largest_error' of a shard is {error}, not a number of at least 0")
    members.digest("sha256")
    return ListedShard(
        path=members.text("path"),
        rows=members.count("rows"),
        bytes=members.count("bytes"),
        metadata_sha256=members.digest("metadata_sha256"),
    )


def _check_left_out(members: IndexMembers) -> None:
    members.text("key")
    members.words("reason")
    if members.value("image_index") is not None:
        members.count("image_index")


def _check_order(name: str, shards: tuple[ListedShard, ...], left_out: list[IndexMembers]) -> None:
    """Both lists have an order; what is listed twice, or is no name of a shard, has rules of its own."""
    paths = list(dict.fromkeys(shard.path for shard in shards if not _path_fault(shard.path, name)))
    for before, path in pairwise(paths):
        if (len(before), before) > (len(path), path):
            raise violation("M003", f"'shards' lists '{path}' after '{before}'")
    places = [entry.value("image_index") for entry in left_out]
    numbers = [float("inf") if place is None else place for place in places]
    if any(one > other for one, other in pairwise(numbers)):
        raise violation("M003", "'left_out' is not in the order of 'image_index'")


def _name_fault(name: str) -> str | None:
    """Why shard files may not be called by a name, or None."""
    if "/" in name:
        return "it holds a slash"
    if name.startswith("."):
        return "it begins with a dot"
    return "it holds a backslash" if "\\" in name else path_fault(name)


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
    if not re.fullmatch(re.escape(name) + "-([0-9]{5}|[1-9][0-9]{5,})[.]h5", path):
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
