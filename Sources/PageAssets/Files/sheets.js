"use strict";
/** Contact sheets: images side by side, each with its map and what is known of it. */

/** A patch of a colour, which stands beside a name. */
relabel.swatch = (colour) => {
  const patch = relabel.element("span", { class: "swatch", "aria-hidden": "true" });
  patch.style.background = colour;
  return patch;
};

/** Draws the best class of each cell. */
relabel.mapCanvas = (map, colours, said) => {
  const canvas = relabel.element("canvas", { width: map.columns, height: map.rows, role: "img", "aria-label": said });
  const context = canvas.getContext("2d");
  map.best.forEach((id, place) => {
    context.fillStyle = colours.get(id) ?? relabel.otherColour;
    context.fillRect(place % map.columns, Math.floor(place / map.columns), 1, 1);
  });
  return canvas;
};

/** The picture, and the picture under its map; the map alone where there is no picture. */
relabel.pictureAndMap = (image, colours, said) => {
  const canvas = relabel.mapCanvas(image.map, colours, said);
  if (!image.picture) return relabel.element("div", { class: "pair alone" }, relabel.element("div", { class: "stage" }, canvas));
  const picture = (alt) => relabel.element("img", { src: image.picture, alt });
  const [top, left, height, width] = image.map.extent;
  Object.assign(canvas.style, {
    top: `${top * 100}%`, left: `${left * 100}%`, height: `${height * 100}%`, width: `${width * 100}%`,
  });
  return relabel.element(
    "div", { class: "pair" },
    relabel.element("div", { class: "stage" }, picture(`Picture ${image.key}`)),
    relabel.element("div", { class: "stage" }, picture(""), canvas),
  );
};

/** The first of a class's names, which is enough beside a picture. */
relabel.firstName = (names, id) => relabel.nameOf(names, id).split(", ")[0];

/** What the source says, beside the map. */
relabel.sourceLine = (measures, names) => {
  if (measures.label == null) return null;
  const name = relabel.firstName(names, measures.label);
  if (measures.label === measures.best) return relabel.element("p", { class: "good" }, `✓ source agrees: ${name}`);
  const how = measures.label_seen ? `${relabel.percent(measures.label_probability)} of the target` : "in no cell of the map";
  return relabel.element("p", { class: "bad" }, `✗ source says ${name}: ${how}`);
};

/** One image of a sheet. */
relabel.card = (image, names) => {
  const { measures, top } = image;
  const shown = [...top.map(([id]) => id)];
  if (measures.label != null && !shown.includes(measures.label)) shown.push(measures.label);
  const colours = new Map(shown.map((id, place) => [id, relabel.palette[place]]));
  const entries = top.map(([id, probability]) =>
    relabel.element("li", {}, relabel.swatch(colours.get(id)), `${relabel.percent(probability)} ${relabel.firstName(names, id)}`));
  const said = `Map of ${image.key}: ${top.map(([id, p]) => `${relabel.percent(p)} ${relabel.firstName(names, id)}`).join(", ")}`;
  const facts = [
    `suspicion ${relabel.number(measures.suspicion)}`, `entropy ${relabel.number(measures.entropy)} bits`,
    measures.crops_other_than_image == null ? null : `${relabel.percent(measures.crops_other_than_image)} of crops differ`,
    measures.constant ? "all cells alike" : null,
  ].filter((fact) => fact != null);
  return relabel.element(
    "li", {}, relabel.pictureAndMap(image, colours, said),
    relabel.element(
      "div", { class: "about" }, relabel.element("h4", {}, image.key), relabel.element("ul", {}, entries),
      relabel.sourceLine(measures, names), relabel.element("p", { class: "quiet" }, facts.join(" · ")),
    ),
  );
};

/** A sheet, with what its images have in common. */
relabel.sheet = (sheet, names) =>
  relabel.element(
    "section", { id: sheet.name },
    relabel.element("h2", {}, sheet.title), relabel.element("p", { class: "quiet" }, sheet.text),
    sheet.images.length === 0 ? relabel.element("p", { class: "good" }, "None.")
      : relabel.element("ul", { class: "sheet" }, sheet.images.map((image) => relabel.card(image, names))),
  );
