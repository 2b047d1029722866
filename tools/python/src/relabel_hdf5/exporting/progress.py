"""How far an export is, for people who look at it now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from ..annotate.progress import duration, show


class Progress:
    """Prints images, images per second and time left: once a second, or once a minute where nobody watches."""

    def __init__(self, total: int, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._out, self._clock = total, out, clock
        self._begin = self._last = clock()
        self._done = 0
        self._every = 1.0 if out is not None and out.isatty() else 60.0

    def add(self, count: int) -> None:
        """Notes that so many images more are done."""
        self._done += count
        now = self._clock()
        if self._out is None or now - self._last < self._every:
            return
        self._last = now
        rate = self._done / max(now - self._begin, 1e-9)
        left = duration((self._total - self._done) / rate)
        line = f"{self._done:,} of {self._total:,} images, {rate:,.0f} a second, {left} left"
        show(line, self._done / max(self._total, 1), self._out)
