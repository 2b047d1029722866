"""What is stated of a dataset: by its shards and index, and by who publishes it."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..dataset import LabelMaps
from ..engines.numpy.index import parse_index
from ..errors import CorruptError, UsageError
from ..header import Header
from ..layout import INDEX_NAME

_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,64}")


@dataclass(frozen=True)
class Stated:
    """What only the publisher knows; a card says "not stated" of the rest."""

    name: str | None = None
    """What the dataset is called; without it, its folder's name."""
    published: str | None = None
    """The day of publication, YYYY-MM-DD."""
    version: str | None = None
    """The dataset's version, such as 1.0.0."""
    url: str | None = None
    """The dataset's page."""

    def __post_init__(self) -> None:
        if self.name is not None and not self.name.strip():
            raise UsageError("the name of the dataset is empty")
        if self.published is not None and not _is_day(self.published):
            raise UsageError(f"the day of publication is {self.published!r}; it is a day such as 2026-11-29")
        if self.version is not None and not _VERSION.fullmatch(self.version):
            raise UsageError(f"the version is {self.version!r}; it is a version such as 1.0.0")
        if self.url is not None and not re.fullmatch(r"https?://[!-~]+", self.url):
            raise UsageError(f"the address is {self.url!r}; it begins with https:// and has no spaces")


class Described:
    """A dataset, as its index and the header of its shards describe it."""

    def __init__(self, maps: LabelMaps, stated: Stated) -> None:
        """Raises `UsageError` for a lone shard, and `CorruptError` for an index that is not the one that was opened."""
        if not os.path.isdir(maps.path):
            raise UsageError(
                "this is one shard, and a card describes a dataset: name the folder that holds index.json", file=maps.path
            )
        self.header: Header = maps.header
        """What the shards say of all rows."""
        self.stated = stated
        """What the publisher says."""
        self.name = stated.name or os.path.basename(maps.path)
        """What the dataset is called."""
        self.rows = len(maps)
        """Maps, or views."""
        self.fingerprint = maps.fingerprint
        """The digest that is the same for every copy."""
        path = os.path.join(maps.path, INDEX_NAME)
        with open(path, "rb") as file:
            text = file.read()
        parse_index(text)
        self.index: dict[str, Any] = json.loads(text)
        """`index.json`."""
        self.index_bytes = len(text)
        self.index_sha256 = hashlib.sha256(text).hexdigest()
        digests = "\n".join(shard["sha256"] for shard in self.index["shards"])
        if hashlib.sha256(digests.encode()).hexdigest() != self.fingerprint:
            raise CorruptError("the index was replaced while the card was written: run it again", file=path)

    @property
    def bytes(self) -> int:
        """The size of all shards."""
        return sum(shard["bytes"] for shard in self.index["shards"])

    def document(self, member: str) -> Any:
        """A member of the metadata document, or None where it is missing or empty."""
        found = self.header.metadata.get(member)
        return None if found in ("", {}, []) or (isinstance(found, str) and not found.strip()) else found

    @cached_property
    def missing(self) -> list[str]:
        """What nobody has stated, with the way to state it."""
        told = {
            "annotator": "the annotator (relabel-pack --annotator)",
            "classes": "the names of the classes (relabel-pack --classes)",
            "source": "where the pictures come from (member source of the annotator document)",
            "licence": "the licence (member licence of the annotator document)",
            "citation": "the citation (member citation of the annotator document)",
        }
        found = [text for member, text in told.items() if self.document(member) is None]
        if self.header.orientation == "unknown":
            found.append("how the grids lie on the pictures (relabel-pack --orientation)")
        options = {"published": "the day of publication", "version": "the version", "url": "the page"}
        return found + [
            f"{text} (--{'dataset-version' if name == 'version' else name})"
            for name, text in options.items() if getattr(self.stated, name) is None
        ]  # fmt: skip


def _is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
