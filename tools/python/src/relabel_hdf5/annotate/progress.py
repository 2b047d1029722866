"""How far a job of days is, for people who look at it now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

BAR = 24
"""Characters of a bar."""


class Progress:
    """Prints pictures, pictures per second, time left and what the labels look like; rarely where nobody watches, nothing without `out`."""

    def __init__(
        self, total: int, done: int = 0, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._clock = clock
        self._total, self._first, self.done = total, done, done
        self._begin = self._last = clock()
        self._every = 1.0 if out is not None and out.isatty() else 60.0
        self.left_out = self.rotated = 0
        self._agreeing = self._labelled = 0
        self._peak = 0.0

    def add(self, count: int, agreeing: int, labelled: int, peak: float) -> None:
        """Notes a batch: pictures, those whose folder's class is the best of a cell, those with one, their mean peak."""
        self.done += count
        self._agreeing, self._labelled = self._agreeing + agreeing, self._labelled + labelled
        self._peak += peak * count
        now = self._clock()
        if self._out is not None and now - self._last >= self._every:
            self._last = now
            show(self.line(), (self.done + self.left_out) / max(self._total, 1), self._out)

    @property
    def rate(self) -> float:
        """Pictures per second of this run."""
        return (self.done - self._first) / max(self._clock() - self._begin, 1e-9)

    def line(self) -> str:
        """One line of everything."""
        rate = self.rate
        left = (self._total - self.done - self.left_out) / rate if rate else 0
        parts = [f"{self.done:,} of {self._total:,} pictures", f"{rate:.1f} a second", f"{duration(left)} left"]
        if (seen := self.done - self._first) > 0:
            parts.append(f"top probability of a cell {self._peak / seen:.0%} on average")
        if self._labelled:
            parts.append(f"the folder's class found in {self._agreeing / self._labelled:.0%}")
        if self.left_out:
            parts.append(f"{self.left_out} left out")
        return ", ".join(parts)


def show(line: str, share: float, out: TextIO) -> None:
    """Prints how far a job is: over the last line and behind a bar where people watch, else as a line of its own."""
    if not out.isatty():
        print(line, file=out, flush=True)
        return
    filled = int(min(max(share, 0.0), 1.0) * BAR)
    print(f"\r\x1b[K{'█' * filled}{'░' * (BAR - filled)} {share:.0%}  {line}", file=out, end="", flush=True)


def duration(seconds: float) -> str:
    """A time for people: its two largest units."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (int(seconds), "s")]
    first = next((place for place, (value, _) in enumerate(units) if value), 3)
    return " ".join(f"{value} {unit}" for value, unit in units[first : first + 2])
