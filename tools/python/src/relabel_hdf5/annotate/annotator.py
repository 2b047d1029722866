"""`Annotator`: a classifier that answers for every cell of a picture (the paper, section 3.1)."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import InvalidDataError, UsageError
from ..header import ClassEntry
from . import class_tables, models
from .dilation import dilate
from .findings import first_line
from .parts import Parts, take_apart
from .preprocessing import Preprocessing
from .words import PRECISIONS

Precision = Literal["float32", "bfloat16", "float16"]

_SCORES_AT_ONCE = 1 << 26  # elements of dense scores that are in memory at a time


class Annotator:
    """A classifier without its global pooling: each cell of its last features goes through its head alone.

        >>> annotator = Annotator("samples/annotator.py:efficientnet_lite0", dilations=1)
        >>> annotator.grid, annotator.num_classes
        ((15, 15), 1000)
        >>> pictures = torch.zeros(2, 3, 240, 240, dtype=torch.uint8)
        >>> annotator.maps(pictures).shape
        torch.Size([2, 1000, 15, 15])

    The network is in evaluation mode and stays so; weights are never changed. For one thread at a time.
    """

    def __init__(
        self,
        model: str | nn.Module | models.Classifier,
        *,
        weights: str | None = None,
        preprocessing: Preprocessing | None = None,
        input_size: tuple[int, int] | None = None,
        dilations: int = 0,
        features: Callable[[Tensor], Tensor] | None = None,
        head: Callable[[Tensor], Tensor] | None = None,
        classes: str | tuple[ClassEntry, ...] | None = None,
        device: str | torch.device = "cpu",
        precision: Precision = "float32",
        flip_average: bool = False,
        name: str | None = None,
    ) -> None:
        """Takes the classifier apart, and refuses one that can't be.

        Args:
            model: A name (`timm:…`, `torchvision:…`, `hf-hub:…`, `MODULE:FUNCTION`) or a network.
            weights: A file with a state dict, instead of those that the name brings.
            preprocessing: What the network was trained on; its own description unless given.
            input_size: Height and width of the input; those of the preprocessing unless given.
            dilations: How many of the last strided stages are dilated: each doubles the cells along both axes.
            features: For networks that can't be taken apart by themselves: inputs to cells.
            head: Features of any grid to the scores of a picture.
            classes: The class table, or its file; the network's own unless given.
            device: Where the network runs.
            precision: What the network computes in; scores are always float32.
            flip_average: Whether each map is the mean of the picture's and of its mirror image's, mirrored back.
            name: What the shards call the annotator; the model's name unless given.

        Raises:
            UsageError: There is no such network, it can't be taken apart, its classes are not those of `classes`,
                or nothing says how its pictures are preprocessed.
        """
        if isinstance(model, str):
            found = models.load(model, weights, input_size)
        elif isinstance(model, models.Classifier):
            found = model
        else:
            if weights is not None:
                raise UsageError("weights are loaded for a network that is named; load them into your own yourself")
            found = models.of_module(model, name or type(model).__name__)
        described = preprocessing or found.preprocessing
        if described is None:
            raise UsageError(
                f"nothing says how pictures for {found.name} are made: give mean, std and input size, and the value "
                "range where it is not 0 … 1"
            )
        if precision not in PRECISIONS:
            raise UsageError(f"precision is {precision!r}; it has to be one of {', '.join(PRECISIONS)}")
        self.name = name or found.name
        self.classifier = found
        self.native_size = described.input_size
        self.preprocessing = described if input_size is None else described.sized(input_size)
        self.device = torch.device(device)
        self.precision, self.flip_average, self.dilations = precision, flip_average, dilations
        try:
            found.module.to(self.device)
        except (AssertionError, RuntimeError) as error:
            raise UsageError(f"the network can't be put on {self.device}: {error}") from error
        _freeze(found.module)
        example = torch.zeros(1, 3, *self.preprocessing.input_size, device=self.device)
        _check_runs(found.module, example, found.name)
        self.module = found.module
        self.plain = take_apart(self.module, example, features, head)
        """The network as it was trained: the truth that maps are measured against."""
        self.parts = self.plain
        if dilations:
            if features is not None:
                raise UsageError("dilate the network that features= runs yourself")
            self.module = _dilated(found.module, example, dilations, found.name)
            self.parts = take_apart(self.module, example)
        with self._running():
            cells = self.parts.cells(example)
            outputs = self.parts.scores(cells[:, :1, :1]).shape[-1]
        self.grid = (int(cells.shape[1]), int(cells.shape[2]))
        """Cells along the height and the width of the input."""
        self._check_grid(example)
        self.num_classes = int(outputs)
        """Classes that the network scores."""
        given = class_tables.read(classes) if isinstance(classes, str) else classes
        self.classes = class_tables.agreed(given, found.classes, self.num_classes)
        """What the outputs stand for, or None where nobody says."""

    def _check_grid(self, example: Tensor) -> None:
        """Refuses a grid that leaves out the last rows or columns, and one that dilation did not make as it should."""
        with self._running():
            plain = self.plain.cells(example).shape[1:3]
            size = self.native_size
            native = plain if size == tuple(example.shape[-2:]) else _grid_at(self.plain, example, size)
        for cells, before, pixels, own, own_pixels in zip(
            self.grid, plain, self.preprocessing.input_size, native or plain, size if native else example.shape[-2:]
        ):
            if abs(cells - before * 2**self.dilations) > 2**self.dilations - 1:
                raise UsageError(
                    f"{self.name}: {self.dilations} dilated stages make {cells} cells of {before}, not "
                    f"{before * 2**self.dilations}: its stages are not strided convolutions of stride 2"
                )
            step = max(1, round(own_pixels / own))
            if before * step < 0.97 * pixels:
                step = self._stride(example, step, own_pixels)
            if before * step < 0.97 * pixels:
                raise UsageError(
                    f"{self.name}: {before} cells of {step} pixels cover {before * step} of {pixels} pixels of the input, "
                    f"and the file would say that they cover all: choose a multiple of {step}, such as "
                    f"{pixels // step * step} or {(pixels // step + 1) * step}"
                )

    def _stride(self, example: Tensor, step: int, pixels: int) -> int:
        """How many pixels further the next cell begins: `step`, or the power of two above it, which cells of a padded border
        hide (260 pixels make 9 cells of a network with stride 32)."""
        first = _grid_at(self.plain, example, (pixels, pixels))
        for stride in (step, 1 << (step - 1).bit_length()):
            longer = _grid_at(self.plain, example, (pixels + 4 * stride,) * 2)
            if first is not None and longer == (first[0] + 4, first[1] + 4):
                return stride
        return step

    def maps(self, pictures: Tensor) -> Tensor:
        """Label maps [B, C, H, W], float32 on the annotator's device, of pictures uint8 [B, 3, h, w].

        Raises `UsageError` for another shape or type, `InvalidDataError` where a score is not finite.
        """
        return torch.cat([part for _, part in self.parts_of(self.inputs(pictures))])

    def inputs(self, pictures: Tensor) -> Tensor:
        """What the network takes, of pictures uint8 [B, 3, h, w] (`Preprocessing.pixels`)."""
        height, width = self.preprocessing.input_size
        if not isinstance(pictures, Tensor) or pictures.dtype != torch.uint8:
            kind = pictures.dtype if isinstance(pictures, Tensor) else type(pictures).__name__
            raise UsageError(f"pictures are tensors of uint8, 0 … 255, before mean and std; this is {kind}")
        if tuple(pictures.shape[1:]) != (3, height, width):
            last = "; channels come first: pictures.permute(0, 3, 1, 2)" if pictures.shape[-1] == 3 else ""
            raise UsageError(f"pictures are [B, 3, {height}, {width}], not {list(pictures.shape)}{last}")
        return self.preprocessing.normalised(pictures.to(self.device, non_blocking=True))

    def parts_of(self, inputs: Tensor) -> Any:
        """Yields, a few pictures at a time, the place of the first and label maps [b, C, H, W] of inputs."""
        self._check_frozen()
        with self._running():
            cells = self.parts.cells(inputs)
            mirrored = self.parts.cells(inputs.flip(-1)).flip(2) if self.flip_average else None
        step = max(1, _SCORES_AT_ONCE // (self.grid[0] * self.grid[1] * self.num_classes))
        for first in range(0, len(inputs), step):
            with self._running():
                scores = self.parts.scores(cells[first : first + step]).float()
                if mirrored is not None:
                    scores = (scores + self.parts.scores(mirrored[first : first + step]).float()) / 2
            yield first, scores.permute(0, 3, 1, 2)

    def answers(self, inputs: Tensor, plain: bool = True) -> Tensor:
        """The network's own answer for whole pictures [B, C], float32: as it was trained, or with its dilation."""
        with self._running():
            return (self.plain if plain else self.parts).answer(inputs).float()

    @contextlib.contextmanager
    def in_precision(self, precision: Precision) -> Any:
        """The annotator with another precision for a while."""
        kept, self.precision = self.precision, precision
        try:
            yield self
        finally:
            self.precision = kept

    def _check_frozen(self) -> None:
        if any(module.training for module in self.module.modules()):
            raise UsageError(
                f"{self.name} was put into training mode: call eval(), so that labels don't depend on chance"
            )

    @contextlib.contextmanager
    def _running(self) -> Any:
        kind = getattr(torch, self.precision)
        cast = torch.autocast(self.device.type, kind) if kind != torch.float32 else contextlib.nullcontext()
        with torch.inference_mode(), cast:
            yield


