"""Classifiers by name: timm's, torchvision's, or a function of the user's own."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pathlib
import sys
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from ..errors import UsageError
from ..fingerprint import digest_of
from ..header import ClassEntry
from . import class_tables
from .findings import first_line
from .preprocessing import Preprocessing
from .words import INTERPOLATIONS


@dataclass(frozen=True)
class Classifier:
    """A classifier with what its makers say of it."""

    module: nn.Module
    name: str
    """Such as `timm:resnet50.a1_in1k`."""
    preprocessing: Preprocessing | None
    """What it was trained on; None where nothing says so."""
    classes: tuple[ClassEntry, ...] | None
    """What its outputs stand for; None where nothing says so."""
    weights: str
    """Where its weights come from, in words."""
    weights_sha256: str
    """The digest of the file of weights, or of all tensors (`digest`) where there is no file."""


def load(name: str, weights: str | None = None, input_size: tuple[int, int] | None = None) -> Classifier:
    """The classifier of a name: `timm:NAME`, `hf-hub:NAME`, `torchvision:NAME`, `MODULE:FUNCTION`, `FILE.py:FUNCTION`.

    `weights` is a file of a state dict (PyTorch's, without code, or safetensors); without it timm and torchvision
    fetch the weights that belong to the name. `input_size` is told to networks that are built for one size.
    Raises `UsageError` where there is no such network, or its weights don't fit.
    """
    source, separator, rest = name.partition(":")
    if not separator or not rest:
        raise UsageError(
            f"{name!r} names no network: say timm:NAME, torchvision:NAME, hf-hub:NAME, MODULE:FUNCTION or FILE.py:FUNCTION"
        )
    if source == "timm":
        found = _timm(name, rest, weights, input_size)
    elif source == "hf-hub":
        found = _timm(name, name, weights, input_size)
    elif source == "torchvision":
        found = _torchvision(name, rest, weights)
    else:
        found = _function(name, source, rest)
    if weights is not None:
        _load_weights(found.module, weights)
        return replace(found, weights=f"the file {pathlib.Path(weights).name}", weights_sha256=digest_of(weights)[0])
    return replace(found, weights_sha256=digest(found.module))


def of_module(module: nn.Module, name: str) -> Classifier:
    """A classifier that a program made itself; what it says of its own as timm's do is used."""
    if not isinstance(module, nn.Module):
        raise UsageError(f"{name} is a {type(module).__name__}, not a torch.nn.Module")
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None) or {}
    preprocessing = _configured(config)
    if preprocessing is not None and _is_sized(module):
        preprocessing = preprocessing.sized(_patches(module))  # the one size that it takes
    classes = class_tables.of_timm(module) if type(module).__module__.startswith("timm.") else None
    return Classifier(module, name, preprocessing, classes, "tensors of the state dict", digest(module))


def digest(module: nn.Module) -> str:
    """The SHA-256 of all tensors of a state dict: name, type, shape and bytes of each, by name."""
    found = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            continue
        found.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def _timm(name: str, model: str, weights: str | None, input_size: tuple[int, int] | None) -> Classifier:
    try:
        import timm
    except Exception as error:  # a torchvision that does not fit torch raises what it likes
        raise UsageError(f"timm can't be imported ({error}): pip install 'relabel-hdf5[annotate]'") from error
    options: dict[str, Any] = {"pretrained": weights is None}
    try:
        module = timm.create_model(model, **options)
        if input_size is not None and _is_sized(module) and tuple(_patches(module)) != input_size:
            module = timm.create_model(model, img_size=input_size, **options)
    except Exception as error:  # timm, huggingface_hub and the network raise what they like
        raise UsageError(
            f"timm does not give {model!r}: {first_line(error)}. Is the name one of timm.list_pretrained(), and can its weights be "
            "fetched? --weights FILE takes a file that you have"
        ) from error
    return of_module(module, name)


def _is_sized(module: nn.Module) -> bool:
    return getattr(getattr(module, "patch_embed", None), "img_size", None) is not None


def _patches(module: Any) -> tuple[int, int]:
    height, width = module.patch_embed.img_size
    return int(height), int(width)


def _torchvision(name: str, model: str, weights: str | None) -> Classifier:
    try:
        from torchvision import models
    except Exception as error:
        raise UsageError(f"torchvision can't be imported: {error}") from error
    try:
        known = models.get_model_weights(model)
        default = known.DEFAULT
        module = models.get_model(model, weights=None if weights else default)
    except Exception as error:
        raise UsageError(
            f"torchvision does not give {model!r}: {first_line(error)}. Is the name one of torchvision.models.list_models(), and can "
            "its weights be fetched? --weights FILE takes a file that you have"
        ) from error
    made = default.transforms()
    size = int(made.crop_size[0])
    preprocessing = Preprocessing(
        (size, size), tuple(made.mean), tuple(made.std), interpolation=str(getattr(made.interpolation, "value", "bilinear")),
        crop_share=min(1.0, size / int(made.resize_size[0])),
    )  # fmt: skip
    classes = class_tables.of_names(default.meta.get("categories"))
    return Classifier(module, name, preprocessing, classes, f"torchvision's {default}", "")


def _function(name: str, module: str, function: str) -> Classifier:
    try:
        if module.endswith(".py"):
            spec = importlib.util.spec_from_file_location(pathlib.Path(module).stem, module)
            if spec is None or spec.loader is None:
                raise UsageError(f"{module} is no Python file")
            imported = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = imported
            spec.loader.exec_module(imported)
        else:
            sys.path.insert(0, "")
            imported = importlib.import_module(module)
        made = getattr(imported, function)()
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{name} gives no network: {type(error).__name__}: {error}") from error
    return of_module(made, name)


def _configured(config: Any) -> Preprocessing | None:
    """The preprocessing that timm's configurations describe, where mean, std and input size are there."""
    read = config.get if hasattr(config, "get") else lambda name, default=None: getattr(config, name, default)
    size, mean, std = read("input_size"), read("mean"), read("std")
    if not (size and mean and std):
        return None
    interpolation = str(read("interpolation") or "bicubic")
    return Preprocessing(
        (int(size[-2]), int(size[-1])), tuple(map(float, mean)), tuple(map(float, std)),
        value_range=tuple(map(float, read("value_range") or (0, 1))),  # type: ignore[arg-type]
        interpolation=interpolation if interpolation in INTERPOLATIONS else "bicubic",
        crop_share=float(read("crop_pct") or 1),
    )  # fmt: skip


def _load_weights(module: nn.Module, path: str) -> None:
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            # weights_only: a pickle that would run code is refused.
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(f"the weights can't be read: {first_line(error)}", file=path) from error
    for wrapper in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict):
        raise UsageError(f"the weights are a {type(state).__name__}, not a state dict", file=path)
    if state and all(str(name).startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    try:
        module.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageError(f"the weights are not this network's: {' '.join(lines)[:400]}", file=path) from error
