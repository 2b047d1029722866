"use strict";
/** Drawings of numbers. Each says in words what it shows, and has its numbers as a table. */

/** The numbers of a drawing, closed at first. */
relabel.asTable = (caption, heads, rows) =>
  relabel.element("details", {}, relabel.element("summary", {}, "As a table"), relabel.table(caption, heads, rows));

/** How often a number occurs, as bars of equal width; `shown` writes a number of its axis. */
relabel.histogram = (title, spread, shown) => {
  const [wide, high, base] = [400, 150, 120];
  const { low, counts, images, quartiles, mean } = spread;
  const step = (spread.high - low) / counts.length;
  const most = Math.max(...counts, 1);
  const bar = wide / counts.length;
  const said = `${title}: mean ${shown(mean)}, half of the images from ${shown(quartiles[0])} to ${shown(quartiles[2])}`;
  const place = ((quartiles[1] - low) / (spread.high - low)) * wide;
  const label = (x, anchor, text) => relabel.drawn("text", { x, y: 136, "text-anchor": anchor }, text);
  const drawing = relabel.drawn(
    "svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": said },
    counts.map((count, bin) => {
      // What occurs at all can be seen.
      const size = count === 0 ? 0 : Math.max((count / most) * (base - 6), 1.5);
      const range = `${shown(low + bin * step)} to ${shown(low + (bin + 1) * step)}: ${relabel.number(count)}`;
      return relabel.drawn(
        "rect", { class: "bar", x: bin * bar + 0.5, y: base - size, width: bar - 1, height: size },
        relabel.drawn("title", {}, range),
      );
    }),
    relabel.drawn("line", { class: "axis", x1: 0, x2: wide, y1: base, y2: base }),
    relabel.drawn("line", { class: "median", x1: place, x2: place, y1: 0, y2: base }),
    label(0, "start", shown(low)), label(wide / 2, "middle", shown((low + spread.high) / 2)), label(wide, "end", shown(spread.high)),
  );
  return relabel.element(
    "figure", {}, relabel.element("figcaption", {}, title), drawing,
    relabel.element(
      "p", { class: "quiet" },
      `Mean ${shown(mean)}, median ${shown(quartiles[1])} (dashed), middle half ${shown(quartiles[0])} to ${shown(quartiles[2])}, of ${relabel.number(images)}.`,
    ),
    relabel.asTable(
      title, ["from", "to", "count"],
      counts.map((count, bin) => [shown(low + bin * step), shown(low + (bin + 1) * step), count]),
    ),
  );
};

/** Numbers over the grid: the fuller the colour, the higher. */
relabel.heatMap = (title, rows, columns, values, unit) => {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const span = highest - lowest || 1;
  const at = (row, column) => values[row * columns + column];
  const said = `${title}: from ${relabel.number(lowest)} to ${relabel.number(highest)} ${unit}`;
  const means = (count, other, of) =>
    Array.from({ length: count }, (_, place) => [
      place, Array.from({ length: other }, (_, across) => of(place, across)).reduce((sum, value) => sum + value, 0) / other,
    ]);
  const cells = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      cells.push(relabel.drawn(
        "rect",
        { class: "cell", x: column, y: row, width: 1.02, height: 1.02, "fill-opacity": (0.06 + (0.94 * (at(row, column) - lowest)) / span).toFixed(3) },
        relabel.drawn("title", {}, `row ${row}, column ${column}: ${relabel.number(at(row, column))} ${unit}`),
      ));
    }
  }
  return relabel.element(
    "figure", { class: "heat" }, relabel.element("figcaption", {}, title),
    relabel.drawn("svg", { viewBox: `0 0 ${columns} ${rows}`, role: "img", "aria-label": said }, cells),
    relabel.element("p", { class: "quiet" }, `Faintest ${relabel.number(lowest)}, fullest ${relabel.number(highest)} ${unit}. Rows of the grid run down.`),
    relabel.asTable(`Means of rows in ${unit}`, ["row", "mean"], means(rows, columns, at)),
    relabel.asTable(`Means of columns in ${unit}`, ["column", "mean"], means(columns, rows, (column, row) => at(row, column))),
  );
};

/** A share as percent with a bar; a dash where it is not known. */
relabel.shareBar = (value) =>
  value == null ? "–" : relabel.element(
    "span", {}, relabel.percent(value),
    relabel.drawn(
      "svg", { class: "share", viewBox: "0 0 50 7", preserveAspectRatio: "none", "aria-hidden": "true" },
      relabel.drawn("rect", { class: "track", width: 50, height: 7 }),
      relabel.drawn("rect", { class: "bar", width: (50 * value).toFixed(1), height: 7 }),
    ),
  );
