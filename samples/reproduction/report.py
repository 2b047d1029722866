"""The report: every row with mean and deviation, as Markdown, HTML and JSON."""

from __future__ import annotations

import json
import platform
import statistics

import cost
import figures
import markdown as markdown_library
import torch

METRICS = {
    "top1": "one garment, top-1", "in_label_set": "scene, top-1 in its classes", "mean_average_precision": "scene, mAP",
    "of_windows": "scene by windows, mAP",
    "calibration_error": "calibration error",
}  # fmt: skip


def write(folder, runs, said, specs, arguments):
    """Writes `results.json`, `report.md` and `report.html` of the runs that have a result."""
    paths = {name: folder / "runs" / f"{name}.json" for name in runs}
    results = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    document = {
        "arguments": arguments, "torch": torch.__version__, "python": platform.python_version(),
        "planned": len(runs), "machine": f"{platform.machine()}, {torch.get_num_threads()} threads", "runs": results,
        "labels": said, "label_seconds": cost.measure(folder),
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(document, indent=1))
    text = markdown(document, specs)
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
    "crops": "Crops from half the area",
    "sharper": "Targets made sharper: temperature 1/3", "ablation": "Localised targets, with other labels",
}  # fmt: skip


def markdown(document, specs):
    """The report as Markdown."""
    results, said, planned = document["runs"], document["labels"], document["planned"]
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
    parts.append("## What targets say before anybody trains\n")
    parts.append(of_targets(said))
    parts.append("\n## What is stored, and what targets lose against those of all classes\n")
    parts.append(of_forms(said))
    if any("wrong" in specs[name] for name in said):
        parts.append("\n## Mistakes, and what finds them before training\n")
        parts.append(mistakes(results, said, specs))
    parts.append("\n## What labels cost a training step\n")
    parts.append(share(results, document["label_seconds"]))
    parts.append("\n## What the tools said of the labels\n")
    for name, found in said.items():
        parts.append(f"**{name}**\n\n```text\n{found['text'].strip()}\n```\n")
    return "\n".join(parts)


def of_targets(said):
    """A table of what each kind of target says of crops that show a garment, and localised ones of other labels."""
    lines = [
        "| labels | target | its best class is what the crop shows most | gives it | gives its best class |",
        "|---|---|---|---|---|",
    ]
    for name, found in said.items():
        for target, row in found["targets"].items():
            if name == "strong" or target == "localised":
                shares = " | ".join(f"{100 * row[share]:.1f}" for share in ("names", "gives", "surest"))
                lines.append(f"| {name} | {target} | {shares} |")
    return "\n".join(lines)


def of_forms(said):
    """A table of bytes, and of what targets of crops lose."""
    lines = ["| labels | bytes an image | other best class | half L1 | KL |", "|---|---|---|---|---|"]
    for name, found in said.items():
        if "lost" in found:
            lost = "{other_top:.1%} | {half_l1:.3f} | {divergence:.4f}".format(**found["lost"])
            lines.append(f"| {name} | {found['bytes']:,.0f} | {lost} |")
    return "\n".join(lines)


def mistakes(results, said, specs):
    """A table of labels that are wrong on purpose: what `relabel-verify` says of them, and what they cost."""
    right = rows(results, "main").get(("residual-16", "strong", "localised"))
    lines = ["| labels | one garment, top-1 | lost | what `relabel-verify` says |", "|---|---|---|---|"]
    for name, spec in specs.items():
        several = rows(results, "ablation").get(("residual-16", name, "localised"))
        if "wrong" not in spec or not several or not right:
            continue
        top1 = [statistics.fmean(100 * result["scores"]["top1"] for result in group) for group in (right, several)]
        found = "; ".join(f"{rule}: {message}" for rule, message in said[name]["findings"].items())
        lines.append(f"| {name} | {cell(several, 'top1')} | {top1[0] - top1[1]:.1f} | {found or 'nothing'} |")
    return "\n".join(lines)


def share(results, seconds):
    """How much of a student's step its labels take, our way and that of the released code."""
    step = statistics.median(result["loading_seconds"] + result["computing_seconds"] for result in results.values())
    others = step - seconds["ours"]
    return (
        f"A training step takes {1000 * step:.0f} ms (median of {len(results)} students, two at a time). Its labels, from storage "
        f"to targets, take {1000 * seconds['ours']:.2f} ms of it: {100 * seconds['ours'] / step:.1f} %. By the way of the "
        f"released code (a file for each picture, made dense, pooled) they take {1000 * seconds['released']:.1f} ms, which "
        f"would be {100 * seconds['released'] / (others + seconds['released']):.1f} % of a step."
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
