"""Whether maps are any good: pooled targets against what the annotator says of the actual crop."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..dataset import open as open_maps
from ..writing import Writer
from . import crops
from .annotator import Annotator, finite
from .crops import Array
from .findings import Finding, rounded
from .fitting import shown
from .preprocessing import Extent, decoded

ROWS = ("localised", "localised, before storing", "global", "transposed", "image label, smoothed by 0.1")
AREAS = ((0.0, 0.25), (0.25, 0.5), (0.5, 1.0))
CROPS = 4


@dataclasses.dataclass(frozen=True)
class Form:
    """What of the network's scores is stored, in the words of `Writer`."""

    top_k: int
    maps: str = "topk"
    quality: float | None = None
    centre: bool = True

    @property
    def has_factors(self) -> bool:
        """Whether all classes are kept."""
        return self.maps != "topk"

    def words(self, num_classes: int) -> dict[str, Any]:
        """The arguments of `Writer`."""
        top_k = None if self.has_factors else min(self.top_k, num_classes)
        return {"top_k": top_k, "maps": self.maps, "quality": self.quality, "centre": self.centre}


@dataclasses.dataclass(frozen=True)
class Fidelity(Finding):
    """How far targets are from the annotator's answer on crops; by kind of target, then by share of the picture."""

    pictures: int
    crops: int
    divergence: dict[str, list[float | None]]
    """Kullback-Leibler divergence of the answer from the target, in nats: all crops, then each range of areas."""
    same_top: dict[str, list[float | None]]
    """The share of crops whose target has the answer's top class."""
    folder_share: float | None
    """The share of pictures whose folder's class is the best one of some cell; None where folders are no classes."""
    picture_share: float | None
    """The share of pictures whose answer as a whole is the folder's class."""

    def described(self) -> dict[str, Any]:
        """The members of the annotator document."""
        return super().described() | {"areas": ["all", *(f"{low:g} to {high:g}" for low, high in AREAS)]}

    @property
    def helps(self) -> bool:
        """Whether localised targets are nearer to the answer than global ones."""
        return (self.divergence["localised"][0] or 0) < (self.divergence["global"][0] or 0)

    def __str__(self) -> str:
        head = ["all crops", *(f"{low:.0%} to {high:.0%}" for low, high in AREAS)]
        lines = [
            f"targets against the network's answer on the actual crop, {self.crops} crops of {self.pictures} pictures:",
            f"  {'divergence (same top class)':36}" + "".join(f"{name:>16}" for name in head),
        ]
        for name in ROWS:
            cells = [
                "—" if gap is None or top is None else f"{gap:.3f} ({top:.0%})"
                for gap, top in zip(self.divergence[name], self.same_top[name])
            ]
            lines.append(f"  {name:36}" + "".join(f"{cell:>16}" for cell in cells))
        if self.folder_share is not None:
            lines.append(
                f"  the folder's class is the best one of some cell in {self.folder_share:.0%} of pictures, and the "
                f"answer for the whole picture in {self.picture_share:.0%}"
            )
        return "\n".join([*lines, *(f"  {line}" for line in self.advice())])

    def advice(self) -> list[str]:
        """What the figures mean, in words."""
        local, dense, whole = (self.divergence[name][0] or 0.0 for name in ROWS[:3])
        found: list[Any] = []
        if not self.helps:
            found.append(
                "Localised targets are no nearer to the crop than global ones: with this network and input size the map "
                "brings nothing. Try other sizes with --tune."
            )
        if dense > 0.5 and dense > 0.5 * whole:
            found.append(
                "Cells say something else than crops: a network that is fed far above the size it was trained at, or "
                "whose cells see too little, gives poor maps. Try --tune."
            )
        if local > 1.5 * dense + 0.02:
            found.append(
                f"Storing costs {local - dense:.3f} of it: --maps factors keeps all classes, in fewer bytes than five; if they "
                "are, a lower --quality brings targets nearer."
            )
        return found


