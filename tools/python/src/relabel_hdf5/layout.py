"""Names, types, axes and limits of a shard (spec, sections 3.11 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

CLASS_INDEX = "class_index"
SCORE = "score"
IMAGE_INDEX = "image_index"
IMAGE_KEY = "image_key"
MAP_EXTENT = "map_extent"
SOURCE_LABEL = "source_label"
CLASS_FACTOR = "class_factor"
FACTOR_SCALE = "factor_scale"
QUALITY = "quality"
TARGET_ERROR = "target_error"

INDEX_NAME = "index.json"
"""The file that makes shards of a folder a dataset."""

MAXIMUM_CHUNK_BYTES = 16 << 20
MAXIMUM_GRID_SIDE = 4096
MAXIMUM_TOP_K = 65_535
MAXIMUM_ATTRIBUTES = 1_000
MAXIMUM_ATTRIBUTE_BYTES = 60_000
MAXIMUM_DATASETS = 100
MAXIMUM_KEY_BYTES = 1024
MAXIMUM_METADATA_BYTES = 16 << 20
MAXIMUM_IDENTITY_CHUNK = 1 << 20
MAXIMUM_OPERATIONS_BYTES = 65_535
MAXIMUM_VIEW_SIDE = (1 << 31) - 1


@dataclass(frozen=True)
class ScoreForm:
    """How the scores of one encoding look."""

    type: str
    highest_stored: int | None = None
    """The highest stored number where they are packed; None for floats."""


SCORE_FORMS = {
    "fixed16": ScoreForm("uint16", 65_534),
    "fixed8": ScoreForm("uint8", 254),
    "float16": ScoreForm("float16"),
    "float32": ScoreForm("float32"),
}
"""The encodings of `score` (section 6.1)."""


@dataclass(frozen=True)
class Column:
    """How the rows of one HDF5 dataset look."""

    name: str
    axes: str
    types: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    attributes: frozenset[str] = frozenset({"axes"})
    tail: tuple[int, ...] = ()
    """The lengths of the axes behind `image`, where they don't follow from those of the labels."""
    feature: str | None = None
    """The required feature without which the column may not stand in a shard."""

    @property
    def is_label(self) -> bool:
        """True for the two HDF5 datasets that hold the maps."""
        return self.axes == "image y x rank"


_PLAIN = ("fletcher32",)
_DEFLATED = ("deflate", "fletcher32")
_SHUFFLED = ("shuffle", "deflate", "fletcher32")
_SCORE_ATTRIBUTES = frozenset(
    {"axes", "encoding", "scale_factor", "add_offset", "_FillValue", "largest_error"}
)

_SCORE_TYPES = tuple(dict.fromkeys(form.type for form in SCORE_FORMS.values()))

REQUIRED = (
    Column(CLASS_INDEX, "image y x rank", ("uint16", "uint32"), (_PLAIN, _DEFLATED)),
    Column(SCORE, "image y x rank", _SCORE_TYPES, (_PLAIN, _SHUFFLED), _SCORE_ATTRIBUTES),
    Column(IMAGE_INDEX, "image", ("int64",), (_PLAIN, _SHUFFLED)),
    Column(IMAGE_KEY, "image", ("text",), (_PLAIN, _DEFLATED)),
)
OPTIONAL = tuple(
    Column(name, axes, (kind,), (_PLAIN, _DEFLATED, _SHUFFLED), tail=tail)
    for name, axes, kind, tail in (
        ("image_size", "image axis", "uint32", (2,)),
        ("image_sha256", "image byte", "uint8", (32,)),
        (SOURCE_LABEL, "image", "int32", ()),
        (MAP_EXTENT, "image box", "float32", (4,)),
        ("log_normalizer", "image y x", "float32", ()),
    )
)
VIEW_COLUMNS = tuple(
    Column(
        name, axes, (kind,), (_PLAIN, _DEFLATED) if kind == "text" else (_PLAIN, _DEFLATED, _SHUFFLED),
        frozenset({"axes", "source_type"} if name == "view_box" else {"axes"}), tail, "views",
    )
    for name, axes, kind, tail in (
        ("view", "image", "int32", ()),
        ("view_box", "image box", "float64", (4,)),
        ("view_flip", "image", "uint8", ()),
        ("view_seed", "image", "int64", ()),
        ("replay", "image replay", "int32", (3,)),
        ("mixup_lambda", "image", "float64", ()),
        ("mixup_partner", "image partner", "int64", (2,)),
        ("cutmix_lambda", "image", "float64", ()),
        ("cutmix_box", "image edge", "int32", (4,)),
        ("cutmix_partner", "image partner", "int64", (2,)),
        ("operations", "image", "text", ()),
    )
)  # fmt: skip
"""What the feature `views` adds; `view` is there whenever the feature is required."""
FACTOR_COLUMNS = (
    Column(
        CLASS_FACTOR, "image factor class", ("uint8",), (_PLAIN, _DEFLATED, _SHUFFLED),
        frozenset({"axes", QUALITY, TARGET_ERROR}), feature="factors",
    ),
    Column(FACTOR_SCALE, "image factor", ("float32",), (_PLAIN, _DEFLATED, _SHUFFLED), feature="factors"),
)  # fmt: skip
"""What the feature `factors` adds; both are there whenever the feature is required."""
COLUMNS = REQUIRED + OPTIONAL + VIEW_COLUMNS + FACTOR_COLUMNS

CLASS_FACTOR_OFFSET = 127
"""What a stored number of `class_factor` has more than the number that it means (section 4.11)."""

BOX_TYPES = ("float16", "float32", "float64", "pixels")
"""The types of numbers in which a source may have stored its crop boxes."""


def class_index_type(num_classes: int) -> str:
    """The type of class ids: 16 bits while every id and the fill value fit (section 4.3)."""
    return "uint16" if num_classes <= 65_535 else "uint32"
