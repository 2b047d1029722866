"""`annotate`: pictures through an annotator into a writer, with decoding ahead and packing behind."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import InvalidDataError
from ..writing import Writer
from .annotator import Annotator, finite
from .fitting import shown
from .labels import SourceLabels
from .pictures import Listing, Picture, Unreadable, batches, list_pictures
from .progress import Progress


@dataclass(frozen=True)
class Annotated:
    """What became of the pictures."""

    images: int
    """Pictures annotated in this run."""
    left_out: list[tuple[str, str]]
    """Key and reason of each picture that could not be read."""
    rotated: int
    """Pictures whose EXIF asks for a rotation, which training loaders do not follow either."""
    rate: float
    """Pictures per second."""


def annotate(
    images: str | os.PathLike[str] | Listing,
    annotator: Annotator,
    writer: Writer,
    *,
    batch_size: int = 32,
    workers: int | None = None,
    part: tuple[int, int] = (0, 1),
    labels: SourceLabels | None = None,
    progress: Callable[[int, int], Progress] | None = None,
) -> Annotated:
    """Annotates the pictures of a folder, in the order of torchvision's `ImageFolder`, into a writer.

    Batches begin at fixed places of the listing, whatever an earlier run has done and whoever else takes part, so that
    the same pictures give the same bytes. Memory does not grow with the number of pictures.

    Args:
        images: The folder, or its listing.
        annotator: What makes the maps.
        writer: What takes them; keys in its `done` are passed over. It stays open. With `centre=True` it stores logits
            as the command does.
        batch_size: Pictures that go through the network at once.
        workers: Processes that decode; all processors but one unless given.
        part: Number and count of the parts that the listing is cut into, for several programs at once.
        labels: Classes of the folders; by the annotator's class table unless given.
        progress: Makes what prints progress, of all pictures and those done already.

    Raises:
        InvalidDataError: A score is not finite, or a picture can't be read and the writer leaves nothing out.
        UsageError: The network was put into training mode.
    """
    listing = images if isinstance(images, Listing) else list_pictures(images)
    labels = labels or SourceLabels(listing, annotator.classes)
    planned = plan(listing, batch_size, part, writer.done)
    total = sum(len(places) for places in parts(len(listing), batch_size, part))
    seen = (progress or Progress)(total, total - sum(len(places) for places in planned))
    if workers is None:
        sharing = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # torchrun's programs on this machine
        workers = max(1, len(os.sched_getaffinity(0)) // sharing - 1)
    sink = _Sink(writer, annotator, listing, labels, seen)
    try:
        decoded = batches(listing, planned, annotator.preprocessing, workers, annotator.device.type == "cuda")
        for pictures, pixels, unreadable in decoded:
            for picture in unreadable:
                sink.leave_out(picture)
            if pixels is None:
                continue
            for first, scores in annotator.parts_of(annotator.inputs(pixels)):
                sink.put(pictures[first : first + len(scores)], scores)
    except BaseException:
        sink.stop()
        raise
    sink.finish()
    return Annotated(seen.done - (total - sum(map(len, planned))), sink.left_out, seen.rotated, seen.rate)


def parts(count: int, batch_size: int, part: tuple[int, int] = (0, 1)) -> list[range]:
    """The batches of one part of `count` pictures: no two parts share one, and together they are all."""
    number, of = part
    whole = -(-count // batch_size)
    own = range(whole * number // of, whole * (number + 1) // of)
    return [range(batch * batch_size, min(count, (batch + 1) * batch_size)) for batch in own]


def plan(listing: Listing, batch_size: int, part: tuple[int, int], done: frozenset[str]) -> list[range]:
    """The batches of a part that hold a picture which an earlier run has not packed."""
    return [
        places
        for places in parts(len(listing), batch_size, part)
        if not done or any(listing.key(place) not in done for place in places)
    ]


class _Sink:
    """The writer in a thread of its own, a few batches behind the network, which need not wait for it."""

    def __init__(
        self, writer: Writer, annotator: Annotator, listing: Listing, labels: SourceLabels, progress: Progress
    ) -> None:
        self._writer, self._annotator, self._listing, self._labels = writer, annotator, listing, labels
        self._progress = progress
        self._waiting: queue.Queue[Any] = queue.Queue(maxsize=2)
        self._error: BaseException | None = None
        self._early: list[tuple[str, str]] = []
        self._has_begun = bool(writer.done)
        self.left_out: list[tuple[str, str]] = []
        self._thread = threading.Thread(target=self._run, name="relabel-annotate-writer", daemon=True)
        self._thread.start()

    def put(self, pictures: Sequence[Picture], scores: Tensor) -> None:
        """Hands over maps [B, C, H, W]; waits while two batches are on their way."""
        self._hand((pictures, scores))

    def leave_out(self, picture: Unreadable) -> None:
        """Hands over a picture that has no map."""
        self._hand(picture)

    def finish(self) -> None:
        """Waits until everything is with the writer."""
        self._hand(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Gives up what is on its way."""
        self._error = self._error or KeyboardInterrupt()
        while self._thread.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                pass  # the thread takes one and then sees that it is to stop
            self._thread.join(0.05)

    def _hand(self, item: Any) -> None:
        while True:
            if self._error is not None:
                raise self._error
            try:
                self._waiting.put(item, timeout=0.2)
                return
            except queue.Full:
                continue  # look whether the writer has failed meanwhile

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None and self._error is None:
            try:
                if isinstance(item, Unreadable):
                    self._leave_out(self._listing.key(item.place), item.reason)
                else:
                    self._write(*item)
            except BaseException as error:  # whatever it is, the caller's thread raises it
                self._error = error
                return

    def _leave_out(self, key: str, reason: str) -> None:
        if not self._writer.leaves_out:
            raise InvalidDataError(f"the picture can't be read: {reason}", file=self._listing.root, key=key)
        self.left_out.append((key, reason))
        self._progress.left_out += 1
        if self._has_begun:
            self._writer.leave_out(key, reason)
        else:
            self._early.append((key, reason))

    def _write(self, pictures: Sequence[Picture], scores: Tensor) -> None:
        keys = [self._listing.key(picture.place) for picture in pictures]
        scores = shown(scores, [picture.inner for picture in pictures])
        finite(scores, keys, self._annotator.precision)
        labels = [self._labels.label(picture.place) for picture in pictures]
        normalizer = scores.logsumexp(1)
        best = scores.max(1)
        fresh = [row for row, key in enumerate(keys) if key not in self._writer.done]
        if not fresh:
            return
        rows = torch.tensor(fresh, device=scores.device)
        all_fresh = len(fresh) == len(keys)
        self._writer.add_batch(
            [keys[row] for row in fresh],
            scores if all_fresh else scores[rows],
            source_label=[labels[row] for row in fresh] if self._labels.are_known else None,
            image_size=[pictures[row].size for row in fresh],
            image_sha256=[pictures[row].sha256 for row in fresh],
            map_extent=[pictures[row].extent for row in fresh]
            if self._annotator.preprocessing.resize == "crop"
            else None,
            # Factors leave no class out.
            log_normalizer=None if self._writer.has_factors else normalizer if all_fresh else normalizer[rows],
        )
        if not self._has_begun:
            self._has_begun = True
            for key, reason in self._early:
                self._writer.leave_out(key, reason)
        self._progress.rotated += sum(pictures[row].is_rotated for row in fresh)
        tops = best.indices.flatten(1).cpu()
        agreeing = sum(labels[row] >= 0 and bool((tops[row] == labels[row]).any()) for row in fresh)
        known = sum(labels[row] >= 0 for row in fresh)
        peak = float((best.values - normalizer).exp().mean())
        self._progress.add(len(fresh), agreeing, known, peak)
