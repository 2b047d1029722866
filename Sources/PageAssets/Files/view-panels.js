"use strict";
/** A name with the swatch of its colour. */
relabel.named = (names, id, colour) => {
  const swatch = relabel.element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colour ?? relabel.otherColour;
  return [swatch, relabel.nameOf(names, id)];
};

/** A probability that programs can read, too. */
relabel.probability = (value) => relabel.element("data", { value }, relabel.percent(value));

/** A share of one that may be very small. */
relabel.smallPercent = (value) => (value === 0 ? "0 %" : value < 1e-5 ? "below 0.001 %" : `${(value * 100).toPrecision(2)} %`);

/** The legend of the classes that cells show: colour, name, and share of the cells. */
relabel.legend = (names, classes, colours) => {
  const counts = relabel.byFrequency(classes);
  const own = counts.filter(([id]) => colours.has(id));
  const others = counts.filter(([id]) => !colours.has(id));
  const share = (count) => ` ${relabel.percent(count / classes.length)}`;
  const items = own.map(([id, count]) => relabel.element("li", {}, relabel.named(names, id, colours.get(id)), share(count)));
  if (others.length) {
    const swatch = relabel.element("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = relabel.otherColour;
    const sum = others.reduce((total, [, count]) => total + count, 0);
    items.push(relabel.element("li", {}, swatch, others.length === 1 ? relabel.nameOf(names, others[0][0]) : `${relabel.number(others.length)} other classes`, share(sum)));
  }
  return relabel.element("ul", { class: "legend" }, items);
};

/** The legend of a heat map. */
relabel.heatLegend = (name, highest) =>
  relabel.element("p", {}, `Probability of ${name} in each cell, from 0 % to ${relabel.percent(highest)}:`, relabel.element("span", { class: "heat", "aria-hidden": "true" }));

/** The most probable classes of a target with bars, below a heading; null says that there is none. */
relabel.target = (heading, names, target, colours, count = 6) => {
  if (!target) return relabel.element("section", {}, heading, relabel.element("p", {}, "The map covers nothing of this box, so there is no target."));
  const items = target.classes.slice(0, count).map(([id, probability]) => {
    const bar = relabel.element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.min(probability, 1) * 100}%`;
    return relabel.element("li", { "data-class": id }, relabel.element("span", {}, relabel.named(names, id, colours.get(id))), relabel.probability(probability), bar);
  });
  const rest = target.classes.length - items.length;
  const words = [
    rest > 0 ? `${relabel.number(rest)} more ${rest === 1 ? "class" : "classes"} pooled` : null,
    target.others > 0 ? `each of ${relabel.number(target.others)} others ${relabel.smallPercent(target.rest)}` : null,
    target.covered < 1 - 1e-9 ? `the map covers ${relabel.percent(target.covered)} of the box` : null,
  ].filter((text) => text);
  return relabel.element("section", {}, heading, relabel.element("ol", {}, items), relabel.element("p", { class: "quiet" }, words.join("; ")));
};

/** Says something to screen readers, at most twice a second and the last word always. */
relabel.speaker = (element) => {
  let timer = null;
  let text = "";
  return (words) => {
    text = words;
    timer ??= setTimeout(() => {
      timer = null;
      if (element.textContent !== text) element.textContent = text;
    }, 500);
  };
};

/** The outlines of views over the picture, with their numbers, and names where there is room. */
relabel.outlines = (names, maps, chosen, colourOf) => {
  const share = (value) => `${value * 100}%`;
  const withNames = maps.length <= 8;
  return maps.map(({ view, best }, place) => ({ view, best, place })).filter(({ view }) => view?.box)
    .sort((a, b) => (a.place === chosen) - (b.place === chosen)).flatMap(({ view, best, place }) => {
      const [top, left, height, width] = view.box;
      const isChosen = place === chosen;
      const rectangle = (kind) => relabel.drawn("rect", { class: `${kind}outline${isChosen ? " chosen" : ""}`, x: share(left), y: share(top), width: share(width), height: share(height) });
      const label = `${view.number}${withNames || isChosen ? `: ${relabel.nameOf(names, best)}` : ""}`;
      const shapes = [rectangle("under "), rectangle("")];
      shapes[1].style.stroke = colourOf(best) ?? "";
      if (withNames || isChosen) shapes.push(relabel.drawn("text", { x: share(Math.max(left, 0)), y: share(Math.max(top, 0)), dx: 6, dy: 18 }, label));
      return shapes;
    });
};
