"""`with_box`: a transform that also says which part of the picture it shows (spec section 13.6)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..errors import UsageError
from ..versions import demand
from . import augment_ops, vision_ops
from .known import Effect, Known, class_name, effect_of, unfollowed
from .placements import Follower
from .view import View

Geometric = Literal["error", "ignore", "follow"]
Step = Callable[[View], View]


def with_box(transform: Any, *, geometric: Geometric = "error", known: Known | None = None) -> WithBox:
    """Wraps a transform of torchvision (v1, v2) or timm so that it returns its output and the crop box.

        >>> from PIL import Image
        >>> from torchvision import transforms as T
        >>> from relabel_hdf5.train import with_box
        >>> crop = with_box(T.Compose([T.CenterCrop(100), T.ToTensor()]))
        >>> pixels, box = crop(Image.new("RGB", (400, 200)))
        >>> box.tolist()  # top, left, height, width in fractions of the picture
        [0.25, 0.375, 0.5, 0.25]

    The wrapped transform still does the work: it draws the same random numbers in the same order and makes the
    same pixels. `with_box` reads its settings now, so change them before, not after. Containers (Compose,
    RandomApply, RandomChoice, RandomOrder, torch.nn.Sequential) may be nested.

    A transform that could move the picture in an unknown way is refused here with `UsageError`, which names
    it; `known={Class: "pixels"}`, or `register`, declares transforms of your own.

    `geometric` says what happens to operations that turn, shear or shift the picture (RandAugment,
    AutoAugment, TrivialAugmentWide, AugMix, RandomRotation, RandomAffine and so on): ``"error"`` refuses
    them. ``"follow"`` takes the bounding box of what is still seen; it knows RandAugment and AutoAugment of timm
    and torchvision, and TrivialAugmentWide, and refuses the others. ``"ignore"`` keeps the box of the crop. The
    target then also counts what was moved out of sight: nearly half the crop after a translation by 0.45 of
    the width.
    """
    if geometric not in ("error", "ignore", "follow"):
        raise UsageError(f"geometric = {geometric!r}: there are 'error', 'ignore' and 'follow'")
    if transform is None:
        raise UsageError(
            "transform = None: give one of torchvision or timm that makes tensors, such as ToTensor()"
        )
    demand("torch", "torchvision", "timm")
    return WithBox(transform, _Builder(geometric, known or {}).step(transform), geometric, known)


class WithBox:
    """A transform that returns (output, box); made by `with_box`."""

    def __init__(self, transform: Any, step: Step, geometric: Geometric, known: Known | None) -> None:
        self.transform = transform
        self._step = step
        self._options: dict[str, Any] = {"geometric": geometric, "known": known}

    def around(self, transform: Any) -> WithBox:
        """Another transform, wrapped with the same options."""
        return with_box(transform, **self._options)

    def __call__(self, picture: Any) -> tuple[Any, np.ndarray]:
        """The transformed picture, and the box (top, left, height, width) that it shows, float64 [4].

        Takes a PIL image or a tensor [..., height, width]. Raises `BoxError` where only padding is left.
        """
        view = self._step(View(picture))
        return view.picture, view.box()

    def __repr__(self) -> str:
        return f"with_box({self.transform!r})"


class _Pixels:
    """A step that leaves the box alone."""

    def __init__(self, transform: Any) -> None:
        self._transform = transform

    def __call__(self, view: View) -> View:
        return view.with_picture(self._transform(view.picture))


class _Moves:
    """A step that moves the box: its follower runs the transform and sees where to."""

    def __init__(self, transform: Any, follow: Follower) -> None:
        self._transform = transform
        self._follow = follow

    def __call__(self, view: View) -> View:
        return view.placed(*self._follow(self._transform, view.picture))


class _Chain:
    """Steps in a row."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def __call__(self, view: View) -> View:
        for step in self._steps:
            view = step(view)
        return view


