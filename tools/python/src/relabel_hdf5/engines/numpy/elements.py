"""The types of elements that a shard may use (spec, section 3.5)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from h5py import h5t

_NUMBERS = {
    "uint8": h5t.STD_U8LE, "uint16": h5t.STD_U16LE, "uint32": h5t.STD_U32LE, "uint64": h5t.STD_U64LE,
    "int8": h5t.STD_I8LE, "int16": h5t.STD_I16LE, "int32": h5t.STD_I32LE, "int64": h5t.STD_I64LE,
    "float16": h5t.IEEE_F16LE, "float32": h5t.IEEE_F32LE, "float64": h5t.IEEE_F64LE,
}  # fmt: skip
_OTHERS = {
    h5t.COMPOUND: "compound type", h5t.VLEN: "variable-length type", h5t.REFERENCE: "reference type",
    h5t.ENUM: "enumeration", h5t.ARRAY: "array type", h5t.OPAQUE: "opaque type", h5t.BITFIELD: "bit field",
}  # fmt: skip


class Element(NamedTuple):
    """The type of one element, as far as a shard may use it."""

    name: str
    """`uint8` … `float64`, `text` for null-padded UTF-8 of a fixed length; else what it is, in words."""
    size: int
    """Bytes of one element."""
    is_allowed: bool = True
    """False for a type that may stand nowhere in a shard."""

    def __str__(self) -> str:
        return f"UTF-8 string of {self.size} bytes" if self.name == "text" else self.name

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The NumPy type of the stored bytes."""
        return np.dtype(f"S{self.size}" if self.name == "text" else self.name).newbyteorder("<")

    @property
    def fill(self) -> bytes | None:
        """The fill value that a creation list defines: all ones, NaN, or none for text (section 3.7)."""
        if self.name == "text":
            return None
        special = {"float16": b"\x00\x7e", "float32": b"\x00\x00\xc0\x7f", "float64": bytes(6) + b"\xf8\x7f"}
        return special.get(self.name, b"\xff" * self.size)


def element(kind: h5t.TypeID) -> Element:
    """Names the type of an HDF5 dataset or attribute."""
    size: int = kind.get_size()
    if kind.committed():
        return Element("committed type", size, False)
    family = kind.get_class()
    if family == h5t.STRING:
        return _text(kind, size)
    if family in (h5t.INTEGER, h5t.FLOAT):
        for name, standard in _NUMBERS.items():
            if kind.equal(standard):
                return Element(name, size)
        return Element(f"number of {size} bytes that is not little-endian or of no known form", size, False)
    return Element(_OTHERS.get(family, "unknown type"), size, False)


def _text(kind: h5t.TypeID, size: int) -> Element:
    if kind.is_variable_str():
        return Element("variable-length string", size, False)
    if kind.get_cset() != h5t.CSET_UTF8:
        return Element("fixed-length string not marked UTF-8", size)
    if kind.get_strpad() != h5t.STR_NULLPAD:
        return Element("fixed-length string that is not null-padded", size)
    return Element("text", size)