def measure(
    annotator: Annotator,
    pictures: Sequence[tuple[str, bytes, int]],
    form: Form,
    seed: int = 0,
) -> Fidelity:
    """Annotates pictures and random crops of them, packs and pools the maps as training will, and compares.

    `pictures` are key, file and class of the folder (−1 for none). The truth is the answer of the network as it was
    trained, at the size it was trained at, for the crop's own pixels.
    """
    generator = np.random.default_rng(seed)
    truths: list[Array] = []
    boxes: list[Array] = []
    dense: list[Array] = []
    answers: list[int] = []
    maps: list[tuple[Tensor, Extent]] = []
    keys = [key for key, _, _ in pictures]
    for key, data, _ in pictures:
        picture = decoded(data)
        extent = annotator.preprocessing.extent(picture)
        own = torch.from_numpy(annotator.preprocessing.pixels(picture))[None]
        scores = shown(annotator.maps(own), [annotator.preprocessing.inner(picture)])
        finite(scores, [key], annotator.precision)
        chosen = _boxes(generator, extent)
        truths.append(crops.answers(annotator, picture, chosen))
        answers.append(int(crops.answers(annotator, picture, np.array([extent])).argmax()))
        dense.append(crops.pooled_dense(scores[0], chosen, extent))
        maps.append((scores, extent))
        boxes.append(chosen)
    found = {"localised, before storing": np.stack(dense)}
    found |= _pooled_as_stored(annotator, keys, maps, np.stack(boxes), form)
    labels = np.array([label if label >= 0 else answer for (_, _, label), answer in zip(pictures, answers)])
    smooth = np.full((len(labels), 1, annotator.num_classes), 0.1 / annotator.num_classes)
    smooth[np.arange(len(labels)), 0, labels] += 0.9
    found["image label, smoothed by 0.1"] = np.broadcast_to(smooth, found["localised"].shape)
    truth, chosen = np.stack(truths), np.stack(boxes)
    areas = chosen[..., 2] * chosen[..., 3]
    masks = [np.ones_like(areas, bool), *((areas > low) & (areas <= high) for low, high in AREAS)]
    known = [
        (scores, label, answer) for (scores, _), (_, _, label), answer in zip(maps, pictures, answers) if label >= 0
    ]
    return Fidelity(
        len(pictures), int(areas.size),
        {name: [_mean(crops.divergence(truth, found[name]), mask) for mask in masks] for name in ROWS},
        {name: [_mean(truth.argmax(-1) == found[name].argmax(-1), mask) for mask in masks] for name in ROWS},
        rounded(sum(bool((scores.argmax(1) == label).any()) for scores, label, _ in known) / len(known)) if known else None,
        rounded(sum(label == answer for _, label, answer in known) / len(known)) if known else None,
    )  # fmt: skip


def _boxes(generator: np.random.Generator, extent: Sequence[float]) -> Array:
    """Boxes as `RandomResizedCrop` draws them, in what the map covers."""
    boxes = np.array([crops.random_box(generator) for _ in range(CROPS)])
    return boxes * [extent[2], extent[3], extent[2], extent[3]] + [extent[0], extent[1], 0, 0]


def _pooled_as_stored(
    annotator: Annotator,
    keys: Sequence[str],
    maps: Sequence[Any],
    boxes: Array,
    form: Form,
) -> dict[str, Array]:
    """Targets by kind, of a dataset that is packed, verified, read and pooled like any other."""
    with tempfile.TemporaryDirectory(prefix="relabel-annotate-") as folder:
        with Writer(
            f"{folder}/labels",
            num_classes=annotator.num_classes,
            score_kind="logit",
            overwrite=True,
            **form.words(annotator.num_classes),
        ) as writer:
            for key, (scores, extent) in zip(keys, maps):
                writer.add(key, scores[0], map_extent=extent)
        with open_maps(f"{folder}/labels") as stored:
            extents = np.array([extent for _, extent in maps])[:, None]
            inside = (boxes - extents * [1, 1, 0, 0]) / extents[..., [2, 3, 2, 3]]
            # The crop with its axes exchanged, as a reader takes it that has them the wrong way round.
            turned = inside[..., [1, 0, 3, 2]] * extents[..., [2, 3, 2, 3]] + extents * [1, 1, 0, 0]
            every = np.broadcast_to(extents, boxes.shape)
            kinds = {"localised": boxes, "global": every, "transposed": turned}
            return {
                name: stored.targets(list(keys), chosen, outside="clamp")[0].astype(np.float64)
                for name, chosen in kinds.items()
            }


def _mean(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_]) -> float | None:
    return rounded(float(values[mask].mean())) if mask.any() else None
