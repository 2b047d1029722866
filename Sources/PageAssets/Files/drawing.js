"use strict";
/** A drawing of the best class of each cell; cells that `other` has otherwise are crossed. */
relabel.mapDrawing = (map, colours, label, other = null) => {
  const paths = new Map();
  let crosses = "";
  map.classes.forEach((id, cell) => {
    const [x, y] = [cell % map.width, Math.floor(cell / map.width)];
    const colour = colours.get(id) ?? relabel.otherColour;
    paths.set(colour, (paths.get(colour) ?? "") + `M${x} ${y}h1v1h-1z`);
    if (other && other.classes[cell] !== id) crosses += `M${x + 0.25} ${y + 0.25}l.5 .5m0 -.5l-.5 .5`;
  });
  // Black on white, so that a cross shows on every colour.
  const strokes = [["#ffffff", 0.22], ["#000000", 0.09]].map(([stroke, width]) =>
    relabel.drawn("path", { d: crosses, stroke, "stroke-width": width, fill: "none" }),
  );
  return relabel.drawn(
    "svg", { viewBox: `0 0 ${map.width} ${map.height}`, role: "img", "aria-label": label },
    [...paths].map(([fill, d]) => relabel.drawn("path", { d, fill, "shape-rendering": "crispEdges" })),
    crosses ? strokes : [],
  );
};

/** A list of classes with their colours, in the order of the colours. */
relabel.legend = (colours, names, hasOthers) => {
  const item = (colour, text) => {
    const swatch = relabel.element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colour;
    return relabel.element("li", {}, swatch, text);
  };
  return relabel.element(
    "ul", { class: "legend" },
    [...colours].map(([id, colour]) => item(colour, relabel.nameOf(names, id))),
    hasOthers ? item(relabel.otherColour, "other classes") : null,
  );
};

/** A table of bins with bars; empty bins at either end are left out. */
relabel.bins = (caption, bins) => {
  const used = bins.map((bin) => bin.count > 0);
  const shown = bins.slice(used.indexOf(true), used.lastIndexOf(true) + 1);
  const most = Math.max(...bins.map((bin) => bin.count));
  const name = (bin, place) =>
    bin.up_to === null ? `above ${bins[place - 1].up_to}` : place ? `up to ${bin.up_to}` : `exactly ${bin.up_to}`;
  const bar = (count) =>
    relabel.drawn(
      "svg", { class: "bar", width: 160, height: 12, "aria-hidden": "true" },
      relabel.drawn("rect", { width: count ? Math.max(1, (160 * count) / most) : 0, height: 12, fill: "currentColor" }),
    );
  if (!most) return null;
  return relabel.table(caption, ["difference", "count", ""], shown.map((bin) => [name(bin, bins.indexOf(bin)), bin.count, bar(bin.count)]));
};
