"""The report as Markdown: every figure with its standard error over pictures."""

from __future__ import annotations

from drawings import AREA_NAMES, plain
from settings import FORMS, MATCHED, NETWORKS

HEAD = "| all crops | " + " | ".join(AREA_NAMES) + " |"
CELLS = ("cells_inside", "cells_transposed", "pointing")
RULE = "---|" * (len(AREA_NAMES) + 1)


def markdown(document):
    """The whole report."""
    run = document["run"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    text = [
        "# Photographs without labels\n",
        f"{len(run['pictures'])} pictures, {run['crops']} crops. {document['machine']}; {versions}.\n",
        "The truth is the network's answer for the crop's own pixels, at the size that it was trained at. KL is the "
        "Kullback-Leibler divergence of this answer from the target, in nats: what a student loses that learned the target "
        "by heart. In brackets: how many per cent of targets have the answer's best class. ± is the standard error over "
        "pictures; crops of one picture count as one.\n",
    ]
    for network in run["networks"]:
        rows = document["closeness"][network]
        text += [f"## {network} ({NETWORKS[network]})\n", *nearness(rows, [*run["scales"], MATCHED])]
        text += [*stored(rows, [*run["scales"], MATCHED]), *tempered(rows, run["scales"])]
        text += [f"### {network}: collages\n", *placed(document["collages"][network])]
    text += ["![nearness](closeness.png)\n", "![forms](forms.png)\n", "![collages](collages.png)\n"]
    text += ["## Students\n", *students(document["students"]), "![students](students.png)\n"]
    return "\n".join(text)


def nearness(rows, scales):
    """Kinds of target by crop area, for dense maps and for five classes a cell."""
    (label,) = (row for row in rows if row["target"] == "image label")
    for form in ("dense", "top 5"):
        yield f"### {form}: {FORMS[form]}\n"
        yield f"| map at | target {HEAD}\n|---|---|{RULE}"
        yield f"| | image label, smoothed | {both(label)} |"
        for scale in scales:
            found = {row["target"]: row for row in plain(rows, scale, form)}
            for kind, row in found.items():
                yield f"| {scale} | {kind} | {both(row, signed='−' in kind)} |"
        yield ""


def stored(rows, scales):
    """What is stored of a map, and what it costs."""
    yield "### What is stored\n"
    yield "All crops; " + "; ".join(f"**{form}**: {text}" for form, text in FORMS.items()) + ".\n"
    yield "| map at | stored | global | localised | localised − global |\n|---|---|---|---|---|"
    for scale in scales:
        for form in FORMS:
            found = {row["target"]: row for row in plain(rows, scale, form)}
            cells = [pair(found[kind], 0, "−" in kind) for kind in ("global", "localised", "localised − global")]
            yield f"| {scale} | {form} | {' | '.join(cells)} |"
    yield ""


def tempered(rows, scales):
    """Sharpened targets."""
    found = [row for row in rows if "temperature" in row]
    temperatures = list(dict.fromkeys(row["temperature"] for row in found))
    yield "### Sharper targets: dense maps, KL at temperatures\n"
    yield "| map at | target | " + " | ".join(f"{value:g}" for value in temperatures) + " |\n|---|---|" + "---|" * len(temperatures)
    for scale in scales:
        for kind in ("global", "localised"):
            cells = [mean(row["divergence"][0]) for row in found if (row["scale"], row["target"]) == (scale, kind)]
            yield f"| {scale} | {kind} | {' | '.join(cells)} |"
    yield ""


def placed(rows):
    """Collages."""
    cells, said = ([row for row in rows if ("form" in row) == wanted] for wanted in (False, True))
    yield (
        "Two tiles of 30 % of the side on each collage, at known places off the diagonal. Per cent of the cells on a tile "
        "whose best class is that of its picture, the same of the transposed place, and how often the cell that is surest "
        f"of the class lies on the tile (by chance: {cells[0]['chance']:.0%}).\n"
    )
    yield "| map at | cells of the tile | of the transposed place | surest cell on the tile |\n|---|---|---|---|"
    for row in cells:
        yield f"| {row['scale']} | " + " | ".join(percent(row[name]) for name in CELLS) + " |"
    yield (
        "\nThe probability of its picture's class in the target of a tile and of the transposed place, and in how many per "
        "cent the tile's is higher. Both forms are packed as what they are (`yx`), and with axes exchanged (`xy`).\n"
    )
    yield "| map at | stored | packed as | on the tile | on the transposed place | tile's is higher |\n|---|---|---|---|---|---|"
    for row in said:
        both_places = " | ".join(mean(row["probability"][kind], digits=3) for kind in ("localised", "transposed"))
        yield f"| {row['scale']} | {row['form']} | {row['orientation']} | {both_places} | {percent(row['right_way'])} |"
    yield ""


def students(rows):
    """Students."""
    yield "| trained with | seen pictures: KL | same best class, % | held-out pictures: KL | same best class, % |"
    yield "|---|---|---|---|---|"
    for row in rows:
        signed = "−" in row["target"]
        cells = []
        for part in ("seen", "unseen"):
            cells += [mean(row[f"divergence_{part}"], signed), percent(row[f"same_top_{part}"], signed)]
        yield f"| {row['target']} | {' | '.join(cells)} |"
    yield ""


def both(row, signed=False):
    """The cells of a row: divergence and share of equal best classes, all crops and each range of areas."""
    return " | ".join(pair(row, place, signed) for place in range(len(row["divergence"])))


def pair(row, place, signed=False):
    """One cell: divergence, and in brackets the share of equal best classes."""
    return f"{mean(row['divergence'][place], signed)} ({percent(row['same_top'][place], signed)})"


def mean(value, signed=False, digits=2):
    """Mean and standard error."""
    sign = "+" if signed else ""
    return f"{value[0]:{sign}.{digits}f} ± {value[1]:.{digits}f}"


def percent(value, signed=False):
    """The same in per cent."""
    sign = "+" if signed else ""
    return f"{100 * value[0]:{sign}.0f} ± {100 * value[1]:.0f}"
