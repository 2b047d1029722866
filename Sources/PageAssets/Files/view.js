"use strict";
/**
 * One image: its picture, its map, and what a crop's target would be.
 *
 * Several may stand in one page, each with a prefix for the ids of its elements; `level` is that of its first heading.
 */
relabel.View = class {
  constructor(given, { prefix = "", level = 2 } = {}) {
    this.given = given;
    [this.prefix, this.level] = [prefix, level];
    // What comes packed is unpacked once.
    for (const entry of given.maps) entry.map = relabel.unpacked(entry.map);
    this.names = given.names;
    this.place = given.choice;
    this.profile = given.profile;
    this.rank = 0;
    this.classID = null;
    this.stage = new relabel.Stage(given, (cell) => this.showCell(cell));
    this.crop = new relabel.Crop(() => this.later(), prefix);
    this.pooled = relabel.element("div", { class: "pooled", hidden: true });
    this.stage.element.append(this.pooled, this.crop.element);
    this.panels = Object.fromEntries(["legend", "cell", "targets", "profileWords", "viewWords"].map((name) => [name, relabel.element("div", { class: "panel", id: this.id(`panel-${name}`) })]));
    this.spoken = relabel.element("p", { class: "spoken", id: this.id("spoken"), role: "status", "aria-live": "polite" });
    this.say = relabel.speaker(this.spoken);
    // Where there is a best class per view, it stands beside its number.
    for (const entry of given.maps) entry.best = relabel.pool(given.header, entry.map, entry.map.extent, "relabel").classes[0][0];
    this.colours = relabel.coloursOf(given.maps.flatMap(({ map }) => this.bestOf(map)));
    this.elements = this.layout();
    this.choose(this.place);
  }

  /** The id of an element of this view. */
  id(name) {
    return this.prefix + name;
  }

  /** A heading, so many levels below the view's first. */
  heading(text, below = 0) {
    return relabel.element(`h${this.level + below}`, {}, text);
  }

  /** The class with the highest score of each cell. */
  bestOf(map) {
    const { header } = this.given;
    return relabel.shownCells(header, map).filter((_, cell) => !relabel.isBlank(header, map, cell)).map(([id]) => id);
  }

  get isUnknown() {
    return this.given.header.orientation === "unknown";
  }

  /** True where rows of the grid are drawn along the picture's width; unknown ones lie as the profile takes them. */
  get isDrawnTransposed() {
    const { orientation } = this.given.header;
    return this.isUnknown ? this.profile === "relabel-2021" : orientation === "xy";
  }

  layout() {
    const { header, notes } = this.given;
    const classes = header.has_factors
      ? `all ${relabel.number(header.num_classes)} classes in each, as sums of ${relabel.number(header.top_k)} ${header.top_k === 1 ? "factor" : "factors"}`
      : `the best ${relabel.number(header.top_k)} of ${relabel.number(header.num_classes)} classes in each`;
    const facts = [`${header.height}×${header.width} cells`, classes, header.annotator].filter((fact) => fact);
    return [
      relabel.element("p", { class: "quiet" }, facts.join(" · ")),
      notes.length ? relabel.element("div", { class: "notes" }, notes.map((note) => relabel.element("p", {}, note))) : "",
      relabel.element("div", { class: "columns" },
        relabel.element("section", { "aria-label": "Picture and map" }, this.viewChoice(), this.stage.element, relabel.shownControls(this), this.panels.legend),
        relabel.element("section", { "aria-label": "Targets" }, this.heading("Targets"), this.panels.targets, relabel.cropControls(this), relabel.profileControls(this),
          this.heading(header.has_factors ? "Best classes of a cell" : "Entries of a cell"), this.panels.cell)),
      this.spoken,
    ];
  }

  /** The list of views, where labels are of crops. */
  viewChoice() {
    const { maps } = this.given;
    if (!maps[0].view) return null;
    const options = maps.map(({ view, best }, place) => relabel.element("option", { value: place, selected: place === this.place }, `View ${view.number}: ${relabel.nameOf(this.names, best)}`));
    return relabel.element("div", {}, relabel.element("div", { class: "controls" },
      relabel.element("label", {}, "View", relabel.element("select", { id: this.id("view"), change: (event) => this.choose(Number(event.target.value)) }, options))), this.panels.viewWords);
  }

  /** Shows a map: the image's, or that of one of its views. */
  choose(place) {
    this.place = place;
    ({ map: this.map, view: this.view } = this.given.maps[place]);
    this.frame = { box: this.view?.box ?? relabel.wholePicture.box, isFlipped: this.view?.flip === true };
    const { header } = this.given;
    this.crop.element.hidden = this.cropSet.hidden = Boolean(this.view) && header.height * header.width === 1;
    this.panels.viewWords.replaceChildren(...(this.view?.words ?? []).map((words) => relabel.element("p", { class: "quiet" }, words)));
    this.draw();
  }

  /** Draws all that depends on map, view and profile. */
  draw() {
    this.stage.show(this.map, this.frame, this.isDrawnTransposed);
    this.stage.boxes.replaceChildren(...relabel.outlines(this.names, this.given.maps, this.place, (id) => this.colours.get(id)));
    this.fade();
    this.paint();
    const { height, width } = this.given.header;
    this.panels.profileWords.replaceChildren(relabel.element("p", { class: "quiet" }, height !== width
      ? "relabel-2021 is defined for square grids only."
      : this.profile === "relabel" ? "The box is pooled where it lies on the picture."
        : this.isUnknown ? "Rows of the grid are taken along the width of the picture, and drawn so."
          : "As the released code does, the box's rows run along the grid's columns: it pools what lies under the dashed box."));
    this.update();
  }

  fade() {
    this.stage.canvas.style.opacity = this.overlay.value / 100;
  }

  /** Colours the cells and says what the colours mean. */
  paint() {
    const { header } = this.given;
    const { classID, rank } = this;
    const shown = relabel.shownCells(header, this.map, { rank, classID });
    const isBlank = (cell) => relabel.isBlank(header, this.map, cell);
    const describe = (cell) => isBlank(cell) && classID === null ? `${this.cellName(cell)}: all classes alike` : `${this.cellName(cell)}: ${relabel.nameOf(this.names, shown[cell][0])} ${relabel.percent(shown[cell][1])}`;
    if (classID !== null) {
      const highest = shown.reduce((most, [, value]) => Math.max(most, value), 0);
      this.stage.paint((cell) => [...relabel.heatColour(highest > 0 ? shown[cell][1] / highest : 0), 1], describe);
      this.panels.legend.replaceChildren(relabel.heatLegend(relabel.nameOf(this.names, classID), highest));
    } else {
      this.stage.paint((cell) => [...relabel.parts(this.colours.get(shown[cell][0]) ?? relabel.otherColour), isBlank(cell) ? 0 : 0.25 + 0.75 * Math.min(shown[cell][1], 1)], describe);
      const told = shown.filter((_, cell) => !isBlank(cell));
      const blank = shown.length - told.length;
      const words = blank ? relabel.element("p", { class: "quiet" }, `${relabel.number(blank)} of ${relabel.number(shown.length)} cells say nothing: all their classes are alike.`) : "";
      const title = rank === 0 ? "Best class of each cell; the surer, the less the picture shows:" : `Class at rank ${rank + 1} of each cell:`;
      this.panels.legend.replaceChildren(relabel.element("p", {}, title), relabel.legend(this.names, told.map(([id]) => id), this.colours), words);
    }
    this.showCell(this.stage.cellAt(this.stage.current.down, this.stage.current.across));
  }

  cellName(cell) {
    const { width } = this.given.header;
    return `row ${Math.trunc(cell / width)}, column ${cell % width}`;
  }

  /** Lists the entries of a cell. */
  showCell(cell) {
    const { header } = this.given;
    const best = relabel.bestOfCells(header, this.map);
    const rows = Array.from({ length: best.count }, (_, rank) => {
      const place = cell * best.count + rank;
      const id = best.ids[place];
      return [rank + 1, relabel.element("span", {}, relabel.named(this.names, id, this.colours.get(id))), relabel.probability(best.probabilities[place]), relabel.number(best.scores[place])];
    });
    const name = `Cell in ${this.cellName(cell)}`;
    const score = header.has_factors ? "logit less the mean" : header.score_kind.replace("_", " ");
    this.panels.cell.replaceChildren(relabel.table(name, ["rank", "class", "probability", score], rows));
  }

  /** Updates targets before the next frame, once however often the box moves until then. */
  later() {
    this.frameRequest ??= requestAnimationFrame(() => {
      this.frameRequest = null;
      this.update();
    });
  }

  update() {
    const { header } = this.given;
    const whole = relabel.pool(header, this.map, this.map.extent, this.profile);
    const sections = [relabel.target(this.heading(this.view ? "Whole view" : "Whole image", 1), this.names, whole, this.colours)];
    this.crop.draw(this.frame);
    if (!this.crop.element.hidden) {
      const target = relabel.pool(header, this.map, this.crop.box, this.profile);
      sections.unshift(relabel.target(this.heading("Crop", 1), this.names, target, this.colours));
      const words = [`--box ${this.crop.box.join(",")}`, this.view ? `--view ${this.view.number}` : null, this.profile === "relabel" && !this.isUnknown ? null : `--profile ${this.profile}`, target && target.covered < 1 ? "--outside clamp" : null];
      this.cropWords.textContent = words.filter((text) => text).join(" ");
      this.say(target ? `Crop: ${target.classes.slice(0, 3).map(([id, value]) => `${relabel.nameOf(this.names, id)} ${relabel.percent(value)}`).join(", ")}` : "Crop: the map covers nothing of it");
    }
    this.panels.targets.replaceChildren(relabel.element("div", { class: "targets" }, sections));
    this.showPooled();
  }

  /** Shows where pooling looks, if this is not where the crop lies. */
  showPooled() {
    const isElsewhere = relabel.isTransposed(this.profile, this.given.header.orientation) !== this.isDrawnTransposed;
    this.pooled.hidden = !isElsewhere || this.crop.element.hidden;
    if (this.pooled.hidden) return;
    const [top, left, height, width] = this.map.extent;
    const [cropTop, cropLeft, cropHeight, cropWidth] = this.crop.box;
    const turned = [top + ((cropLeft - left) / width) * height, left + ((cropTop - top) / height) * width, (cropWidth / width) * height, (cropHeight / height) * width];
    relabel.put(this.pooled, relabel.onPicture(this.frame, turned));
  }
};
