"""The keys of many images, on disk: memory holds eight bytes for each."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np

from ..keys import BLOCK, Array, KeyTable


class KeyColumn:
    """Keys by position, read from a temporary file that ends with the program."""

    def __init__(self, count: int, keys: Iterable[str]) -> None:
        self._ends = np.zeros(count + 1, np.int64)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self.longest = 0
        """Bytes of the longest key."""
        for place, key in enumerate(keys):
            text = key.encode()
            self._file.write(text)
            self.longest = max(self.longest, len(text))
            self._ends[place + 1] = self._ends[place] + len(text)
        self._file.flush()
        self._text = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self._ends[-1] else b""

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, position: int) -> str:
        return self._bytes(position).decode()

    def repeated(self) -> tuple[int, int] | None:
        """Two positions of one key, or None."""
        found = KeyTable(len(self), self._blocks()).repeated()
        return found if found and self._bytes(found[0]) == self._bytes(found[1]) else None

    def close(self) -> None:
        """Gives the file's space back."""
        if isinstance(self._text, mmap.mmap):
            self._text.close()
        self._file.close()

    def _bytes(self, position: int) -> bytes:
        return self._text[self._ends[position] : self._ends[position + 1]]

    def _blocks(self) -> Iterator[Array]:
        for first in range(0, len(self), BLOCK):
            yield np.array([self._bytes(place) for place in range(first, min(first + BLOCK, len(self)))])
