"""The attributes of one object: read once, asked for by name and type (spec, sections 3.4 and 3.6)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from h5py import h5a, h5o, h5s

from ....errors import RelabelError, violation
from ....layout import MAXIMUM_ATTRIBUTE_BYTES, MAXIMUM_ATTRIBUTES
from ..elements import Element, element


class Attribute(NamedTuple):
    """One attribute: text as bytes without its padding, numbers as an array."""

    element: Element
    shape: tuple[int, ...]
    value: Any

    @property
    def fault_of_text(self) -> str | None:
        """Why this is no text that may stand in a shard (section 3.6); None for one that may, and for numbers."""
        if self.element.name.startswith("fixed-length"):
            return f"is a {self.element}, not null-padded UTF-8"
        if self.element.name != "text":
            return None
        if not isinstance(self.value, bytes):
            return "is a list of strings"
        if not self.value or b"\0" in self.value:
            return "holds a null byte" if self.value else "is an empty string"
        try:
            self.value.decode()
        except UnicodeDecodeError:
            return "is not valid UTF-8"
        return None


class Attributes:
    """The attributes of the root group or of one HDF5 dataset.

    A method that asks for a value raises `rule` where the attribute is missing or of another type.
    """

    def __init__(self, owner: Any, dataset: str | None = None, rule: str = "L004") -> None:
        self._dataset = dataset
        self._rule = rule
        self._found = _read_all(owner, dataset)

    def __contains__(self, name: str) -> bool:
        return name in self._found

    @property
    def names(self) -> list[str]:
        """The names of all attributes, sorted."""
        return sorted(self._found)

    def under(self, rule: str) -> Attributes:
        """The same attributes, with another rule for what is missing or wrong."""
        other = object.__new__(Attributes)
        other._dataset, other._rule, other._found = self._dataset, rule, self._found
        return other

    def fault(self, message: str, rule: str | None = None) -> RelabelError:
        """The error for a broken rule of these attributes."""
        return violation(rule or self._rule, message, dataset=self._dataset)

    def get(self, name: str) -> Attribute | None:
        """The attribute as stored, or None."""
        return self._found.get(name)

    def text_or_none(self, name: str) -> str | None:
        """The text of a string attribute for messages and first looks, or None."""
        attribute = self._found.get(name)
        if attribute is None or not isinstance(attribute.value, bytes):
            return None
        return attribute.value.decode("utf-8", "replace")

    def text(self, name: str) -> str:
        """One null-padded UTF-8 string."""
        attribute = self._present(name)
        if attribute.shape or not isinstance(attribute.value, bytes):
            what = f"attribute '{name}' is of type {attribute.element}, not one null-padded UTF-8 string"
            raise self.fault(what)
        if fault := attribute.fault_of_text:
            raise self.fault(f"attribute '{name}' {fault}")
        return attribute.value.decode()

    def check_vendors(self) -> None:
        """Raises L004 for a vendor's text that breaks the rules of all texts (sections 3.6 and 12.4)."""
        for name in self.names:
            if name.startswith("x-") and (fault := self._found[name].fault_of_text):
                raise self.fault(f"attribute '{name}' {fault}", "L004")

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """One of the words of an enumeration."""
        text = self.text(name)
        if text not in words:
            raise self.fault(f"attribute '{name}' is '{text}', not one of {', '.join(map(repr, words))}")
        return text

    def numbers(self, name: str, kind: str, shape: tuple[int, ...] = ()) -> list[Any]:
        """The numbers of one type and shape, as Python's own."""
        attribute = self._present(name)
        if attribute.element.name != kind or attribute.shape != shape:
            what = f"type {attribute.element} and shape {attribute.shape}, not {kind} and {shape}"
            raise self.fault(f"attribute '{name}' is of {what}")
        return list(attribute.value.ravel().tolist())

    def _present(self, name: str) -> Attribute:
        if name not in self._found:
            raise self.fault(f"attribute '{name}' is missing")
        return self._found[name]


def _read_all(owner: Any, dataset: str | None) -> dict[str, Attribute]:
    size = h5o.get_info(owner).meta_size.attr
    if size.heap_size or size.index_size:
        raise violation("C005", "attributes are in dense storage", dataset=dataset)
    if h5a.get_num_attrs(owner) > MAXIMUM_ATTRIBUTES:
        raise violation("C006", f"there are more than {MAXIMUM_ATTRIBUTES} attributes", dataset=dataset)
    names: list[bytes] = []
    h5a.iterate(owner, names.append)
    return {name.decode("utf-8", "replace"): _read(owner, name, dataset) for name in sorted(names)}


def _read(owner: Any, name: bytes, dataset: str | None) -> Attribute:
    attribute = h5a.open(owner, name)
    kind, space = attribute.get_type(), attribute.get_space()
    form = element(kind)
    shape = (0,) if space.get_simple_extent_type() == h5s.NULL else space.get_simple_extent_dims()
    if fault := _fault(form, shape):
        shown = name.decode("utf-8", "replace")
        raise violation("C005", f"attribute '{shown}' {fault}", dataset=dataset)
    if form.name != "text":
        if form.name.startswith("fixed-length"):
            return Attribute(form, shape, None)
        values = np.empty(shape, form.dtype)
        attribute.read(values)
        return Attribute(form, shape, values)
    texts = np.empty(shape, form.dtype)
    attribute.read(texts, mtype=kind)
    return Attribute(form, shape, texts.tobytes().rstrip(b"\0") if not shape else None)


def _fault(form: Element, shape: tuple[int, ...]) -> str | None:
    """Why an attribute may not stand in a shard (section 3.4), or None."""
    if not form.is_allowed:
        return f"is of type {form.name}"
    if len(shape) > 1:
        return f"has {len(shape)} axes"
    count = shape[0] if shape else 1
    if count == 0:
        return "has no elements"
    if count * form.size > MAXIMUM_ATTRIBUTE_BYTES:
        return f"has more than {MAXIMUM_ATTRIBUTE_BYTES} bytes"
    return None
