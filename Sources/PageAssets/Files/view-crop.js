"use strict";
/** A crop box over the picture: dragged and resized by mouse, finger and keys. */
relabel.Crop = class {
  /** Sides are whole ten-thousandths, so that the text of a box is the box: top, left, height, width. */
  static units = 10000;

  constructor(onChange, prefix = "") {
    this.onChange = onChange;
    this.sides = [2500, 2500, 5000, 5000];
    this.element = relabel.element(
      "button", { type: "button", class: "crop", "aria-label": "Crop box", "aria-describedby": `${prefix}crop-keys`, keydown: (event) => this.key(event), pointerdown: (event) => this.hold(event) },
      ["nw", "ne", "sw", "se"].map((corner) => relabel.element("span", { class: corner, "data-corner": corner })),
    );
    this.fields = ["Top", "Left", "Height", "Width"].map((name, side) =>
      relabel.element("input", { type: "number", id: `${prefix}crop-${name.toLowerCase()}`, min: 0, max: 1, step: 0.01, inputmode: "decimal", "aria-label": `${name} of the crop`, change: () => this.typed(side) }));
  }

  /** The box in fractions. */
  get box() {
    return this.sides.map((side) => side / relabel.Crop.units);
  }

  /** Draws the box in a frame of the picture. */
  draw(frame) {
    this.frame = frame;
    relabel.put(this.element, relabel.onPicture(frame, this.box));
    this.fields.forEach((field, side) => {
      if (field !== document.activeElement) field.value = this.box[side];
    });
  }

  /** Takes new sides, kept within the picture and at least a hundredth long. */
  take([top, left, height, width]) {
    const { units } = relabel.Crop;
    const within = (value, low, high) => Math.min(Math.max(Math.round(value), low), high);
    const [tall, wide] = [within(height, units / 100, units), within(width, units / 100, units)];
    this.sides = [within(top, 0, units - tall), within(left, 0, units - wide), tall, wide];
    this.draw(this.frame);
    this.onChange();
  }

  /** Moves edges by so many units; edges are those that "nw" and the like name, none for the whole box. */
  pull(from, edges, down, across) {
    const { units } = relabel.Crop;
    let [top, left, height, width] = from;
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    const least = units / 100;
    if (!edges) return this.take([within(top + down, 0, units - height), within(left + across, 0, units - width), height, width]);
    if (edges.includes("n")) {
      const edge = within(top + down, 0, top + height - least);
      [top, height] = [edge, height + top - edge];
    } else if (edges.includes("s")) height = within(height + down, least, units - top);
    if (edges.includes("w")) {
      const edge = within(left + across, 0, left + width - least);
      [left, width] = [edge, width + left - edge];
    } else if (edges.includes("e")) width = within(width + across, least, units - left);
    this.take([top, left, height, width]);
  }

  key(event) {
    const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const step = (event.ctrlKey || event.altKey ? 0.001 : 0.01) * relabel.Crop.units;
    const across = this.frame.isFlipped && !event.shiftKey ? -way[1] : way[1];
    this.pull(this.sides, event.shiftKey ? "se" : "", way[0] * step, across * step);
  }

  /** Follows mouse or finger until it lets go. */
  hold(event) {
    if (event.button > 0) return;
    const stage = this.element.parentElement.getBoundingClientRect();
    const [start, corner] = [this.sides, event.target.dataset.corner ?? ""];
    const isFlipped = this.frame.isFlipped;
    const edges = isFlipped ? corner.replace(/[we]/, (edge) => (edge === "w" ? "e" : "w")) : corner;
    const [, , frameHeight, frameWidth] = this.frame.box;
    const move = (now) => {
      const down = (now.clientY - event.clientY) / (stage.height * frameHeight);
      const across = ((now.clientX - event.clientX) / (stage.width * frameWidth)) * (isFlipped ? -1 : 1);
      this.pull(start, edges, down * relabel.Crop.units, across * relabel.Crop.units);
    };
    const end = () => {
      this.element.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.element.removeEventListener(name, end);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, end);
  }

  typed(side) {
    const value = Number(this.fields[side].value);
    const sides = [...this.sides];
    if (this.fields[side].value.trim() !== "" && Number.isFinite(value)) sides[side] = value * relabel.Crop.units;
    // A start that was typed stands, and the length gives way; so with a length that fits.
    const { units } = relabel.Crop;
    for (const [start, length] of [[0, 2], [1, 3]]) {
      if (side === start) sides[length] = Math.min(sides[length], units - Math.min(Math.max(sides[start], 0), units * 0.99));
    }
    this.take(sides);
    this.fields.forEach((field, place) => (field.value = this.box[place]));
  }
};
