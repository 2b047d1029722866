"""The runs: rows as in the paper's tables, sizes and families of students, and what is done wrong on purpose."""

from __future__ import annotations

TARGETS = ("single", "smoothing", "cleaning", "global", "localised")
"""The rows of the main table: what a crop's target is."""

LABELS = {
    "strong": {"annotator": "strong"},
    "noisy": {"annotator": "noisy"},
    "top 1": {"annotator": "strong", "options": ["--top-k", "1"]},
    "top 3": {"annotator": "strong", "options": ["--top-k", "3"]},
    "all 10": {"annotator": "strong", "options": ["--top-k", "10"]},
    "factors": {"annotator": "strong", "options": ["--maps", "factors"]},
    "coarse factors": {"annotator": "strong", "options": ["--maps", "factors", "--quality", "0.003"]},
    "bfloat16 annotator": {"annotator": "strong", "options": ["--precision", "bfloat16"]},
    "small preset": {"annotator": "strong", "options": ["--preset", "small"]},
    "8×8 cells": {"annotator": "coarse"},
    "no ground seen": {"annotator": "no-ground"},
    "logits as given": {"annotator": "strong", "options": ["--logits", "as-given"]},
    "transposed": {"annotator": "strong", "wrong": "transposed"},
    "logits lowered by 10": {"annotator": "strong", "wrong": "lowered"},
    "sigmoids as logits": {"annotator": "strong", "wrong": "sigmoid"},
    "maps of other pictures": {"annotator": "strong", "wrong": "shuffled"},
}
"""Labelled datasets of the same scenes: which annotator, which options, what is wrong with them."""

ABLATIONS = (
    "top 1", "top 3", "all 10", "factors", "coarse factors", "bfloat16 annotator", "small preset", "logits as given", "8×8 cells", "no ground seen",
    "transposed", "logits lowered by 10", "sigmoids as logits", "maps of other pictures",
)  # fmt: skip


def runs(seeds, epochs, quick):
    """Names and settings of all runs; the main rows first."""
    found = {}

    def add(group, target, labels, seed, student="residual-16", **more):
        name = "-".join(str(part).replace(" ", "_") for part in (group, target, labels, student, *more.values(), seed))
        found[name] = {
            "group": group, "target": target, "labelled": labels, "student": student, "seed": seed, "epochs": epochs, **more,
        }  # fmt: skip

    for seed in range(seeds):
        for target in ("single", "localised") if quick else TARGETS:
            add("main", target, "strong", seed)
    if quick:
        return found
    for seed in range(seeds):
        for target in TARGETS:
            add("cutmix", target, "strong", seed, cutmix=True)
        for target in ("cleaning", "global", "localised"):
            add("noisy", target, "noisy", seed)
        for labels in ABLATIONS:
            add("ablation", "localised", labels, seed)
        for target in ("single", "localised"):
            for student in ("residual-8", "residual-32", "plain-16"):
                add("students", target, "strong", seed, student)
            add("crops", target, "strong", seed, crop=0.5)
        for target in ("global", "localised"):
            add("sharper", target, "strong", seed, temperature=0.33)
    return found
