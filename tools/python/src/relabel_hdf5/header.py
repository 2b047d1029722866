"""What a shard says about its rows (spec, sections 5, 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

Extent = tuple[float, float, float, float]
"""Top, left, height and width, as fractions of the picture (section 8.5)."""


class ClassEntry(NamedTuple):
    """One class of the annotator: its identifier, such as a WordNet id, and its name for people."""

    id: str
    name: str


@dataclass(frozen=True)
class Header:
    """What a shard says about its rows; the same for all shards of a dataset (spec, section 11.7)."""

    format_version: str
    """MAJOR.MINOR of the layout."""
    writer: str
    """The tool that wrote the shard, and its version."""
    num_classes: int
    """Classes that the annotator tells apart; ids are below it."""
    score_kind: str
    """`logit`, `probability` or `log_probability` (section 8.1)."""
    fill: str
    """What an absent class counts as: `zero` or `uniform` (section 8.2)."""
    temperature: float
    """The temperature of the softmax (section 8.3)."""
    cell_order: str
    """How the entries of a cell are ordered: `score` or `class` (section 7.2); of views also `source`."""
    row_order: str
    """`source` or `shuffled:SEED` (section 9.3); of views also `image` or `replay`."""
    orientation: str
    """Whether the grid's first axis runs down the picture: `yx`, `xy` or `unknown` (section 8.4)."""
    map_extent: Extent
    """Top, left, height and width of the maps, as fractions of the picture (section 8.5)."""
    build_id: str
    """The digest of options and listing: equal ids mean the same build (section 9.5)."""
    height: int
    """Cells along axis y of the stored grid."""
    width: int
    """Cells along axis x of the stored grid."""
    top_k: int
    """Entries of a cell."""
    encoding: str
    """How scores are stored: `fixed16`, `fixed8`, `float16` or `float32` (section 6.1)."""
    step: float | None
    """`scale_factor` of a packed encoding, else None."""
    offset: float | None
    """`add_offset` of a packed encoding, else None."""
    metadata: dict[str, Any] = field(repr=False, compare=False)
    """The metadata document (section 10); `metadata_sha256` stands for it in comparisons."""
    metadata_sha256: str = field(repr=False)
    """The digest of the document's text (section 10.4)."""
    classes_are: str = "exclusive"
    """Whether the classes of a cell exclude each other: `exclusive` or `independent` (section 8.6)."""
    has_views: bool = field(default=False, compare=False)
    """Whether a row is a view of an image, such as a crop: an image may then have several rows."""
    has_factors: bool = field(default=False, compare=False)
    """Whether ids of cells number factors, whose products add up to logits of all classes (section 4.11)."""
    factor_quality: float | None = field(default=None, compare=False)
    """How near the writer made factors, in its own measure: lower is nearer; None where it does not say."""
    view_size: tuple[int, int] | None = field(default=None, compare=False)
    """Height and width in pixels of what the annotator saw of a view, where the shard says so."""
    box_type: str | None = field(default=None, compare=False)
    """The type of the source's crop boxes: `float16`, `float32`, `float64` or `pixels`; None without boxes."""

    @property
    def has_softmax(self) -> bool:
        """Whether pooled scores become a target by a softmax over all classes."""
        return self.score_kind == "logit" and self.classes_are == "exclusive"

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one map: (height, width, top_k)."""
        return self.height, self.width, self.top_k

    @cached_property
    def classes(self) -> tuple[ClassEntry, ...] | None:
        """The class table by class id, or None where the packer was given none (section 10.2)."""
        described = self.metadata.get("classes")
        if described is None:
            return None
        return tuple(_entry(row) for row in described["table"])

    @property
    def annotator(self) -> dict[str, Any] | None:
        """What is known of the classifier that made the maps, or None."""
        return self.metadata.get("annotator")


def _entry(row: dict[str, Any]) -> ClassEntry:
    """A row of the class table; where only one of id and name is given it stands for both."""
    texts = [row[member] for member in ("id", "name") if isinstance(row.get(member), str)]
    return ClassEntry(texts[0], texts[-1])
