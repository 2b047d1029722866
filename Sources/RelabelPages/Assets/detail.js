"use strict";
/** One side of an opened image: a dataset's map over the picture, its classes, and the cell that is pointed to. */
relabel.side = (title, header, side, names, picture) => {
  if (!side) return relabel.element("section", {}, relabel.element("h3", {}, title), relabel.element("p", {}, "The dataset does not have this image."));
  const map = relabel.unpacked(side.map);
  const colours = relabel.coloursOfMap(header, map);
  const said = relabel.element("p", { class: "quiet", "aria-live": "polite" }, "Point to a cell, or press arrow keys on the picture.");
  const canvas = relabel.element("canvas", {
    tabindex: 0, role: "img", "data-size": 640,
    "aria-label": `Map of ${title}: ` + side.top.slice(0, 3).map(([id, p]) => `${relabel.nameOf(names, id)} ${relabel.percent(p)}`).join(", "),
  });
  const isTransposed = relabel.isTransposed("relabel", header.orientation);
  const [down, across] = isTransposed ? [header.width, header.height] : [header.height, header.width];
  const [top, left, height, width] = map.extent;
  let place = [0, 0];
  const point = (row, column) => {
    place = [Math.min(Math.max(row, 0), down - 1), Math.min(Math.max(column, 0), across - 1)];
    const cell = isTransposed ? place[1] * header.width + place[0] : place[0] * header.width + place[1];
    const best = relabel.cellTarget(header, map, cell).classes.slice(0, 5);
    said.textContent = `Row ${place[0] + 1}, column ${place[1] + 1}: `
      + best.map(([id, probability]) => `${relabel.nameOf(names, id)} ${relabel.percent(probability)}`).join(", ");
  };
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = [event.offsetX / canvas.clientWidth, event.offsetY / canvas.clientHeight];
    point(Math.floor(((y - top) / height) * down), Math.floor(((x - left) / width) * across));
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    point(place[0] + step[0], place[1] + step[1]);
  });
  const isShown = relabel.element("input", { type: "checkbox", checked: true, change: () => draw() });
  const draw = () => relabel.drawOver(canvas, header, map, picture, isShown.checked);
  draw();
  return relabel.element("section", {}, relabel.element("h3", {}, title),
    relabel.element("figure", {}, canvas), relabel.element("label", {}, isShown, "Show the map"), said,
    relabel.table("Target of the whole image", ["Class", "Probability"],
      side.top.map(([id, probability]) => [relabel.classLine(names, colours, id, probability), relabel.percent(probability)])));
};

/** Opens images one at a time over the page; `step` goes to another one. */
relabel.detail = (page, bar, step) => {
  const body = relabel.element("div", {});
  const title = relabel.element("h2", { id: "detail-title", tabindex: -1 });
  const button = (name, key, click) => relabel.element("button", { type: "button", click, "aria-keyshortcuts": key },
    name, " ", relabel.element("kbd", { "aria-hidden": "true" }, key));
  const home = { parent: null };
  const dialog = relabel.element("dialog", { "aria-labelledby": "detail-title" },
    relabel.element("div", { class: "top" }, title,
      relabel.element("div", { class: "controls" }, button("Previous", "k", () => step(-1)), button("Next", "j", () => step(1)),
        button("Close", "Escape", () => dialog.close()))), body);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    home.parent.append(bar.element);
    page.focusCurrent();
  });

  /** Shows an image; opens the dialog if need be. */
  const show = async (image) => {
    title.textContent = relabel.titleOf(image);
    body.replaceChildren(relabel.element("p", {}, "Loading…"));
    if (!dialog.open) {
      home.parent = bar.element.parentElement;
      dialog.append(bar.element);
      dialog.showModal();
    }
    const [answer, picture] = await Promise.all([relabel.ask("/image", { at: image.at }), relabel.pictureAt(image.at)]);
    // Another image was asked for meanwhile.
    if (title.textContent !== relabel.titleOf(image)) return;
    const { image: found, names } = answer;
    const sides = [relabel.side(page.title, page.header, found.own, names, picture)];
    if (page.other) sides.push(relabel.side(page.other.title, page.other.header, found.other, names, picture));
    const facts = [
      found.label == null ? null : `The source says ${relabel.nameOf(names, found.label)}.`,
      found.suspicion == null ? null : `Suspicion ${found.suspicion.toFixed(2)} of 1, entropy ${found.entropy.toFixed(2)} bits.`,
      image.note ? `Note: ${image.note}` : null, picture ? null : "There is no picture.",
    ].filter(Boolean);
    body.replaceChildren(relabel.element("p", {}, facts.join(" ")), relabel.element("div", { class: "sides" }, sides));
  };
  return { show, isOpen: () => dialog.open, close: () => dialog.close() };
};