class _Builder:
    """Takes a transform apart.

    Containers that draw random numbers are made again, of their own class, around steps: they hand on what
    they are given without looking at it, so a view does as well as a picture.
    """

    def __init__(self, geometric: Geometric, known: Known) -> None:
        self._geometric = geometric
        self._known = known

    def step(self, transform: Any) -> Step:
        effect = effect_of(transform, self._known)
        if effect is not None:
            return _leaf(transform, effect)
        container: Step | None = self._container(transform)
        if container is not None:
            return container
        if _is(transform, "timm.data.auto_augment", "AugmentOp"):
            return self._augment_op(transform)
        if unfollowed(transform):
            followed = vision_ops.VisionAugment if vision_ops.is_followed(transform) else None
            return self._geometric_leaf(transform, class_name(transform), followed)
        raise UsageError(_unknown(transform))

    def _container(self, transform: Any) -> Any:
        """The container made again around steps; None for what is no container."""
        v1, v2, augment = "torchvision.transforms", "torchvision.transforms.v2", "timm.data.auto_augment"
        if _is(transform, "torch.nn", "Sequential"):
            return _Chain(self._steps(transform))
        if _is(transform, v1, "Compose") or _is(transform, v2, "Compose"):
            return _Chain(self._steps(transform.transforms))
        if _is(transform, v1, "RandomApply") or _is(transform, v2, "RandomApply"):
            return _same_class(transform, self._steps(transform.transforms), p=transform.p)
        if _is(transform, v1, "RandomOrder") or _is(transform, v2, "RandomOrder"):
            return _same_class(transform, self._steps(transform.transforms))
        if _is(transform, v1, "RandomChoice") or _is(transform, v2, "RandomChoice"):
            choice = _same_class(transform, self._steps(transform.transforms))
            choice.p = transform.p  # v2 would divide by the sum again
            return choice
        if _is(transform, augment, "RandAugment"):
            ops = self._steps(transform.ops)
            return _same_class(transform, ops, transform.num_layers, choice_weights=transform.choice_weights)
        if _is(transform, augment, "AutoAugment"):
            return _same_class(transform, [self._steps(ops) for ops in transform.policy])
        return None

    def _steps(self, transforms: Any) -> list[Step]:
        return [self.step(transform) for transform in transforms]

    def _augment_op(self, op: Any) -> Step:
        moves = augment_ops.moves_picture(op)
        if moves is None:
            raise UsageError(f"with_box doesn't know timm's operation {op.name}: leave it out")
        if not moves:
            return _Pixels(op)
        return self._geometric_leaf(op, f"timm's operation {op.name}", _followed_op)

    def _geometric_leaf(self, transform: Any, name: str, followed: Callable[[Any], Step] | None) -> Step:
        if self._geometric == "ignore":
            return _Pixels(transform)
        if self._geometric == "follow" and followed is not None:
            return followed(transform)
        follow = (
            "with_box(transform, geometric='follow') takes the bounding box of what is still seen, "
            if followed is not None else ""
        )
        raise UsageError(
            f"{name} turns, shears, warps or shifts the picture, and the labels with it. Leave it out, or "
            f"say what becomes of the box: {follow}with_box(transform, geometric='ignore') keeps the box of "
            "the crop"
        )


def _leaf(transform: Any, effect: Effect) -> Step:
    return _Pixels(transform) if effect == "pixels" else _Moves(transform, effect)


def _followed_op(op: Any) -> Step:
    return _Moves(op, augment_ops.follow)


def _same_class(transform: Any, *arguments: Any, **options: Any) -> Any:
    return type(transform)(*arguments, **options)


def _is(transform: Any, module: str, name: str) -> bool:
    """Whether `transform` is of exactly this class; a module that nobody loaded has made no transform."""
    return type(transform) is getattr(sys.modules.get(module), name, None)


def _unknown(transform: Any) -> str:
    if isinstance(transform, (list, tuple)):
        return "with_box takes one transform: put the parts into one Compose"
    name = class_name(transform)
    short = name.rpartition(".")[2]
    return (
        f"with_box doesn't know {name}: if it moves the picture, the box and so the target would be wrong. "
        f"Where it changes pixels only, say so: with_box(transform, known={{{short}: 'pixels'}}); "
        "otherwise give a handler there or with relabel_hdf5.train.register"
    )

