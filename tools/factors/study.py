"""Bytes of a map against what targets lose; see tools/study-factors."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

sys.path[:0] = [
    str(pathlib.Path(__file__).resolve().parent),
    str(pathlib.Path(__file__).resolve().parents[1] / "python/src"),
]

import container
import encoder
import forms
import truths

from relabel_hdf5.annotate.crops import random_box
from relabel_hdf5.pooling_torch import axis_weights

BUDGETS = (1000, 1350, 1900, 2690, 5000)
TODAY = ("best classes of a cell, absent = zero", "top 5")
FACTORS = "weighted factors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures folders and prints their tables; 1 where a goal is missed."""
    options = parsed(arguments)
    results, missed = [], []
    for folder in options.folders:
        measured = measure(folder, options)
        print("\n".join(report(measured)), flush=True)
        missed += goals(measured)
        results.append(measured)
    if options.output:
        options.output.write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(missed) or "every goal is met")
    return 1 if missed else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("tools/study-factors", description=__doc__)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="Folders of dense logits [C, H, W], .npy.")
    parser.add_argument("--maps", type=int, default=40, help="The most maps of a folder. (default: 40)")
    parser.add_argument("--crops", type=int, default=24, help="Random crops of each map. (default: 24)")
    parser.add_argument(
        "--pictures", type=pathlib.Path, help="Their pictures: targets are compared with the network's answers."
    )
    parser.add_argument("--model", help="The network, as relabel-annotate is told it.")
    parser.add_argument("--weights", help="Its state dict, where the model's name brings none.")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="A JSON file for all figures.")
    found = parser.parse_args(arguments)
    if (found.pictures is None) != (found.model is None):
        parser.error("--pictures and --model go together")
    if found.weights and not found.model:
        parser.error("--weights are those of a --model")
    return found


def measure(folder: pathlib.Path, options: argparse.Namespace) -> dict:
    """The figures of every form on the maps of a folder."""
    files = sorted(folder.rglob("*.npy"))[: options.maps]
    if not files:
        raise SystemExit(f"{folder}: no .npy files")
    maps = [np.load(file).astype(np.float64) for file in files]
    grid = maps[0].shape[1:]
    metric = encoder.Metric(cell_weights(boxes(1024, 999), grid), encoder.Settings())
    drawn = [boxes(options.crops, number) for number in range(len(maps))]
    weights = [cell_weights(some, grid) for some in drawn]
    flat = [map_.reshape(len(map_), -1) for map_ in maps]
    wanted = [encoder.softmax(logits @ weight) for logits, weight in zip(flat, weights)]
    answers = None
    if options.pictures:
        paths = [file.relative_to(folder) for file in files]
        answers = truths.answers(options.model, options.weights, options.pictures, paths, drawn)
    rows = []
    for (family, setting), form in forms.all_forms(len(flat[0])).items():
        begin = time.process_time()
        stored = [form(logits, metric) for logits in flat]
        seconds = time.process_time() - begin
        targets = [encoder.softmax(one.logits @ weight) for one, weight in zip(stored, weights)]
        rows.append({
            "family": family, "setting": setting, "bytes": container.bytes_of_row([one.arrays for one in stored]),
            "milliseconds": 1000 * seconds / len(flat), **compared(wanted, targets, answers),
        })  # fmt: skip
    dense = compared(wanted, wanted, answers) if answers else None
    return {
        "folder": folder.name, "maps": len(maps), "classes": len(flat[0]), "grid": list(grid), "crops": options.crops,
        "dense": dense, "rows": rows,
    }  # fmt: skip


def boxes(count: int, seed: int) -> np.ndarray:
    """Crops as `RandomResizedCrop` draws them."""
    generator = np.random.default_rng(seed)
    return np.array([random_box(generator) for _ in range(count)])


