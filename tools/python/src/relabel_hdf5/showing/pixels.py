"""A grid as an image of one pixel a cell, for grids that are too large for an element each.

zlib and the three pieces that a PNG has to have: Pillow is not among the packages that reading needs.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from .cells import GREY, Cells

_LEVELS = 8
"""Steps of opacity; with nine colours, 72 entries of a palette."""


def data_address(cells: Cells) -> str:
    """The grid as the address of a PNG that it holds itself."""
    return "data:image/png;base64," + base64.b64encode(png(cells)).decode()


def png(cells: Cells) -> bytes:
    """The grid as a PNG with a palette: at most a byte a cell."""
    colours = [*(one.colour for one in cells.leading), GREY]
    palette = b"".join(bytes.fromhex(colour[1:]) * _LEVELS for colour in colours)
    opacities = bytes(round(255 * opacity((level + 0.5) / _LEVELS)) for level in range(_LEVELS)) * len(colours)
    level = np.clip((cells.probability * _LEVELS).astype(np.int64), 0, _LEVELS - 1)
    entries = (cells.slot * _LEVELS + level).astype(np.uint8)
    rows = np.pad(entries, ((0, 0), (1, 0)))  # each row begins with the number of its filter, none
    height, width = entries.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    pieces = ((b"IHDR", header), (b"PLTE", palette), (b"tRNS", opacities), (b"IDAT", zlib.compress(rows.tobytes(), 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_piece(*piece) for piece in (*pieces, (b"IEND", b"")))


def opacity(probability: float) -> float:
    """How opaque a cell is: what is hardly probable is faint, and never invisible."""
    return 0.15 + 0.85 * min(1.0, max(0.0, probability))


def _piece(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
