"""What a card says of a dataset in plain words, for people and programs alike; nothing here is the dataset's own text."""

from __future__ import annotations

from .stated import Described

TAGS = ("relabel-hdf5", "label-maps", "soft-labels", "knowledge-distillation", "image")

_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"), (10**12, "100B<n<1T"),
)  # fmt: skip


def size_category(rows: int) -> str:
    """The Hub's word for a number of rows."""
    return next((word for bound, word in _SIZES if rows < bound), "n>1T")


def what_it_is(described: Described) -> str:
    """What the rows are, in a paragraph."""
    header = described.header
    kept = "all" if header.top_k == header.num_classes else f"the {header.top_k} best of"
    cells = f"{header.height}×{header.width} cells"
    if header.has_views:
        return (
            f"Labels of {described.rows:,} views, that is augmented crops of pictures, in the ReLabel HDF5 format "
            f"{header.format_version}: what a classifier said of each view, as {kept} {header.num_classes:,} classes with their "
            f"scores in each of {cells}. The pictures are not part of this dataset."
        )
    return (
        f"Label maps of {described.rows:,} pictures in the ReLabel HDF5 format {header.format_version}: what a classifier saw in "
        f"each of {cells} of a grid over the picture, as {kept} {header.num_classes:,} classes with their scores. Pooled over the "
        "crop of a training step, a map becomes the target of that step. The pictures are not part of this dataset."
    )


def human_size(count: int) -> str:
    """A number of bytes for people."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
