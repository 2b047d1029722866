"""`README.md`: the dataset for people, with the header that the Hugging Face Hub reads."""

from __future__ import annotations

from typing import Any

from ..errors import printable
from .licences import hub_name
from .markdown import inline, members, note, table, verbatim
from .preview import NAME as PREVIEW
from .preview import Preview
from .stated import Described
from .words import TAGS, human_size, size_category, what_it_is

_NOT_STATED = "Not stated."
_CLASSES = 20
"""Classes that are listed."""
_NOTES = ("source", "licence", "citation")
"""Members of the annotator document that have a section of their own."""

_LOAD_MAPS = """\
from torch.utils.data import DataLoader
from torchvision import transforms as T
from relabel_hdf5.train import EpochSampler, RelabelFolder

crop = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor()])
data = RelabelFolder("path/to/pictures", "path/to/this/dataset", crop, classes="maps"{profile})
loader = DataLoader(data, batch_size=256, sampler=EpochSampler(data), num_workers=8)
for images, targets in loader:  # targets [256, {classes}]: what each crop shows
    ..."""
_LOAD_VIEWS = """\
import relabel_hdf5

views = relabel_hdf5.open("path/to/this/dataset").views
for view in views.of({key}):
    print(view.number, view.box, view.flip, view.target().shape)  # ({classes},)"""


def readme(described: Described, preview: Preview, key: str) -> str:
    """The card; the same for the same dataset and statements. `key` is the key of some picture."""
    sections = [
        _header(described, preview) + f"\n\n# {inline(described.name)}\n\n{what_it_is(described)}",
        table(_facts(described)),
        f"## Annotator\n\n{_annotator(described)}",
        f"## Source of the pictures\n\n{_noted(described, 'source')}",
        f"## Classes\n\n{_classes(described)}",
        f"## Load\n\n{_load(described, key)}",
        f"## Verify\n\n{_verify(described)}",
        f"## Preview\n\n{_preview(preview)}",
        f"## Licence\n\n{_noted(described, 'licence')}",
        f"## Citation\n\n{_noted(described, 'citation')}",
    ]
    return "\n\n".join(sections) + "\n"


def _header(described: Described, preview: Preview) -> str:
    import yaml

    licence = described.document("licence")
    name = hub_name(licence) if isinstance(licence, str) else None
    header: dict[str, Any] = {
        "pretty_name": printable(described.name),
        "license": name or ("unknown" if licence is None else "other"),
        **({} if name or licence is None else {"license_name": "stated-in-the-card", "license_link": "README.md"}),
        "task_categories": ["image-classification"],
        "size_categories": [size_category(described.rows)],
        "tags": list(TAGS),
    }
    if not preview.refused:
        files = [{"split": "train", "path": PREVIEW}]
        header["configs"] = [{"config_name": "preview", "data_files": files}]
    return f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True).rstrip()}\n---"


def _facts(described: Described) -> list[tuple[str, str]]:
    header, index = described.header, described.index
    scores = f"{header.score_kind}, stored as {header.encoding}"
    if header.has_softmax and header.temperature != 1:
        scores += f"; temperature {header.temperature:g}"
    extent = "top {:.4g}, left {:.4g}, height {:.4g}, width {:.4g} of the picture".format(*header.map_extent)
    left_out = len(index["left_out"])
    rows = [
        ("views" if header.has_views else "pictures", f"{described.rows:,}"),
        ("left out", f"{left_out:,}; index&#46;json names them" if left_out else "none"),
        ("shards", f"{len(index['shards']):,}, {human_size(described.bytes)}"),
        ("grid", f"{header.height}×{header.width} cells, {header.top_k} classes kept in each"),
        ("scores", scores),
        ("classes of a cell", "exclude each other" if header.classes_are == "exclusive" else "do not exclude each other"),
        ("orientation", _orientation(header.orientation)),
        ("the grid covers", "the whole picture" if tuple(header.map_extent) == (0, 0, 1, 1) else extent),
        ("written by", f"{inline(header.writer)}, format {inline(header.format_version)}"),
        ("fingerprint", f"`{described.fingerprint}`"),
    ]
    stated = described.stated
    told = (("version", stated.version), ("published", stated.published), ("page", stated.url and f"<{stated.url}>"))
    return rows + [(name, value) for name, value in told if value]


def _orientation(word: str) -> str:
    return {
        "yx": "rows of the grid run down the picture (yx)",
        "xy": "the grid is stored transposed (xy); readers of the format turn it",
    }.get(word, "not stated: whoever pools has to name a profile (see Load)")


def _annotator(described: Described) -> str:
    annotator = described.document("annotator")
    if annotator is None:
        return _NOT_STATED
    name = annotator.get("name")
    rest = {member: value for member, value in annotator.items() if member not in ("name", *_NOTES)}
    parts = [f"**{inline(name)}**" if isinstance(name, str) else "Without a name."]
    return "\n\n".join(parts + ([members(rest)] if rest else []))


def _classes(described: Described) -> str:
    header = described.header
    if header.classes is None:
        return f"{header.num_classes:,} classes. Their names are not stated."
    lines = ["| index | id | name |", "|---|---|---|"]
    lines += [
        f"| {number} | {inline(entry.id)} | {inline(entry.name)} |" for number, entry in enumerate(header.classes[:_CLASSES])
    ]
    more = len(header.classes) - _CLASSES
    rest = f"\n\nand {more:,} more: `relabel_hdf5.open(…).classes` has the whole table." if more > 0 else ""
    return f"{header.num_classes:,} classes, in this order:\n\n" + "\n".join(lines) + rest


def _load(described: Described, key: str) -> str:
    header = described.header
    if header.has_views:
        program = _LOAD_VIEWS.format(key=_literal(key), classes=header.num_classes)
        return f"`pip install relabel-hdf5`, and then:\n\n{verbatim(program, 'python')}"
    is_unknown = header.orientation == "unknown"
    program = _LOAD_MAPS.format(classes=header.num_classes, profile=', profile="relabel"' if is_unknown else "")
    text = f"`pip install 'relabel-hdf5[torchvision]'`, and then:\n\n{verbatim(program, 'python')}"
    text += f"\n\nA map is found by the path of its picture without the extension, such as {inline(key)}."
    if is_unknown:
        text += (
            " Nobody has stated how the grids lie on the pictures: `profile` decides, and says that stored rows run down the "
            'picture. `profile="relabel-2021"` does what the released code of the ReLabel paper does.'
        )
    return text


def _literal(text: str) -> str:
    """The text as Python's own literal, of ASCII alone."""
    return ascii(text)


def _verify(described: Described) -> str:
    program = f"""\
relabel-verify path/to/this/dataset
python -c 'import relabel_hdf5; print(relabel_hdf5.open("path/to/this/dataset").fingerprint)'
# {described.fingerprint}"""
    return (
        "Every chunk has a checksum, and index&#46;json has the SHA-256 of every shard, which relabel-verify compares. The "
        f"fingerprint is the same for every copy of these labels, and another one for any other:\n\n{verbatim(program, 'sh')}"
    )


def _preview(preview: Preview) -> str:
    if preview.refused:
        return f"There is none: {inline(preview.refused)}."
    losses = "".join(f"\n- {inline(text, 1000)}" for text in preview.losses)
    return (
        f"`{PREVIEW}` has one label for each of {preview.images:,} pictures, made from their maps. It is for looking at, and "
        f"says nothing of:\n{losses}"
    )


def _noted(described: Described, member: str) -> str:
    found = described.document(member)
    return _NOT_STATED if found is None else note(found)
