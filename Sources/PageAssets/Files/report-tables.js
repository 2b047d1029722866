"use strict";
/** The sections of a report that are mostly tables. */

/** Rows of classes. */
relabel.classTable = (caption, rows, names, hasLabels) => {
  if (rows.length === 0) return null;
  const heads = ["class", ...(hasLabels ? ["images", "agree", "mean probability", "in no cell", "crops with another"] : []), "best in", "cells"];
  return relabel.table(caption, heads, rows.map((row) => [
    `${relabel.nameOf(names, row.class_index)} (${row.class_index})`,
    ...(hasLabels ? [row.labelled, relabel.shareBar(row.agreement), relabel.shareBar(row.mean_probability), row.not_in_map, relabel.shareBar(row.crops_other)] : []),
    row.best, row.cells,
  ]));
};

/** How many rows a table leaves out. */
relabel.leftOut = (shown, all, what) =>
  shown < all ? relabel.paragraph(`${relabel.number(all - shown)} more ${what} are not shown.`, "quiet") : null;

/** A table of pairs of classes. */
relabel.pairTable = (caption, heads, { pairs, is_exact }, names) =>
  pairs.length === 0 ? null : relabel.element(
    "div", {},
    relabel.table(caption, heads, pairs.map(([one, other, count]) => [
      `${relabel.nameOf(names, one)} (${one})`, `${relabel.nameOf(names, other)} (${other})`, count])),
    is_exact ? null : relabel.paragraph("There are more different pairs than were counted: counts are the least that is true.", "quiet"),
  );

relabel.reportAgreement = (report) => {
  const { labels, classes, confusions, companions, names } = report;
  const pairs = [
    relabel.pairTable("Confused most: source and best class", ["source says", "best class", "images"], confusions, names),
    relabel.pairTable("Together most: classes of different crops of one image", ["class", "class", "crops"], companions, names),
  ];
  if (!labels) {
    return relabel.part("agreement", "Agreement with the source",
      relabel.paragraph("Nothing says what the source calls these images, so agreement can't be measured."), pairs[1]);
  }
  const shift = labels.shift == null ? null
    : relabel.paragraph(`Most best classes have the source's id plus ${labels.shift}: the class list is shifted.`, "bad");
  return relabel.part(
    "agreement", "Agreement with the source",
    relabel.paragraph(
      `The best class is the source's in ${relabel.number(labels.agreeing)} of ${relabel.number(labels.images)} (${relabel.percent(labels.agreement)}). ` +
      `Its mean probability is ${relabel.percent(labels.mean_probability)}; ${relabel.number(labels.not_in_map)} maps do not have it in any cell.`),
    shift,
    classes ? relabel.classTable("Classes that agree least", classes.worst, names, true) : null,
    classes ? relabel.leftOut(classes.worst.length, classes.labelled, "classes, which agree more,") : null,
    relabel.element("div", { class: "two" }, pairs),
  );
};

relabel.reportSpread = ({ distributions }) => {
  if (distributions.probability.images === 0) return null;
  const bits = (value) => `${relabel.number(Number(value.toFixed(2)))} bits`;
  const plain = (value) => relabel.number(Number(value.toFixed(3)));
  return relabel.part(
    "spread", "Distributions",
    relabel.element(
      "div", { class: "charts" },
      relabel.histogram("Probability of the best class", distributions.probability, plain),
      relabel.histogram("Entropy of the target", distributions.entropy, bits),
      distributions.missing ? relabel.histogram("Probability of classes that are not stored", distributions.missing, plain) : null,
      relabel.histogram("Suspicion", distributions.suspicion, plain),
    ),
  );
};

relabel.reportGrid = ({ grid, header, dataset }) => {
  if (grid.rows * grid.columns === 1 || dataset.images === 0) return null;
  const words = {
    upright: "It changes from top to bottom more than from left to right, as in photographs with a sky and a ground: rows lie as documented.",
    transposed: "It changes from left to right more than from top to bottom: rows and columns seem to be exchanged.",
    unknown: "It does not show which way the maps lie: it changes too little, or both ways.",
  };
  const figures = `Lower minus upper half: ${relabel.number(grid.lower_minus_upper)} bits (${relabel.number(grid.lower_minus_upper_errors)} standard errors). ` +
    `Right minus left half: ${relabel.number(grid.right_minus_left)} bits (${relabel.number(grid.right_minus_left_errors)}).`;
  return relabel.part(
    "grid", "Where maps are unsure",
    relabel.paragraph(`The mean entropy of each cell over all images shows edges, padding and rotations. ${words[grid.lies]}`, grid.lies === "transposed" ? "bad" : null),
    relabel.heatMap("Mean entropy of cells", grid.rows, grid.columns, grid.mean_entropy, "bits"),
    relabel.paragraph(`${figures} The orientation is documented as ${header.orientation}.`, "quiet"),
  );
};

