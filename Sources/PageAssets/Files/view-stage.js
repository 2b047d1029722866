"use strict";
/** Cells that are elements of their own at once; of larger grids only the row of the current cell is. */
relabel.mostCells = 4096;

/** Colours of a heat map from 0 to 1 (viridis, which is readable with any colour vision and in grey). */
relabel.heat = [[68, 1, 84], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]];

/** Red, green and blue of a share of one in a heat map. */
relabel.heatColour = (share) => {
  const place = Math.min(Math.max(share, 0), 1) * (relabel.heat.length - 1);
  const low = Math.min(Math.trunc(place), relabel.heat.length - 2);
  return relabel.heat[low].map((value, part) => Math.round(value + (relabel.heat[low + 1][part] - value) * (place - low)));
};

/** Red, green and blue of a colour such as "#e69f00". */
relabel.parts = (colour) => [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));

/** The frame of a map of the whole picture. */
relabel.wholePicture = { box: [0, 0, 1, 1], isFlipped: false };

/** A rectangle of the map's frame as one of the picture; a mirrored view's frame is mirrored. */
relabel.onPicture = (frame, [top, left, height, width]) => {
  const [frameTop, frameLeft, frameHeight, frameWidth] = frame.box;
  const start = frame.isFlipped ? 1 - left - width : left;
  return [frameTop + top * frameHeight, frameLeft + start * frameWidth, height * frameHeight, width * frameWidth];
};

/** Puts an element where a rectangle of the picture is. */
relabel.put = (element, [top, left, height, width]) => {
  const sides = { top, left, height, width };
  for (const [side, value] of Object.entries(sides)) element.style[side] = `${value * 100}%`;
};

/** The picture with the cells of a map over it. */
relabel.Stage = class {
  constructor(document_, onCell) {
    this.header = document_.header;
    this.onCell = onCell;
    this.canvas = relabel.element("canvas", { "aria-hidden": "true" });
    this.cells = relabel.element("div", { class: "cells", role: "grid", "aria-label": "Cells of the map", keydown: (event) => this.key(event) });
    this.boxes = relabel.drawn("svg", { "aria-hidden": "true" });
    const alt = `The picture ${document_.key}`;
    // From its address in the page, or already decoded.
    const picture = document_.picture?.element
      ? relabel.fill(document_.picture.element, { class: "picture", role: "img", "aria-label": alt }, [])
      : document_.picture ? relabel.element("img", { class: "picture", src: document_.picture.data, alt, draggable: "false" }) : null;
    this.element = relabel.element("div", { class: "stage", pointermove: (event) => this.pointed(event), pointerdown: (event) => this.pointed(event) }, picture, this.canvas, this.boxes, this.cells);
    const [height, width] = document_.aspect;
    this.element.style.aspectRatio = `${width} / ${height}`;
    // A tall picture stays within the window, and keeps its shape.
    this.element.style.maxWidth = `${(85 * width) / height}vh`;
    this.current = { down: 0, across: 0 };
  }

  /** Shows a map in a frame, its rows down the picture or, transposed, along it. */
  show(map, frame, isTransposed) {
    this.frame = frame;
    this.isTransposed = isTransposed;
    [this.rows, this.columns] = isTransposed ? [this.header.width, this.header.height] : [this.header.height, this.header.width];
    [this.canvas.width, this.canvas.height] = [this.columns, this.rows];
    for (const element of [this.canvas, this.cells]) {
      relabel.put(element, relabel.onPicture(frame, map.extent));
      element.style.transform = frame.isFlipped ? "scaleX(-1)" : "";
    }
    this.cells.setAttribute("aria-rowcount", this.rows);
    this.cells.setAttribute("aria-colcount", this.columns);
    this.extent = map.extent;
    this.current = { down: Math.min(this.current.down, this.rows - 1), across: Math.min(this.current.across, this.columns - 1) };
  }

  /** The number of the stored cell at a place of the drawn grid. */
  cellAt(down, across) {
    return this.isTransposed ? across * this.header.width + down : down * this.header.width + across;
  }

  /** Colours the cells; `paint` gives red, green, blue and opacity of one, `describe` its text. */
  paint(paint, describe) {
    this.describe = describe;
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(this.columns, this.rows);
    for (let down = 0; down < this.rows; down++) {
      for (let across = 0; across < this.columns; across++) {
        const [red, green, blue, opacity] = paint(this.cellAt(down, across));
        image.data.set([red, green, blue, Math.round(opacity * 255)], (down * this.columns + across) * 4);
      }
    }
    context.putImageData(image, 0, 0);
    this.fillRows();
  }

  /** Makes the elements of cells: of all rows, or of the current one. */
  fillRows() {
    this.isWhole = this.rows * this.columns <= relabel.mostCells;
    const rows = this.isWhole ? [...Array(this.rows).keys()] : [this.current.down];
    this.cells.replaceChildren(...rows.map((down) =>
      relabel.element("div", { role: "row", "aria-rowindex": down + 1 }, Array.from({ length: this.columns }, (_, across) =>
        relabel.element("div", {
          role: "gridcell", "aria-colindex": across + 1, tabindex: this.isCurrent(down, across) ? 0 : -1,
          "aria-label": this.describe(this.cellAt(down, across)), focus: () => this.choose(down, across),
        })))));
    const share = this.isWhole ? 1 : 1 / this.rows;
    const [top, left, height, width] = this.extent;
    relabel.put(this.cells, relabel.onPicture(this.frame, [top + (this.isWhole ? 0 : this.current.down * share * height), left, height * share, width]));
  }

  isCurrent(down, across) {
    return down === this.current.down && across === this.current.across;
  }

  /** The element of a cell, or undefined. */
  elementAt(down, across) {
    const row = this.isWhole ? down : down === this.current.down ? 0 : -1;
    return this.cells.children[row]?.children[across];
  }

  /** Makes a cell the current one. */
  choose(down, across) {
    const before = this.elementAt(this.current.down, this.current.across);
    before?.setAttribute("tabindex", -1);
    before?.classList.remove("pointed");
    const hasMoved = down !== this.current.down;
    this.current = { down, across };
    if (hasMoved && !this.isWhole) this.fillRows();
    const now = this.elementAt(down, across);
    now?.setAttribute("tabindex", 0);
    now?.classList.add("pointed");
    this.onCell(this.cellAt(down, across));
  }

  /** Moves through the cells as the keys of grids do. */
  key(event) {
    const { down, across } = this.current;
    const sideways = this.frame.isFlipped ? -1 : 1;
    const ways = {
      ArrowUp: [down - 1, across], ArrowDown: [down + 1, across], ArrowLeft: [down, across - sideways], ArrowRight: [down, across + sideways],
      Home: [event.ctrlKey ? 0 : down, 0], End: [event.ctrlKey ? this.rows - 1 : down, this.columns - 1],
      PageUp: [down - 5, across], PageDown: [down + 5, across],
    };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1);
    this.choose(within(way[0], this.rows), within(way[1], this.columns));
    this.elementAt(this.current.down, this.current.across).focus();
  }

  /** Shows the cell under mouse or finger. */
  pointed(event) {
    const place = this.canvas.getBoundingClientRect();
    const [across, down] = [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
    if (!(across >= 0 && across < 1 && down >= 0 && down < 1)) return;
    const column = Math.trunc((this.frame.isFlipped ? 1 - across : across) * this.columns);
    const row = Math.trunc(down * this.rows);
    if (!this.isCurrent(row, Math.min(column, this.columns - 1))) this.choose(row, Math.min(column, this.columns - 1));
  }
};
