"""The report: every row with mean and deviation, as Markdown, HTML and JSON."""

from __future__ import annotations

import json
import platform
import statistics

import figures
import markdown as markdown_library
import plan
import torch

METRICS = {
    "top1": "one garment, top-1", "in_label_set": "scene, top-1 in its classes", "mean_average_precision": "scene, mAP",
    "of_windows": "scene by windows, mAP",
    "calibration_error": "calibration error",
}  # fmt: skip


def write(folder, runs, said, arguments):
    """Writes `results.json`, `report.md` and `report.html` of the runs that have a result."""
    paths = {name: folder / "runs" / f"{name}.json" for name in runs}
    results = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    document = {
        "arguments": arguments, "torch": torch.__version__, "python": platform.python_version(),
        "planned": len(runs), "machine": f"{platform.machine()}, {torch.get_num_threads()} threads", "runs": results, "annotators": said,
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(document, indent=1))
    text = markdown(results, said, len(runs))
    (folder / "report.md").write_text(text)
    (folder / "report.html").write_text(page(folder, results, text))


def rows(results, group):
    """Settings and results of each row of a group, over the seeds."""
    found = {}
    for result in results.values():
        run = result["run"]
        if run["group"] == group:
            found.setdefault((run["student"], run["labelled"], run["target"]), []).append(result)
    return found


def cell(results, metric):
    """Mean and deviation over seeds, in per cent."""
    values = [100 * result["scores"][metric] for result in results]
    deviation = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.1f}{deviation}"


TITLES = {
    "main": "What a crop's target is", "cutmix": "The same with CutMix",
    "noisy": "Labels of an annotator that saw the noisy scenes alone", "students": "Other students",
    "crops": "Crops from half the area", "ablation": "Localised targets, with other labels",
}  # fmt: skip


def markdown(results, said, planned):
    """The report as Markdown."""
    parts = ["# Re-labelled scenes\n", f"{len(results)} of {planned} students, mean ± deviation over seeds, in per cent.\n"]
    for group, title in TITLES.items():
        found = rows(results, group)
        if not found:
            continue
        parts.append(f"## {title}\n")
        parts.append("| student | labels | target | " + " | ".join(METRICS.values()) + " |")
        parts.append("|---|---|---|" + "---|" * len(METRICS))
        for (student, labelled, target), several in found.items():
            cells = " | ".join(cell(several, metric) for metric in METRICS)
            parts.append(f"| {student} | {labelled} | {target} | {cells} |")
        parts.append("")
    parts.append("## What labels cost a training step\n")
    parts.append(cost(results))
    parts.append("\n## What the tools said of the labels\n")
    for name in plan.LABELS:
        if said.get(name):
            parts.append(f"**{name}**\n\n```text\n{said[name].strip()}\n```\n")
    return "\n".join(parts)


def cost(results):
    """How much of a student's step its labels take."""
    shares = [
        100 * result["label_seconds"] / (result["loading_seconds"] + result["computing_seconds"])
        for result in results.values()
    ]
    return (
        f"From storage to targets, the labels of a batch take {statistics.median(shares):.1f} % of a training step "
        f"(median of {len(shares)} students)."
    )


def page(folder, results, text):
    """The Markdown as a page, with its figures inside."""
    pictures = [figures.examples(folder)]
    pictures += [figures.bars(found, title) for group, title in TITLES.items() if (found := rows(results, group))]
    pictures.append(figures.curves(rows(results, "main")))
    body = markdown_library.markdown(text, extensions=["tables", "fenced_code"])
    style = "body{font:15px sans-serif;max-width:70em;margin:2em auto}td,th{padding:.1em .7em;text-align:left}img{max-width:100%}"
    images = "".join(f'<p><img src="{address}" alt=""></p>' for address in pictures)
    return f"<!doctype html><meta charset=utf-8><title>Re-labelled scenes</title><style>{style}</style>{body}{images}"
