"""What forms of others have no place for; a sentence each."""

from __future__ import annotations

from ..layout import MAP_EXTENT
from .source import Source
from .view_images import mixed_views

_WHOLE = (0.0, 0.0, 1.0, 1.0)


def of_maps(source: Source, *, without: tuple[str, ...] = (), dense: bool = False) -> list[str]:
    """What is lost of maps whose scores are kept; `without` names what the form does hold, `dense` is true where all classes are."""
    header = source.header
    found = _of_factors(source, dense) if source.stored.has_factors else []
    if header.step is not None:
        found.append(
            f"the shards store scores in steps of {header.step:.4g} ({header.encoding}), and these are exported: the "
            "annotator's own differ by up to half a step"
        )
    elif header.encoding == "float16":
        found.append(
            "the shards store scores as float16, and these are exported: the annotator's may have had more digits"
        )
    if header.top_k > 1 and not (dense and source.stored.has_factors):
        found.append("which of two classes with equal scores in a cell came first: the one of the lower id does")
    said = {
        "that classes don't exclude each other": header.classes_are == "independent",
        f"the orientation ({header.orientation})": header.orientation != "unknown",
        f"the temperature ({header.temperature:g})": header.temperature != 1,
        "the part of the picture that the maps cover": header.map_extent != _WHOLE,
    }
    found += _only_beside(source, [name for name, is_there in said.items() if is_there])
    return found + of_columns(source, without=without)


def _of_factors(source: Source, dense: bool) -> list[str]:
    """What is lost of maps that are sums of products."""
    free = "a number that all classes of a cell share, which factors leave open: logits come less their mean"
    header = source.header
    others = header.num_classes - header.top_k
    if dense or not others:
        return [free]
    return [
        f"{others:,} of {header.num_classes:,} classes of each cell: the shards keep all as factors, and the best"
        f" {header.top_k} are exported, their logits less the mean of the others; targets of crops are less near the annotator's"
    ]


def of_labels(source: Source, *, has_names: bool = False) -> list[str]:
    """What is lost where one label stands for a whole map; `has_names` where the form names classes."""
    places = ["where in the picture a class is: each image keeps one probability of a class"]
    if source.is_views:
        places = ["what single views show: each image keeps one probability of a class, made of those of its views"]
        if mixed := mixed_views(source.views):
            places.append(f"{mixed:,} views that show another picture, too: they don't count")
    return [*places, *_only_beside(source, [], has_names=has_names)]


def of_columns(source: Source, *, without: tuple[str, ...] = ()) -> list[str]:
    """The optional HDF5 datasets that are not exported."""
    lost = [name for name in source.optional if name not in without]
    if source.is_views:
        lost += [name for name in source.views.names if name not in without and name not in lost]
    if not lost:
        return []
    extents = " (crop boxes are fractions of each picture, so maps that cover a part of it are pooled wrongly)"
    return [f"not exported: {', '.join(lost)}{extents if MAP_EXTENT in lost else ''}"]


def _only_beside(source: Source, names: list[str], *, has_names: bool = False) -> list[str]:
    """What stands in the description of the export and not in the form itself."""
    if source.header.classes is not None and not has_names:
        names = [*names, "the names of classes"]
    if source.header.annotator is not None:
        names = [*names, "what is known of the annotator"]
    return [f"only export.json says {', '.join(names)}"] if names else []
