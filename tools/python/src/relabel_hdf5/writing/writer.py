"""`Writer`: label maps from a program's own loop to a verified dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

from ..errors import RelabelError, UsageError, printable
from . import best, centring, facts, finished, options, records, scores
from .packer import Packer
from .records import DenseMaps, SparseMaps
from .view_stream import BoxType, ViewOrder, view_stream

ScoreKind = Literal["logit", "probability", "log_probability"]

_SAMPLE = 16  # dense maps that the packer gets whole, to measure what the cut to k does
_DEFAULT_TOP_K = 5


class Writer:
    """Writes label maps, image by image, into a dataset that is verified and complete when it is closed.

        >>> import numpy as np
        >>> from relabel_hdf5 import Writer
        >>> with Writer("from-a-loop", num_classes=1000, score_kind="logit") as writer:
        ...     for place in range(8):
        ...         scores = np.random.default_rng(place).normal(size=(1000, 7, 7))  # your network's answer, [C, H, W]
        ...         writer.add(f"train/{place:04}", scores)
        >>> writer.close()["images"]
        8

    Maps stream into a `relabel-pack` process. Memory stays bounded, and `add` waits while the packer is busy. Bytes,
    refusals and verification are the packer's. `index.json` appears when the block ends. After an exception in the
    block, or when either process is killed, the folder has full shards and no index; a writer with `resume=True`
    keeps those shards and goes on after them. A refusal names key and cell, and the writer then takes no more images.
    Use a writer from one thread at a time.
    """

    def __init__(
        self,
        output: str | os.PathLike[str],
        *,
        num_classes: int,
        score_kind: ScoreKind,
        classes_are: Literal["exclusive", "independent"] = "exclusive",
        orientation: Literal["yx", "xy", "unknown"] = "yx",
        top_k: int | None = None,
        maps: str = "topk",
        quality: float | None = None,
        centre: bool = False,
        classes: str | os.PathLike[str] | Iterable[tuple[str, str]] | None = None,
        annotator: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        images: str | os.PathLike[str] | None = None,
        name: str = "labels",
        preset: Literal["default", "small"] = "default",
        score_encoding: str | None = None,
        max_error: float | None = None,
        cell_order: Literal["score", "class", "source"] | None = None,
        compression: str | None = None,
        images_per_chunk: int | None = None,
        images_per_shard: int = 16_384,
        key_bytes: int | None = None,
        jobs: int | None = None,
        on_bad_input: Literal["fail", "skip"] = "fail",
        overwrite: bool = False,
        resume: bool = False,
        views: Mapping[str, Any] | None = None,
        view_size: int | Sequence[int] | None = None,
        box_type: BoxType = "float64",
        row_order: ViewOrder = "source",
        temperature: float | None = None,
        operations_bytes: int = 512,
    ) -> None:
        """Looks at the folder; the packer starts with the first image.

        Args:
            output: The folder for the dataset.
            num_classes: Classes that the annotator scores.
            score_kind: What a score is.
            classes_are: Whether the classes of a cell exclude each other, as after softmax, or each has a probability of
                its own, as after a sigmoid.
            orientation: How the grid lies on the picture: axes (y, x) of a picture that was not transposed are `yx`.
            top_k: Classes to keep in a cell: 5 of dense scores, all of sparse ones, unless given.
            maps: What is kept of dense logits: `topk`, the best classes of each cell, or `factors`, which keep all (spec,
                4.11). `factors:1300B` takes so many bytes of the dataset an image, `factors:0.02KL` so much mean divergence
                of targets in nats: the first 64 images settle the quality.
            quality: How near factors are; lower numbers are nearer and take more bytes. 0.0003 unless given.
            centre: Subtract from each cell of dense logits the mean of the classes that are not kept. These count as 0,
                and targets of the scores of all classes stay the same; `log_normalizer` is shifted alike.
            classes: The class table: a file with a line ID<TAB>NAME for each class, or pairs (id, name).
            annotator: The annotator document (spec, section 10.3), or its file.
            images: A file with a relative path for each image of the source: its order becomes `image_index`.
            name: What shard files are called before their number.
            preset: What the options below are unless given.
            score_encoding: How scores are stored.
            max_error: The largest error that a stored score may have.
            cell_order: The order of a cell's entries; of views also `source`, as they are given.
            compression: `deflate[:[IDS,]LEVEL]` or `none`.
            images_per_chunk: Images in one chunk; unless given 4, or 1 without compression, and 16 of the preset `small`.
            images_per_shard: Images in one shard.
            key_bytes: Bytes for a key; 256 unless given.
            jobs: Threads; all processors unless given.
            on_bad_input: `skip` leaves bad maps out by name; `index.json` lists them.
            overwrite: Replace an existing dataset.
            resume: Keep the full shards of an earlier run; `done` has their keys.
            views: Rows are views of images, such as crops; how they were made is the member `views` of the metadata
                document: `dialect`, `chain`, `interpolation`, `teacher_mode` and more, or {}.
            view_size: Height and width of a view in pixels, where boxes of cutmix are given.
            box_type: The type of the source's boxes: what is given has to be of it.
            row_order: `image` where all views of an image follow each other, images in their order; `replay` where rows
                come by epoch, batch and slot.
            temperature: The temperature that probabilities were made at.
            operations_bytes: The most bytes that the operations of a view have as JSON.

        Raises:
            UsageError: The folder holds a dataset or shards, and neither `overwrite` nor `resume` is set; options
                contradict each other.
        """
        self._output = os.fspath(output)
        self._num_classes, self._score_kind, self._orientation = num_classes, score_kind, orientation
        self._views = view_stream(
            views, view_size, box_type, row_order, cell_order, temperature, operations_bytes
        )
        if centre and classes_are == "independent":
            raise UsageError("centre shifts all logits of a cell alike, which only softmax does not notice")
        if centre and score_kind != "logit":
            raise UsageError(f"only logits may be shifted: centre does not go with {score_kind} scores")
        self._top_k, self._centre, self._classes_are = top_k, centre, classes_are
        self.has_factors = options.has_factors(maps)
        """Whether maps are kept as factors of all classes."""
        if self.has_factors and (score_kind != "logit" or classes_are != "exclusive" or centre or top_k is not None):
            raise UsageError("factors keep all logits of classes that exclude each other: without top_k and centre")
        if quality is not None and maps != "factors":
            raise UsageError("quality is for maps='factors' without a budget")
        self._name = name
        self._jobs = jobs or best.usual_jobs()
        self._skips = on_bad_input == "skip"
        self._classes, self._annotator = classes, annotator
        self._options = options.arguments(
            top_k=top_k, maps=maps if self.has_factors else None, quality=quality, classes_are=None if classes_are == "exclusive" else classes_are, images=images, name=name,
            preset=preset, score_encoding=score_encoding, max_error=max_error, cell_order=None if self._views else cell_order, compression=compression, images_per_chunk=images_per_chunk,
            images_per_shard=images_per_shard, key_bytes=key_bytes, jobs=self._jobs, on_bad_input=on_bad_input,
            overwrite=overwrite, resume=resume,
        )  # fmt: skip
        self._packer: Packer | None = None
        self._fields: tuple[str, ...] | None = None
        self._sent = 0
        self._error: Exception | None = None
        self._summary: dict[str, Any] | None = None
        self.done: frozenset[Any] = frozenset()
        """The keys that an earlier run has packed, of views pairs (key, view); adding one of them again is refused."""
        if resume:
            earlier = finished.keys if self._views is None else finished.views
            self.done = frozenset(earlier(self._output, name, images_per_shard))
        elif not overwrite:
            finished.refuse(self._output, name)

    @property
    def leaves_out(self) -> bool:
        """Whether bad images are left out by name instead of ending everything."""
        return self._skips

    def add(
        self,
        key: str,
        scores: Any,
        *,
        source_label: int | None = None,
        image_size: Sequence[int] | None = None,
        image_sha256: bytes | str | None = None,
        map_extent: Sequence[float] | None = None,
        log_normalizer: Any = None,
        view: int | None = None,
        box: Sequence[float] | None = None,
        flip: bool | None = None,
        seed: int | None = None,
        replay: Sequence[int] | None = None,
        mixup_lambda: float | None = None,
        mixup_partner: Sequence[int] | None = None,
        cutmix_lambda: float | None = None,
        cutmix_box: Sequence[int] | None = None,
        cutmix_partner: Sequence[int] | None = None,
        operations: Mapping[str, Any] | str | None = None,
    ) -> None:
        """Adds one image, or one view of an image.

        Args:
            key: Its relative path without extension, such as `train/n01440764/n01440764_18`.
            scores: Dense [C, H, W], or a pair (class_index, score) of [H, W, k]: NumPy arrays, or tensors on any
                device; float16, bfloat16, float32 or float64.
            source_label: The class that the source gives, -1 for none.
            image_size: Height and width of the picture.
            image_sha256: The digest of the picture's file: 32 bytes or 64 digits.
            map_extent: Top, left, height and width of what the map covers, as fractions of the picture.
            log_normalizer: The logarithm of the sum of all classes' exponentials [H, W].

            view: The number of the view within its image; of views this and the following (`views` of the writer).
            box: Top, left, height, width of the crop, as fractions of the original picture; it may leave the picture.
            flip: Whether the crop was mirrored left-right; None where nobody knows.
            seed: The seed of the augmentation, not -1.
            replay: Epoch, batch and slot in a run of training; views of a batch follow each other.
            mixup_lambda: The share of mixup, from 0 to 1.
            mixup_partner: Image index and slot of the partner, -1 each where it is not known.
            cutmix_lambda: As of mixup.
            cutmix_box: Top, left, bottom, right of what was pasted, in pixels of the view.
            cutmix_partner: As of mixup.
            operations: What else was done to the picture: a JSON object under the schema that `views` names.

        Each of these is given for all images or for none. Of views, flip, replay, mixes and operations may be None where
        there are none, once the first view has come with them; (-1, -1, -1), NaN and {} say so in the first.

        Raises:
            InvalidDataError: The map, or one that was added before, is refused; the error names key and cell.
            UsageError: Shapes or types are wrong.
        """
        given = {
            "source_label": source_label, "image_size": image_size, "image_sha256": image_sha256,
            "map_extent": map_extent, "log_normalizer": log_normalizer,
            "view": view, "view_box": box, "view_flip": flip, "view_seed": seed, "replay": replay,
            "mixup_lambda": mixup_lambda, "mixup_partner": mixup_partner, "cutmix_lambda": cutmix_lambda,
            "cutmix_box": cutmix_box, "cutmix_partner": cutmix_partner, "operations": operations,
        }  # fmt: skip
        self._add([key], scores, {name: None if value is None else [value] for name, value in given.items()}, False)

    def add_batch(
        self,
        keys: Sequence[str],
        scores: Any,
        *,
        source_label: Any = None,
        image_size: Any = None,
        image_sha256: Sequence[bytes | str] | None = None,
        map_extent: Any = None,
        log_normalizer: Any = None,
        view: Any = None,
        box: Any = None,
        flip: Any = None,
        seed: Any = None,
        replay: Any = None,
        mixup_lambda: Any = None,
        mixup_partner: Any = None,
        cutmix_lambda: Any = None,
        cutmix_box: Any = None,
        cutmix_partner: Any = None,
        operations: Any = None,
    ) -> None:
        """Adds images or views in order: as `add`, and everything has an axis B in front."""
        given = {
            "source_label": source_label, "image_size": image_size, "image_sha256": image_sha256,
            "map_extent": map_extent, "log_normalizer": log_normalizer,
            "view": view, "view_box": box, "view_flip": flip, "view_seed": seed, "replay": replay,
            "mixup_lambda": mixup_lambda, "mixup_partner": mixup_partner, "cutmix_lambda": cutmix_lambda,
            "cutmix_box": cutmix_box, "cutmix_partner": cutmix_partner, "operations": operations,
        }  # fmt: skip
        self._add(list(keys), scores, given, True)

    def leave_out(self, key: str, reason: str) -> None:
        """Names an image that has no map, such as one that can't be read: `index.json` lists it with the reason.

        Not before the first image with a map. Raises `UsageError` unless the writer has `on_bad_input="skip"`.
        """
        self._check_usable()
        if not self._skips:
            raise UsageError("images are left out by writers with on_bad_input='skip'", key=key)
        if self._packer is None and not self.done:
            raise UsageError("the first image has to have a map, which settles what records carry", key=key)
        try:
            if self._packer is None:
                self._start(finished.fields(self._output, self._name))
            self._running().send([records.left_out(key, _short(reason))])
        except BaseException as error:
            self._fail(error)
            raise
        self._sent += 1

    def close(self) -> dict[str, Any]:
        """Finishes, verifies and publishes the dataset; what `relabel-pack --format json` says of it.

        Raises:
            InvalidDataError: A map is refused; there is no dataset.
            UsageError: No image was added.
        """
        if self._summary is not None:
            return self._summary
        self._check_usable()
        if self._packer is None and not self.done:
            raise UsageError("no image was added, so there is no dataset", file=self._output)
        try:
            if self._packer is None:
                self._start(finished.fields(self._output, self._name))
            packer = self._running()
            packer.send([records.end(self._sent)])
            self._summary = packer.finish()
        except BaseException as error:
            self._fail(error)
            raise
        return self._summary

    def abandon(self) -> None:
        """Ends without a dataset; finished shards stay for `resume=True`."""
        if self._packer is not None and self._packer.is_own and self._summary is None:
            self._packer.abandon()
        if self._summary is None and self._error is None:
            self._error = UsageError("the writer was closed before it was done", file=self._output)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def __repr__(self) -> str:
        state = "closed" if self._summary is not None else "failed" if self._error else "open"
        return f"Writer({self._output!r}, {self._sent} images, {state})"

    def _add(self, keys: list[str], given_scores: Any, given: Mapping[str, Any], is_batch: bool) -> None:
        self._check_usable()
        for key in keys:
            if not isinstance(key, str):
                raise UsageError(f"a key is text, not {type(key).__name__}: {key!r}")
        top_k = self._top_k or _DEFAULT_TOP_K
        try:
            if self._centre:
                given_scores, shifts = centring.centred(given_scores, self._num_classes, top_k, is_batch)
            maps = scores.maps_of(given_scores, self._num_classes, top_k, is_batch)
            if len(maps) != len(keys):
                raise UsageError(f"there are {len(keys)} keys for {len(maps)} maps")
            if self._views is not None:
                given = facts.completed(given, self._fields or (), len(keys))
            fields = facts.fields_of(given)
            self._check_fields(fields)
            if self._fields is not None and fields != self._fields:
                raise UsageError(
                    f"the first image came with {list(self._fields)}, this one with {list(fields)}: give them for all "
                    "or none"
                )
            rows = facts.facts_of(given, len(keys), _grid(maps), fields, self._views)
            if self._centre and "log_normalizer" in rows:
                rows["log_normalizer"] = rows["log_normalizer"] - shifts
            sample = min(len(keys), max(0, _SAMPLE - len(self.done) - self._sent))
            if self.has_factors:
                sample = len(keys)
            first = maps if isinstance(maps, DenseMaps) else scores.whole(given_scores, sample)
            if self.has_factors and keys and first is None:
                raise UsageError("factors need the scores of all classes: these are of the best ones")
            sparse = maps if self.has_factors else self._reduced(maps, top_k)
        except scores.PlacedError as error:
            raise self._named(error, keys) from None
        if not keys:
            return
        try:
            if self._packer is None:
                self._start(fields)
            packer = self._running()
            # The packer gets some dense maps whole: what the cut to k does shows in its summary.
            whole = sample if isinstance(first, DenseMaps) else 0
            if first is not None and whole:
                part = DenseMaps(first.scores[:whole], first.score_type)
                packer.send(records.records(keys[:whole], part, _rows(rows, 0, whole), self._num_classes))
            if whole < len(keys):
                rest = _rest(sparse, whole)
                packer.send(
                    records.records(keys[whole:], rest, _rows(rows, whole, len(keys)), self._num_classes)
                )
        except BaseException as error:
            self._fail(error)
            raise
        self._sent += len(keys)

    def _reduced(self, maps: scores.Maps, top_k: int) -> scores.Maps:
        """The maps as they are sent; raises what the packer would refuse."""
        if isinstance(maps, DenseMaps):
            if top_k > self._num_classes:
                raise UsageError(f"top_k is {top_k}, and there are {self._num_classes} classes")
            try:
                found = best.best(maps, top_k, self._jobs)
            except scores.PlacedError:
                if not self._skips:
                    raise
                found = None  # the packer leaves the bad ones out
            if found is None:
                return maps
            maps = found
            if self._score_kind == "logit":
                return maps  # finite, distinct and in range as they were made
        if not self._skips:
            best.check(maps, self._num_classes, self._score_kind, self._classes_are)
        return maps

    def _named(self, error: scores.PlacedError, keys: list[str]) -> RelabelError:
        """The error with the key of its map; the writer takes nothing more."""
        named = type(error).__mro__[1](str(error.args[0]), key=keys[error.position], cell=error.at)
        self._fail(named)
        assert isinstance(named, RelabelError)
        return named

    def _start(self, fields: tuple[str, ...]) -> None:
        """Starts the packer and sends the header of the stream."""
        with options.documents(classes=self._classes, annotator=self._annotator) as (named, files):
            self._packer = Packer(self._output, [*self._options, *named], files)
        self._fields = fields
        members = None if self._views is None else self._views.members(fields)
        header = records.header(self._num_classes, self._score_kind, self._orientation, fields, self._centre, members)
        self._packer.send([header])

    def _check_fields(self, fields: tuple[str, ...]) -> None:
        of_views = [name for name in fields if name in records.VIEW_FIELDS]
        if self._views is None and of_views:
            raise UsageError(f"{of_views[0]} is a fact of views: say how they were made, with Writer(views={{...}})")
        if self._views is not None and "view" not in fields:
            raise UsageError("every view has a number within its image: give view=")
        if self._views is not None and self._views.row_order == "replay" and "replay" not in fields:
            raise UsageError("row_order is 'replay': give replay=, the epoch, batch and slot of every view")

    def _running(self) -> Packer:
        assert self._packer is not None
        if not self._packer.is_own:
            raise UsageError("this writer belongs to another process; each process needs one of its own")
        return self._packer

    def _check_usable(self) -> None:
        if self._summary is not None:
            raise UsageError("the writer is closed", file=self._output)
        if self._error is not None:
            raise self._error

    def _fail(self, error: BaseException) -> None:
        if self._packer is not None and self._packer.is_own:
            self._packer.abandon()
        self._error = error if isinstance(error, Exception) else UsageError(f"the writer was interrupted: {error!r}")


def _short(reason: str) -> str:
    """A reason in one line, of at most as many bytes as a record takes."""
    return printable(reason).encode()[:1024].decode(errors="ignore")


def _grid(maps: scores.Maps) -> tuple[int, int]:
    shape = maps.scores.shape[2:] if isinstance(maps, DenseMaps) else maps.class_index.shape[1:3]
    return int(shape[0]), int(shape[1])


def _rest(maps: scores.Maps, start: int) -> scores.Maps:
    if isinstance(maps, DenseMaps):
        return DenseMaps(maps.scores[start:], maps.score_type)
    return SparseMaps(maps.class_index[start:], maps.score[start:])


def _rows(rows: Mapping[str, Any], start: int, stop: int) -> dict[str, Any]:
    return {name: values[start:stop] for name, values in rows.items()}
