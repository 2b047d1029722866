"use strict";
/** The names of the marks, with the keys that set them. */
relabel.verdicts = [["good", "Good", "1"], ["wrong-label", "Wrong label", "2"], ["exclude", "Exclude", "3"]];

/** A picture with its map over it, in a frame: the best class of each cell, the more opaque the more probable. */
relabel.drawOver = (canvas, header, map, frame, picture) => {
  const ratio = picture ? picture.width / picture.height : header.width / header.height;
  const longest = 240;
  canvas.width = ratio >= 1 ? longest : Math.max(1, Math.round(longest * ratio));
  canvas.height = ratio >= 1 ? Math.max(1, Math.round(longest / ratio)) : longest;
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (picture) pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  if (!map) return;
  const cells = relabel.shownCells(header, map);
  const colours = relabel.coloursOf(cells.map(([id]) => id));
  const isTransposed = relabel.isTransposed("relabel", header.orientation);
  cells.forEach(([id, probability], cell) => {
    const onMap = relabel.cellPlace(header, map, Math.floor(cell / header.width), cell % header.width, isTransposed);
    const [y, x, height, width] = relabel.onPicture(frame, [onMap.y, onMap.x, onMap.height, onMap.width]);
    pen.globalAlpha = (picture ? 0.65 : 1) * Math.min(Math.max(probability, 0.05), 1);
    pen.fillStyle = colours.get(id) ?? relabel.otherColour;
    // Neighbours share a rounded edge: without a gap, and without a seam that is drawn twice.
    const [left, top] = [Math.round(x * canvas.width), Math.round(y * canvas.height)];
    const [right, bottom] = [Math.round((x + width) * canvas.width), Math.round((y + height) * canvas.height)];
    pen.fillRect(left, top, right - left, bottom - top);
  });
  pen.globalAlpha = 1;
};

/** The colours of a map's classes; none where there is no map. */
relabel.coloursOfMap = (header, map) =>
  map ? relabel.coloursOf(relabel.shownCells(header, map).map(([id]) => id)) : new Map();

/** A class with its probability, and its colour in the map. */
relabel.classLine = (names, colours, id, probability) => {
  const swatch = relabel.element("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colours.get(id) ?? relabel.otherColour;
  return relabel.element("span", {}, colours.has(id) ? swatch : null, `${relabel.nameOf(names, id)} ${relabel.percent(probability)}`);
};

/** What an image is called: its key, and the number of its view. */
relabel.titleOf = (image) => (image.view == null ? image.key : `${image.key}, view ${image.view}`);

/** The mark of an image as a badge. */
relabel.badge = (image) => {
  const verdict = relabel.verdicts.find(([word]) => word === image.mark);
  if (!verdict && !image.note) return null;
  const colour = { good: "good", "wrong-label": "warn", exclude: "bad" }[image.mark] ?? "quiet";
  const text = [verdict?.[1], image.note ? "note" : null].filter(Boolean).join(", ");
  return relabel.element("span", { class: `badge ${colour}` }, text);
};

/** One image of the grid: a button that makes it the current one, and opens it when it is that already. */
relabel.tile = (page, image) => {
  const canvases = [page.header, page.other?.header].filter(Boolean).map(() => relabel.element("canvas", { "aria-hidden": "true" }));
  const foot = relabel.element("span", {});
  const tile = {
    image,
    element: relabel.element("button", { type: "button", class: "tile", tabindex: -1 },
      relabel.element("span", { class: "shown" }, canvases), relabel.element("span", { class: "key" }, relabel.titleOf(image)), foot),
  };
  const sides = [[page.header, image.own]];
  if (page.other) sides.push([page.other.header, image.other]);
  const maps = sides.map(([, side]) => (side?.map ? relabel.unpacked(side.map) : null));
  /** Draws again what marks or pictures change. */
  tile.refresh = () => {
    const lines = sides.map(([header, side], place) => {
      if (!side) return relabel.element("span", { class: "quiet" }, "not in the other dataset");
      const colours = relabel.coloursOfMap(header, maps[place]);
      return side.top.map(([id, probability]) => relabel.element("div", {}, relabel.classLine(page.names, colours, id, probability)));
    });
    const label = image.label == null ? null : relabel.element("div", { class: image.label === image.own.top[0]?.[0] ? "good" : "warn" },
      `source: ${relabel.nameOf(page.names, image.label)}`);
    const measure = image.suspicion == null ? null : relabel.element("div", { class: "quiet" },
      `suspicion ${image.suspicion.toFixed(2)}, ${image.entropy.toFixed(1)} bits`);
    foot.replaceChildren(...lines.flat(), ...[label, measure, relabel.badge(image)].filter(Boolean));
  };
  /** Draws the maps, with the picture where there is one. */
  tile.draw = (picture) => sides.forEach(([header, side], place) => relabel.drawOver(canvases[place], header, maps[place], side?.frame ?? relabel.wholePicture, picture));
  tile.refresh();
  tile.draw(null);
  return tile;
};
