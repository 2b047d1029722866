"""`relabel-annotate`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..command_line import USAGE, clear_line, finish
from ..command_line import say as _say
from ..errors import CorruptError, InvalidDataError, RelabelError, UnsafeError, UsageError, printable
from .arguments import parser

if TYPE_CHECKING:
    from .fidelity import Form

_STATUS = (
    (UsageError, USAGE),
    (UnsafeError, 4),
    (InvalidDataError, 5),
    (CorruptError, 5),
    (OSError, 74),
    (RelabelError, 74),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status; errors are printed as one line."""
    options = parser().parse_args(arguments)
    return finish(
        "relabel-annotate", lambda: _run(options), _STATUS, extra="annotate", as_json=options.format == "json",
        stopped="the same command without --overwrite goes on from here",
    )  # fmt: skip


def run() -> None:
    """The entry point of the installed program."""
    sys.exit(main())


def _run(options: argparse.Namespace) -> int:
    from . import joining
    from .checks import check
    from .documents import document
    from .labels import SourceLabels
    from .pictures import list_pictures
    from .progress import Progress, duration
    from .session import annotate, parts

    if options.images is None:
        raise UsageError("--images names the folder of pictures")
    listing = list_pictures(options.images)
    if options.join is not None:
        summary = joining.join(options.output, options.join, listing=listing, overwrite=options.overwrite)
        return _done(options, summary, f"joined {options.join} parts")
    if options.model is None:
        raise UsageError("--model names the network")
    rank, ranks = _ranks(options)
    whole = -(-len(listing) // options.batch_size)
    if ranks > 1 and ":" in options.maps:
        raise UsageError("each rank would settle another quality by its own pictures: give --maps factors with --quality")
    if ranks > whole:
        raise UsageError(f"there are {whole} batches for {ranks} ranks: fewer ranks, or a smaller --batch-size")
    output = options.output if ranks == 1 else joining.part_folder(options.output, rank, ranks)
    say = _say if rank == 0 else _ignore
    form = _form(options)
    annotator = _annotator(options, None, options.dilate)
    labels = SourceLabels(listing, annotator.classes)
    if options.tune:
        _tune(options, listing, annotator)
        return 0
    say(f"{len(listing):,} pictures; {_described(annotator)}")
    with _writer(options, output, listing, annotator) as (make, kept):
        if kept is None:
            checks = check(annotator, listing, labels, form=form, count=options.check, say=say)
            kept = document(annotator, checks, options.batch_size, listing, form.centre)
        planned = parts(len(listing), options.batch_size, (rank, ranks))
        own = sum(map(len, planned))
        if options.dry_run:
            _foretell(annotator, own, options, say)
            return 0
        with make(kept) as writer:
            if writer.done:
                say(f"{len(writer.done):,} pictures were done before")
            found = annotate(
                listing, annotator, writer, batch_size=options.batch_size, workers=options.workers, part=(rank, ranks),
                labels=labels, progress=lambda total, done: Progress(total, done, None if options.quiet else sys.stderr),
            )  # fmt: skip
        clear_line()
        summary = joining.complete(writer.close(), output) if ranks == 1 else writer.close()
    if found.rotated:
        say(
            f"{found.rotated} pictures ask viewers for a rotation (EXIF); it is not followed, as training loaders don't"
        )
    text = f"{found.images:,} pictures in {duration(found.images / max(found.rate, 1e-9))}, {found.rate:.1f} a second"
    status = _done(options, summary, text, output)
    if ranks > 1:
        say(
            f"when all ranks are done: relabel-annotate --join {ranks} --images {options.images} --output {options.output}"
        )
    return status


def _annotator(options: argparse.Namespace, size: tuple[int, int] | None, dilations: int) -> Any:
    import torch

    from . import models
    from .annotator import Annotator

    local = int(os.environ.get("LOCAL_RANK", 0))
    device = options.device or (f"cuda:{local % torch.cuda.device_count()}" if torch.cuda.is_available() else "cpu")
    found = models.load(options.model, options.weights, size or options.input_size)
    given = _preprocessing(options, found.preprocessing)
    return Annotator(
        found, preprocessing=given, input_size=size or options.input_size, dilations=dilations, classes=options.classes,
        device=device, precision=options.precision, flip_average=options.flip_average, name=options.name,
    )  # fmt: skip


def _preprocessing(options: argparse.Namespace, described: Any) -> Any:
    """The network's preprocessing with what the user says otherwise."""
    from .preprocessing import Preprocessing

    said = {
        name: value
        for name in ("mean", "std", "value_range", "interpolation")
        if (value := getattr(options, name)) is not None
    }
    if described is not None:
        for name, value in said.items():
            if (own := getattr(described, name)) != value:
                _say(f"note: {name} is {value}, and the network's own is {own}")
        return replace(described, resize=options.resize, **said)
    missing = [
        option
        for option, name in (("--mean", "mean"), ("--std", "std"), ("--input-size", "input_size"))
        if getattr(options, name) is None
    ]
    if missing:
        raise UsageError(f"nothing says how pictures for {options.model} are made: give {', '.join(missing)}")
    return Preprocessing(options.input_size, resize=options.resize, **said)


@contextlib.contextmanager
def _writer(options: argparse.Namespace, output: str, listing: Any, annotator: Any) -> Iterator[Any]:
    """What makes the writer for an annotator document, and the document of an earlier run that is gone on with."""
    from ..writing import Writer, finished
    from .documents import document, same_but_measured
    from .joining import write_listing

    with tempfile.TemporaryDirectory(prefix="relabel-annotate-") as scratch:
        images = os.path.join(scratch, "images.txt")
        write_listing(images, listing.paths)
        finished_index = os.path.join(output, "index.json")
        if os.path.exists(finished_index) and not options.overwrite and not options.dry_run:
            raise UsageError("a finished dataset is here already; choose another folder, or --overwrite", file=output)
        earlier = [] if options.overwrite else finished.shards(output, "labels")
        kept = _kept_document(earlier[0]) if earlier else None
        if kept is not None:
            from .checks import Checks

            now = document(annotator, Checks.none(), options.batch_size, listing, _form(options).centre)
            if differing := same_but_measured(kept, now):
                raise UsageError(
                    f"an earlier run has begun otherwise here ({', '.join(differing)}): go on as it began, or --overwrite",
                    file=output,
                )

        def make(document: dict[str, Any]) -> Writer:
            return Writer(
                output, num_classes=annotator.num_classes, score_kind="logit", orientation="yx",
                **_form(options).words(annotator.num_classes),
                classes=annotator.classes, annotator=document, images=images, preset=options.preset,
                images_per_shard=options.images_per_shard, on_bad_input=options.on_bad_input,
                overwrite=options.overwrite, resume=bool(earlier),
            )  # fmt: skip

        yield make, kept


def _form(options: argparse.Namespace) -> Form:
    """What the writer stores; only maps of classes are stored less the mean of those that they leave out."""
    from .fidelity import Form

    centre = options.logits == "centred" and options.maps == "topk"
    return Form(options.top_k, options.maps, options.quality, bool(centre))


def _kept_document(shard: str) -> dict[str, Any] | None:
    from ..dataset import open as open_maps

    with open_maps(shard) as maps:
        return maps.header.annotator


def _tune(options: argparse.Namespace, listing: Any, annotator: Any) -> None:
    from .labels import SourceLabels
    from .tuning import tune

    tune(
        lambda size, dilations: _annotator(options, size, dilations), listing,
        lambda made: SourceLabels(listing, made.classes), native_size=annotator.native_size, top_k=options.top_k,
        count=options.check or 16, say=_say,
    )  # fmt: skip


def _foretell(annotator: Any, count: int, options: argparse.Namespace, say: Any) -> None:
    from .progress import duration
    from .tuning import seconds

    height, width = annotator.grid
    # Measured: 15×15 cells of five classes take 2,683 bytes, and a log-normaliser three bytes a cell.
    size = count * height * width * (options.top_k * 2.4 + 3)
    say(
        f"{count:,} pictures take the network {duration(count * seconds(annotator))}, and about {size / 1e9:.2g} GB: "
        "decoding them may take longer"
    )


def _described(annotator: Any) -> str:
    height, width = annotator.preprocessing.input_size
    rows, columns = annotator.grid
    return (
        f"{annotator.name} on {annotator.device}, {annotator.precision}, input {height}×{width}, maps of {rows}×{columns} "
        f"cells, {annotator.num_classes:,} classes"
    )


def _ranks(options: argparse.Namespace) -> tuple[int, int]:
    rank = options.rank if options.rank is not None else int(os.environ.get("RANK", 0))
    ranks = options.ranks if options.ranks is not None else int(os.environ.get("WORLD_SIZE", 1))
    if options.rank is not None and options.ranks is None and "WORLD_SIZE" not in os.environ:
        raise UsageError("--rank needs --ranks")
    if not 0 <= rank < ranks:
        raise UsageError(f"the rank is {rank}; of {ranks} it has to be 0 to {ranks - 1}")
    return rank, ranks


def _done(options: argparse.Namespace, summary: dict[str, Any], text: str, output: str | None = None) -> int:
    left_out = summary["left_out"]
    if options.format == "json":
        print(json.dumps(summary))
    else:
        print(f"{output or options.output}: {text}; {summary['images']:,} images in {summary['shards']} shards, sound")
        labels = summary.get("source_labels")
        if labels:
            print(
                f"  the class of the folder is the best one of a cell in {labels['agree']} of {labels['images']} images"
            )
        for entry in left_out:
            print(f"  left out: {printable(entry['key'])}: {printable(entry['reason'])}")
    return 3 if left_out else 0


def _ignore(text: str) -> None:
    pass
