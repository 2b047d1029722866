"""The rows as a table, as JSON and as a plot."""

import json

LONGEST_BAR = 3


def goal_of(row):
    """`≥ 250`, `≤ 1.3` or nothing."""
    return "" if row["goal"] is None else f"{'≤' if row['at_most'] else '≥'} {row['goal']:g}"


def line(row):
    spread = f"{row['spread'][0]:g} … {row['spread'][1]:g}" if row["spread"][0] != row["spread"][1] else ""
    met = {None: "", True: "met", False: "NOT MET"}[row["met"]]
    times = f"{row['microseconds']:g} : {row['microseconds_against']:g} µs" if "microseconds" in row else ""
    return (
        f"{row['work']:44} {row['contender']:30} {row['against'] or '':30}{row['ratio']:>10g} {row['unit']:16}"
        f"{goal_of(row):>8} {met:8}{spread:>18}  {times}"
    )


def print_table(rows):
    print(f"{'work':44} {'contender':30} {'against':30}{'figure':>10} {'':16}{'goal':>8} {'':8}{'spread':>18}")
    for row in rows:
        print(line(row), flush=True)


def cell(row, divisor):
    """A figure in few characters; of times the median, and the ratio where it is not 1."""
    if row["ratio"] is None:
        return "not measured"
    if "microseconds" not in row:
        return f"{row['ratio']:,.0f}"
    value = row["microseconds"] / divisor
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return text if row["contender"] == row["against"] else f"{text} ({row['ratio']:.3g}×)"


def print_by_contender(rows, columns):
    """A line for each contender, with the rows of these works as columns: a heading and a divisor of microseconds."""
    lines = {}
    for row in rows:
        if row["work"] in columns:
            lines.setdefault(row["contender"], {})[row["work"]] = cell(row, columns[row["work"]][1])
    table = [["container", *(heading for heading, _ in columns.values())]]
    table += [[contender, *(cells.get(work, "–") for work in columns)] for contender, cells in lines.items()]
    widths = [max(map(len, column)) for column in zip(*table)]
    for name, *cells in table:
        print(name.ljust(widths[0]), *(text.rjust(width) for text, width in zip(cells, widths[1:])), sep="  ", flush=True)


def write_json(rows, path):
    path.write_text(json.dumps(rows, indent=1) + "\n")


def share(row):
    """How many times as good as its goal a figure is."""
    value, goal = (row["goal"], row["ratio"]) if row["at_most"] else (row["ratio"], row["goal"])
    return LONGEST_BAR if goal <= 0 else min(value / goal, LONGEST_BAR)


def plot(rows, path):
    """How far the figures are beyond their goals, as bars, in a PNG or SVG file."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    shown = [row for row in rows if row["goal"] is not None][::-1]
    figure, axes = plt.subplots(figsize=(11, 0.34 * len(shown) + 1.4), layout="constrained")
    shares = [share(row) for row in shown]
    axes.barh(range(len(shown)), shares, color=["#2a7f62" if row["met"] else "#c0392b" for row in shown])
    for place, (row, end) in enumerate(zip(shown, shares)):
        axes.text(end, place, f" {row['ratio']:g} {row['unit']} (goal {goal_of(row)})", va="center", fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    names = [f"{row['work']}: {row['contender']}" for row in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=7)
    axes.set_xlim(0, LONGEST_BAR * 1.4)
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.set_xlabel(f"times as good as the goal, which is the black line; bars end at {LONGEST_BAR}")
    figure.savefig(path, dpi=150)
    plt.close(figure)
