"""What keeps files open while somebody reads them, whoever closes them meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable

from .errors import UsageError


class Gate:
    """Lets readers in until it is closed; what they read is released when the last of them has left.

    Without a lock, which a forked child could find held for ever: appending to a list and removing from it are
    whole steps. Entering and leaving take half a microsecond together.
    """

    def __init__(self, path: str, release: Callable[[], object]) -> None:
        self._path = path
        self._to_release = [release]
        self._process = os.getpid  # kept here: modules are emptied before the last objects when a program ends
        self._inside: list[int] = []  # process ids: those of a parent's threads don't count in its child
        self.is_closed = False

    def __enter__(self) -> None:
        self._inside.append(self._process())
        if self.is_closed:  # looked at after entering: whoever closes looks at who is inside after closing
            self.__exit__()
            self.check()

    def check(self) -> None:
        """Raises `UsageError` when it is closed."""
        if self.is_closed:
            raise UsageError("these label maps are closed", file=self._path)

    def __exit__(self, *_: object) -> None:
        self._inside.remove(self._process())
        if self.is_closed:
            self._release_once()

    def close(self) -> None:
        """Lets nobody in any more; releases at once where nobody is inside."""
        self.is_closed = True
        self._release_once()

    def _release_once(self) -> None:
        if self._process() in self._inside:
            return
        try:
            release = self._to_release.pop()
        except IndexError:  # another thread has
            return
        release()