def cell_weights(drawn: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """What each cell weighs in each crop, [H·W, n]."""
    corners = torch.from_numpy(drawn)
    rows, columns = (axis_weights(corners[:, axis], corners[:, axis + 2], grid[axis]) for axis in (0, 1))
    return torch.einsum("nh,nw->hwn", rows, columns).reshape(-1, len(drawn)).numpy()


def compared(wanted: list, targets: list, answers: list | None) -> dict:
    """How targets differ from those of the dense maps, and from the network's own answers where they are known."""
    pairs = list(zip(wanted, targets))
    found = {
        "other_top": mean([(want.argmax(0) != got.argmax(0)).mean() for want, got in pairs]),
        "half_l1": mean([np.abs(want - got).sum(0).mean() / 2 for want, got in pairs]),
        "divergence": mean([divergence(want, got) for want, got in pairs]),
    }
    if answers:
        found["divergence_of_answers"] = mean([divergence(want, got) for want, got in zip(answers, targets)])
        found["other_top_of_answers"] = mean(
            [(want.argmax(0) != got.argmax(0)).mean() for want, got in zip(answers, targets)]
        )
    return found


def divergence(wanted: np.ndarray, got: np.ndarray) -> float:
    """KL(wanted ‖ got) in nats, the mean over crops."""
    return float((wanted * np.log(np.maximum(wanted, 1e-12) / np.maximum(got, 1e-12))).sum(0).mean())


def mean(values: list) -> float:
    return float(np.mean(values))


def row(measured: dict, family: str, setting: str) -> dict:
    """The figures of one form."""
    return next(one for one in measured["rows"] if (one["family"], one["setting"]) == (family, setting))


def best(measured: dict, family: str, budget: float) -> dict | None:
    """The form of a family with the least divergence within so many bytes."""
    within = [one for one in measured["rows"] if one["family"] == family and one["bytes"] <= budget]
    return min(within, key=lambda one: one["divergence"], default=None)


def report(measured: dict) -> list[str]:
    """A table in Markdown: for each budget the best of each family."""
    height, width = measured["grid"]
    lines = [
        "", f"### {measured['folder']}: {measured['maps']} maps of {measured['classes']} classes, {height}×{width} cells, "
        f"{measured['crops']} crops each", "",
    ]  # fmt: skip
    heads = ["at most", "what is stored", "setting", "bytes", "other top", "half L1", "KL"]
    if measured["dense"]:
        heads.append("KL of the network's answer (dense: {divergence_of_answers:.3f})".format(**measured["dense"]))
    lines += [
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
        "| today | " + cells(row(measured, *TODAY)) + " |",
    ]
    for budget in BUDGETS:
        # Of the rules for absent classes the best.
        found = [best(measured, family, budget) for family in dict.fromkeys(one["family"] for one in measured["rows"])]
        lines += [
            f"| {budget:,} | {cells(one)} |" for one in sorted(filter(None, found), key=lambda one: one["divergence"])
        ]
    return lines


def cells(one: dict) -> str:
    """The figures of a form as cells of a table."""
    found = [
        one["family"], one["setting"], f"{one['bytes']:,.0f}", f"{one['other_top']:.1%}", f"{one['half_l1']:.3f}",
        f"{one['divergence']:.4f}",
    ]  # fmt: skip
    if "divergence_of_answers" in one:
        found.append(f"{one['divergence_of_answers']:.3f}")
    return " | ".join(found)


def goals(measured: dict) -> list[str]:
    """What factors miss of what they should reach, against top 5 as it is stored today."""
    today = row(measured, *TODAY)
    missed = []
    for budget, shares in ((2690, (1 / 8, 1 / 3, 1)), (1350, (1, 1, None))):
        found = best(measured, FACTORS, budget)
        for name, share in zip(("divergence", "half_l1", "other_top"), shares):
            if share is not None and (found is None or found[name] > share * today[name]):
                got = "nothing" if found is None else f"{found[name]:.4f}"
                missed.append(f"{measured['folder']}, {budget:,} bytes: {name} {got}, goal {share * today[name]:.4f}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
