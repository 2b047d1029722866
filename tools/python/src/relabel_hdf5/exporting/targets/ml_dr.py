"""Reinforcements as ml-dr stores them, a file for each picture."""

from __future__ import annotations

import json
import pickle
import re
import zlib
from typing import Any

import numpy as np

from ...errors import InvalidDataError, UsageError
from ..options import Options
from ..source import Source
from ..views import Rows, Views, in_groups, need
from .base import Job, OfViews
from .files import created
from .torch_files import need_torch
from .view_facts import need_one_score, operations, source_facts, unknown_losses

_PROTOCOL = 4
_NAME = "{}.pth.tar"
_ORDER = (
    "uint8", "resize", "center_crop", "random_crop", "random_resized_crop", "random_horizontal_flip", "rand_augment",
    "to_tensor", "random_erase", "normalize", "mixup", "cutmix",
)  # fmt: skip
"""Transforms in the order in which ml-dr applies and stores them, whatever the order of its configuration is."""
_WITHOUT = frozenset({"uint8", "center_crop", "to_tensor", "normalize"})
"""Transforms that have no parameters."""


class MLDR:
    """`INDEX.pth.tar` for each picture: its place and a list of parameters and probabilities; `config.pth.tar` beside them.

    `reinforce.py` of apple/ml-dr writes them, by `torch.save` or, where the configuration says so, as joblib does.
    """

    name = "ml-dr"
    summary = "a folder of INDEX.pth.tar and config.pth.tar, as ml-dr (dataset reinforcement) stores them"
    is_folder = True
    takes: frozenset[str] = frozenset()
    of_views = OfViews.NEEDED

    def refuse(self, source: Source, options: Options) -> None:
        """Refuses views whose parameters ml-dr's reader would not know."""
        views = source.views
        need(views, self.name, ("operations",))
        need_one_score(views, self.name, "probability")
        if not isinstance(configuration(views), dict):
            raise UsageError(
                "ml-dr reads its configuration first, and these shards have none: they come from elsewhere"
            )
        need_torch()

    def losses(self, source: Source, options: Options) -> list[str]:
        """What these files say nothing of."""
        found = unknown_losses(source.views, None)
        if isinstance(source_facts(source.header).get("config"), dict):
            found.append("which whole numbers of the configuration were written as floats: 1.0 and 1 are one number in JSON")
        return found

    def write(self, job: Job) -> None:
        """Writes the configuration and a file for each picture."""
        import torch

        with created(job.path, _NAME.format("config"), "config") as file:
            torch.save(configuration(job.views), file, pickle_protocol=_PROTOCOL)
        container = source_facts(job.views.header).get("container")
        for rows in in_groups(job.views, job.views.image_order):
            with created(job.path, _NAME.format(rows.columns["image_index"][0]), rows.keys[0]) as file:
                if container in ("joblib", "pickle"):
                    content = pickle.dumps(record(job.views, rows), _PROTOCOL)
                    file.write(zlib.compress(content, 3) if container == "joblib" else content)
                else:
                    torch.save(record(job.views, rows), file, pickle_protocol=_PROTOCOL)
            job.progress(len(rows))

    def made(self, views: Views, name: str) -> Any:
        """The configuration, or the record of a picture, by the name of the file."""
        if name == _NAME.format("config"):
            return configuration(views)
        found = re.fullmatch(r"(\d+)\.pth\.tar", name)
        positions = views.image_order.group(int(found[1])) if found else None
        return None if positions is None else record(views, views.rows(positions))

    def listed(self, views: Views, folder: str) -> list[str] | None:
        """None: ml-dr's reader lists no folder."""
        return None


def configuration(views: Views) -> Any:
    """What ml-dr was told: parameters mean nothing without it. A text of JSON, which tells 1.0 from 1, or an object."""
    found = source_facts(views.header).get("config")
    try:
        return json.loads(found) if isinstance(found, str) else found
    except ValueError as error:
        raise InvalidDataError(f"the configuration of ml-dr is no JSON: {error}") from None


def record(views: Views, rows: Rows) -> tuple[int, list[dict[str, Any]]]:
    """The place of a picture, and its samples."""
    ids, scores = rows.single_cells()
    samples = []
    for entry, key, found, probabilities in zip(operations(rows), rows.keys, ids.tolist(), scores.tolist()):
        if "params" not in entry:
            raise InvalidDataError("these are no parameters of ml-dr", dataset="operations", key=key)
        samples.append({"params": _parameters(configuration(views), entry["params"]), "prob": (probabilities, found)})
    return int(rows.columns["image_index"][0]), samples


def _parameters(config: dict[str, Any], stored: Any) -> Any:
    """Parameters with the types that ml-dr gives them, which JSON has no words for: tuples, and integers of NumPy."""
    if isinstance(stored, dict):  # not compressed: each transform has its own and the partner's
        return {name: _of_both(name, value) for name, value in stored.items()}
    chosen = config["reinforce"]["image_augmentation"]
    names = [name for name in _ORDER if name in chosen and chosen[name].get("enable", True) and name not in _WITHOUT]
    first, rest = [], stored
    is_pair = False
    if "mixup" in names or "cutmix" in names:
        first, rest = stored[:1], stored[1:]
        is_pair = first[0] is not None
    if len(rest) != len(names):
        raise InvalidDataError(
            f"{len(rest)} parameters for {len(names)} transforms ({', '.join(names)})", dataset="operations"
        )
    return first + [
        [_typed(name, own) for own in value] if is_pair and name not in ("mixup", "cutmix") else _typed(name, value)
        for name, value in zip(names, rest)
    ]


def _of_both(name: str, value: Any) -> Any:
    if name == "cutmix" and value is not None:
        return float(value[0]), tuple(np.int64(edge) for edge in value[1])
    if name == "mixup" or not isinstance(value, list):
        return _typed(name, value)
    return tuple(() if own == [] else _typed(name, own) for own in value)


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "mixup":
        return float(value)  # JSON may have made a whole number of it
    if name == "rand_augment":
        return [(operation, float(magnitude)) for operation, magnitude in value]
    if name == "cutmix":
        return [float(value[0]), *(np.int64(edge) for edge in value[1:])]
    return tuple(value) if isinstance(value, list) else value