relabel.reportClasses = ({ classes, labels, names, header, storing }) => {
  if (!classes) {
    return relabel.part("classes", "Classes", relabel.paragraph(`${relabel.number(header.num_classes)} classes are too many to count one by one.`));
  }
  const { count, never, most, least, never_shown } = classes;
  const all = storing.factors != null ? `Each map has all ${relabel.number(count)} classes.`
    : never === 0 ? `All ${relabel.number(count)} classes are in some map.`
    : `${relabel.number(never)} of ${relabel.number(count)} classes are in no map.`;
  return relabel.part(
    "classes", "Classes", relabel.paragraph(all),
    relabel.classTable("Best most often", most, names, labels != null),
    relabel.leftOut(most.length + least.length, classes.seen, "classes in between"),
    relabel.classTable("Best most rarely, among those in some map", least, names, labels != null),
    relabel.classTable("In no map", never_shown, names, labels != null),
    relabel.leftOut(never_shown.length, never, "classes in no map"),
  );
};

relabel.reportRepeats = ({ repeats }) => repeats.images === 0 ? null : relabel.part(
  "repeats", "Repeated maps",
  relabel.paragraph(`${relabel.number(repeats.maps)} different maps stand for ${relabel.number(repeats.images)} images.`),
  relabel.table("Most repeated", ["images", "the first of them"], repeats.groups.map(({ images, keys }) => [images, keys.join(", ")])),
  relabel.leftOut(repeats.groups.length, repeats.maps, "repeated maps"),
);

relabel.reportMarks = ({ marks }) => !marks ? null : relabel.part(
  "marks", "Marks",
  relabel.table("What people have marked", ["mark", "images"], [
    ["wrong label", marks.wrong_label], ["exclude", marks.exclude], ["good", marks.good], ["keys that the dataset does not have", marks.unknown]]),
);

relabel.reportStoring = ({ storing, header }) => {
  const parts = storing.parts.map(({ name, bytes }) => [name, relabel.bytes(bytes), relabel.shareBar(bytes / Math.max(storing.bytes, 1))]);
  const table = relabel.table("Size by part", ["part", "size", "share"], parts);
  const chunks = relabel.paragraph(`Compression ${storing.compression}, ${storing.images_per_chunk} images a chunk.`, "quiet");
  const step = storing.step == null ? "" : ` with a step of ${relabel.number(storing.step)}`;
  const error = storing.largest_error == null ? "The writer did not note the largest error of a score."
    : `The largest error of a score is ${relabel.number(storing.largest_error)}.`;
  const factor = storing.largest_factor == null ? ""
    : ` The ratio of two probabilities changed by a factor of at most ${relabel.number(storing.largest_factor)}.`;
  if (storing.factors != null) {
    return relabel.part(
      "storing", "Size, and what storing did",
      relabel.paragraph(`A map is a sum of at most ${relabel.number(storing.factors)} factors, which keep all ${relabel.number(header.num_classes)} classes of every cell. ` +
        "What that changed in targets, the packer said; relabel diff with maps of another packing says it, too."),
      table, chunks,
    );
  }
  const mass = storing.mean_cell_missing == null ? ""
    : ` A cell keeps ${storing.kept_classes} of ${relabel.number(header.num_classes)} classes; the others have ${relabel.percent(storing.mean_cell_missing)} of its probability on average, as far as the map says.`;
  const truly = storing.mean_true_cell_missing == null ? ""
    : ` With the sums that the annotator noted, they truly have ${relabel.percent(storing.mean_true_cell_missing)}.`;
  return relabel.part(
    "storing", "Size, and what storing did",
    relabel.paragraph(`Scores are ${header.score_kind.replace("_", " ")}s, stored as ${storing.encoding}${step}. ${error}${factor}${mass}${truly}`),
    table, chunks,
  );
};

relabel.reportVerdict = ({ verdict }) => relabel.part(
  "verdict", "Verifier",
  relabel.paragraph(verdict.level === "quick"
    ? "The verifier has read the structure of every shard; this report has read every map. relabel verify checks every byte."
    : `The verifier has read everything: ${verdict.verdict}.`),
  verdict.findings.length === 0 ? relabel.paragraph("No finding.", "good")
    : relabel.table("Findings", ["rule", "severity", "what", "places"], verdict.findings.map((finding) => [
      finding.rule, finding.severity, finding.message, finding.count])),
  relabel.leftOut(verdict.findings.length, verdict.errors + verdict.warnings, "findings"),
);

relabel.reportAbout = ({ dataset, header, pictures_missing }) => relabel.part(
  "about", "About these maps",
  relabel.table("What is documented", ["fact", "value"], [
    ...Object.entries(dataset.annotator_facts).map(([name, value]) => [`annotator: ${name}`, String(value)]),
    ["scores", header.score_kind], ["classes", header.classes_are], ["absent classes", header.fill],
    ["temperature", header.temperature], ["orientation", header.orientation],
    ["format", dataset.format_version], ["writer", dataset.writer],
    ...(dataset.left_out > 0 ? [["images left out", dataset.left_out]] : []),
    ...(pictures_missing > 0 ? [["pictures that could not be shown", pictures_missing]] : []),
  ]),
);

relabel.report();
