"""How many shards stay open, over all label maps of a process."""

from __future__ import annotations

import errno
import os
import resource
import threading
from collections.abc import Callable
from itertools import count
from typing import Protocol, TypeVar
from weakref import WeakSet

MAXIMUM_OPEN = 128
"""Shards that label maps keep open: those of 2 million images at the packer's default."""

_LEAST = 4
_Made = TypeVar("_Made")

clock = count()
"""What is used gets the next number: of what is open, the smallest number was used least recently."""


class Holder(Protocol):
    """What keeps shards open and can open them again."""

    def let_go(self) -> None:
        """Closes what is not being read."""


_holders: WeakSet[Holder] = WeakSet()
_lock = threading.Lock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def add(holder: Holder) -> None:
    """Lets other label maps of this process ask a holder to let go of its files."""
    with _lock:
        _holders.add(holder)


def limit() -> int:
    """How many shards may stay open: a quarter of the files that the system allows, at most `MAXIMUM_OPEN`."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAXIMUM_OPEN if allowed == resource.RLIM_INFINITY else min(MAXIMUM_OPEN, max(_LEAST, allowed // 4))


def opened(make: Callable[[], _Made]) -> _Made:
    """What `make` opens; where the system allows no more files, all label maps close theirs first."""
    try:
        return make()
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
    with _lock:
        holders = list(_holders)
    for holder in holders:
        holder.let_go()
    return make()
