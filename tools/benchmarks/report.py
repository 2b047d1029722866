"""The rows as a table, as JSON and as a plot."""

import json


def line(row):
    spread = f"{row['spread'][0]:g} … {row['spread'][1]:g}" if row["spread"][0] != row["spread"][1] else ""
    goal = "" if row["goal"] is None else f"{row['goal']:g}"
    met = {None: "", True: "met", False: "NOT MET"}[row["met"]]
    times = f"{row['microseconds']:g} : {row['microseconds_against']:g} µs" if "microseconds" in row else ""
    return (
        f"{row['work']:44} {row['contender']:30} {row['against'] or '':30}{row['ratio']:>10g} {row['unit']:16}"
        f"{goal:>8} {met:8}{spread:>18}  {times}"
    )


def print_table(rows):
    print(f"{'work':44} {'contender':30} {'against':30}{'figure':>10} {'':16}{'goal':>8} {'':8}{'spread':>18}")
    for row in rows:
        print(line(row), flush=True)


def write_json(rows, path):
    path.write_text(json.dumps(rows, indent=1) + "\n")


def plot(rows, path):
    """Ratios against their goals, as bars, in a PNG or SVG file."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    shown = [row for row in rows if row["goal"] is not None][::-1]
    figure, axes = plt.subplots(figsize=(11, 0.34 * len(shown) + 1.4), layout="constrained")
    shares = [row["ratio"] / row["goal"] for row in shown]
    axes.barh(range(len(shown)), shares, color=["#2a7f62" if row["met"] else "#c0392b" for row in shown])
    for place, (row, share) in enumerate(zip(shown, shares)):
        axes.text(share, place, f" {row['ratio']:g} {row['unit']} (goal {row['goal']:g})", va="center", fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8)
    names = [f"{row['work']}: {row['contender']}" for row in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=7)
    axes.set_xlim(0, max(shares) * 1.35)
    axes.set_xlabel("figure / goal; for times and speed-ups alike the black line is the goal")
    figure.savefig(path, dpi=150)
    plt.close(figure)
