"""The shards of what was opened: opened when they are needed, in the process that needs them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ... import open_files
from ...errors import RelabelError, UsageError, violation
from ...header import Header
from ...layout import INDEX_NAME
from .column import Recent
from .files import Stamp
from .index import DatasetIndex, ListedShard
from .shard import Shard


class First(NamedTuple):
    """The shard that was opened first: it speaks for all."""

    path: str
    header: Header
    shared: dict[str, Any]


class Shards:
    """Opens shards by number; callable from any thread, also in a process that was forked.

    A shard that was open before must still be the same file: one that was replaced or changed raises
    `CorruptError`, whatever it holds now.
    """

    def __init__(self, path: str, index: DatasetIndex | None) -> None:
        self.path = path
        self._index = index
        self.paths = [os.path.join(path, shard.path) for shard in index.shards] if index else [path]
        self._stamps: dict[int, Stamp] = {}
        self._first: First | None = None
        self._sample = 0
        self._is_closed = False
        self._open: dict[int, Shard] = {}
        self._recent: Recent = {}
        self._process = 0
        self._start()
        open_files.add(self)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Shard:
        return self._get(number, stays=True)

    def _get(self, number: int, stays: bool) -> Shard:
        shard = self._open.get(number)
        if not shard or self._process != os.getpid():
            if not self.paths:
                raise UsageError("the dataset has no shards", file=self.path)
            if self._process != os.getpid():
                self._start()
            with self._lock:
                shard = self._open.get(number) or self._add(number, stays)
        shard.last_use = next(open_files.clock)
        return shard

    def one_by_one(self) -> Iterator[Shard]:
        """All shards; those that were not open do not stay so."""
        for number in range(len(self)):
            with self.for_once(number) as shard:
                yield shard

    @contextmanager
    def for_once(self, number: int) -> Iterator[Shard]:
        """A shard, which does not stay open where it was not."""
        was_open = number in self._open
        try:
            yield self._get(number, stays=was_open)
        finally:
            if not was_open:
                self._open.pop(number, None)

    def any(self) -> Shard:
        """One of the shards that can be read: what they say of their maps is the same in all."""
        unread: Exception | None = None
        for number in (self._sample, *range(len(self))):
            try:
                return self[number]
            except (RelabelError, OSError) as error:
                unread = unread or error
        assert unread
        raise unread

    def close(self) -> None:
        """Closes all files; reading raises `UsageError` from now on."""
        self._is_closed = True
        if self._process != os.getpid():
            self._start()
        with self._lock:
            for shard in list(self._open.values()):
                shard.close()
            self._open.clear()
            self._recent.clear()

    def let_go(self) -> None:
        """Closes what is not being read; it is opened again when it is needed."""
        if self._process == os.getpid():
            self._open.clear()

    def _start(self) -> None:
        """Begins with nothing open: files and locks of a parent process are not this one's."""
        self._lock = threading.Lock()
        self._open = {}
        self._recent = {}
        self._process = os.getpid()

    def _add(self, number: int, stays: bool) -> Shard:
        if self._is_closed:
            raise UsageError("these label maps are closed", file=self.path)
        for _, used in sorted((shard.last_use, number) for number, shard in list(self._open.items())):
            if len(self._open) < open_files.limit():
                break
            self._open.pop(used, None)
        shard = open_files.opened(lambda: self._opened(number))
        if stays:
            shard.locate()
        self._open[number] = shard
        return shard

    def _opened(self, number: int) -> Shard:
        path = self.paths[number]
        try:
            if stamp := self._stamps.get(number):
                stamp.check(path, Stamp.of(path))
            shard = Shard(path, self._recent)
        except FileNotFoundError:
            if not self._index:
                raise
            raise violation("M004", "the shard that index.json lists is not there", file=path) from None
        try:
            self._check(shard, number)
        except RelabelError:
            shard.close()
            raise
        self._stamps[number] = shard.stamp
        if self._sample not in self._open:
            self._sample = number
        return shard

    def _check(self, shard: Shard, number: int) -> None:
        """Refuses a shard that is not one of these: its rows would be other images."""
        if self._index:
            _check_listed(shard, self._index, self._index.shards[number])
        first = self._first = self._first or First(shard.path, shard.header, shard.shared)
        for name, value in shard.shared.items():
            if value != first.shared[name]:
                raise _contradiction("M008", name, value, first.shared[name], first.path, shard)
        shard.header = first.header


def _check_listed(shard: Shard, index: DatasetIndex, listed: ListedShard) -> None:
    """Refuses a shard that is not the one of the index."""
    header = shard.header
    if shard.stamp.size != listed.bytes:
        raise _contradiction("M005", "bytes", shard.stamp.size, listed.bytes, INDEX_NAME, shard)
    for name, found, expected in (
        ("rows", shard.rows, listed.rows),
        ("metadata_sha256", header.metadata_sha256, listed.metadata_sha256),
        ("build_id", header.build_id, index.build_id),
        ("num_classes", header.num_classes, index.num_classes),
        ("score_kind", header.score_kind, index.score_kind),
        ("writer", header.writer, index.writer),
        ("annotator", (header.annotator or {}).get("name"), index.annotator),
        ("classes_sha256", (header.metadata["classes"] or {}).get("sha256"), index.classes_sha256),
    ):
        if found != expected:
            raise _contradiction("M006", name, found, expected, INDEX_NAME, shard)


def _contradiction(rule: str, name: str, found: Any, expected: Any, other: str, shard: Shard) -> RelabelError:
    message = f"'{name}' is {_text(found)} in the shard, {_text(expected)} in {other}"
    if rule == "M005":
        message += ": it is not the file that was listed"
    return violation(rule, message, file=shard.path)


def _text(value: Any) -> str:
    """A value as an error shows it."""
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value))
    return "null" if value is None else str(value)