def finite(scores: Tensor, keys: list[str], precision: str) -> None:
    """Raises `InvalidDataError`, by key and cell, where a score of maps [B, C, H, W] is not finite."""
    if bool(torch.isfinite(scores).all()):
        return
    place = torch.nonzero(~torch.isfinite(scores))[0].tolist()
    advice = "" if precision == "float32" else f"; {precision} may be too narrow for this network: try float32"
    raise InvalidDataError(
        f"the network's score of class {place[1]} is {float(scores[tuple(place)])}{advice}", key=keys[place[0]],
        cell=(place[2], place[3]),
    )  # fmt: skip


def _freeze(module: nn.Module) -> None:
    module.eval()
    module.requires_grad_(False)
    for name, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise UsageError(
                f"{type(module).__name__}: {name} ({type(part).__name__}) keeps no running statistics, so that a "
                "picture's labels would depend on the other pictures of its batch"
            )


def _check_runs(module: nn.Module, example: Tensor, name: str) -> None:
    try:
        with torch.inference_mode():
            answer = module(example)
    except Exception as error:  # whatever the network's own code raises
        raise UsageError(f"{name} does not take an input of {list(example.shape)}: {first_line(error)}") from error
    if not isinstance(answer, Tensor) or answer.ndim != 2:
        kind = list(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise UsageError(f"{name} answers with {kind}, not with scores [B, C]")


def _dilated(module: nn.Module, example: Tensor, dilations: int, name: str) -> nn.Module:
    """A copy with dilated stages, around the same tensors."""
    copied = _copied(module)
    try:
        dilate(copied, example, dilations)
    except UsageError:
        raise
    except Exception as error:  # whatever a network's own code raises at a grid that it does not expect
        raise UsageError(f"{name} can't be dilated: {error}") from error
    _check_runs(copied, example, name)
    return copied


def _grid_at(parts: Parts, example: Tensor, size: tuple[int, int]) -> tuple[int, int] | None:
    """The grid of an input of another size, or None where the network takes no other."""
    try:
        found = parts.cells(example.new_zeros(1, 3, *size)).shape
    except Exception:  # a network for one size: its own is all there is to go by
        return None
    return int(found[1]), int(found[2])


def _copied(module: nn.Module) -> nn.Module:
    """A copy of a network's structure around the same tensors."""
    memo: dict[int, Any] = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, memo)
