"use strict";
/** A heading and what it is about. */
relabel.section = (title, ...children) => relabel.element("section", {}, relabel.element("h2", {}, title), children.flat(2));

/** A paragraph, quiet or not. */
relabel.paragraph = (text, attributes = {}) => relabel.element("p", attributes, text);

/** The name of a row. */
relabel.rowName = (row) => (row.view === null ? row.key : `${row.key}, view ${row.view}`);

/** A class with its number, and its dataset where that is not A. */
relabel.classLabel = (entry) =>
  entry ? `${entry.class_index} ${entry.name}${entry.dataset === "b" ? " (of B)" : ""}` : null;

/** How many classes a cell of a dataset keeps. */
relabel.keptClasses = (side) =>
  side.has_factors ? `all ${relabel.number(side.num_classes)}, as ${relabel.number(side.top_k)} factors` : `${side.top_k}`;

/** What was compared, and what the headers say otherwise. */
relabel.sidesSection = ({ a, b, headers, classes_matched: matched }) =>
  relabel.section(
    "What was compared",
    relabel.table(
      "Datasets", ["", "A", "B"],
      [
        ["path", a.path, b.path], ["rows", relabel.number(a.rows), relabel.number(b.rows)], ["grid", `${a.height}×${a.width}`, `${b.height}×${b.width}`],
        ["classes kept in a cell", relabel.keptClasses(a), relabel.keptClasses(b)], ["score encoding", a.score_encoding, b.score_encoding],
        ["annotator", a.annotator ?? "not said", b.annotator ?? "not said"],
      ],
    ),
    headers.length
      ? relabel.table(
          "What headers say otherwise", ["", "A", "B", "other labels?"],
          headers.map((fact) => [fact.name, fact.a, fact.b, fact.counts ? "yes" : "no"]),
        )
      : relabel.paragraph("The headers are equal."),
    relabel.paragraph(`Classes are matched ${matched}.`, { class: "quiet" }),
  );

/** Images of one dataset only, and those that can't be compared as they are. */
relabel.imagesSection = ({ images }) => {
  const list = (title, { count, first }) =>
    count === 0
      ? []
      : [
          relabel.element(
            "details", {}, relabel.element("summary", {}, `${title}: ${relabel.number(count)}`),
            relabel.element("ul", {}, first.map((row) => relabel.element("li", {}, relabel.rowName(row)))),
            count > first.length ? relabel.paragraph(`… and ${relabel.number(count - first.length)} more`, { class: "quiet" }) : null,
          ),
        ];
  const counts = [images.in_both, images.only_in_a.count, images.only_in_b.count].map(relabel.number);
  return relabel.section(
    "Images",
    relabel.paragraph(`${counts[0]} in both, ${counts[1]} only in A, ${counts[2]} only in B.`),
    list("Only in A", images.only_in_a), list("Only in B", images.only_in_b),
    list("Maps of another part of the picture", images.other_extents), list("Views of another crop, flip or mix", images.other_views),
  );
};

/** Classes of cells. */
relabel.idsSection = ({ ids, a, b }, isNearerTransposed) => {
  if (ids.not_compared) return relabel.section("Classes of cells", relabel.paragraph(`Not compared: ${ids.not_compared}.`));
  const rows = [
    ["images with other labels", ids.differing_images, ids.images], ["cells with other classes", ids.differing_cells, ids.cells],
    ["cells whose best class is another", ids.other_best, ids.cells],
    ...(ids.other_factors ? [["images with the same best classes and other factors", ids.other_factors, ids.images]] : []),
    ["entries only in A", ids.only_in_a, ids.only_in_a + ids.in_both], ["entries only in B", ids.only_in_b, ids.only_in_b + ids.in_both],
  ];
  return relabel.section(
    "Classes of cells",
    relabel.table("Counts", ["", "count", "of", "share"], rows.map(([name, n, all]) => [name, n, all, all ? relabel.percent(n / all) : null])),
    a.has_factors || b.has_factors
      ? relabel.paragraph("Of maps of factors the best classes of each cell are compared, less the mean of the others.", { class: "quiet" })
      : null,
    isNearerTransposed
      ? relabel.paragraph(
          `If one grid is transposed, only ${relabel.number(ids.other_best_if_transposed)} cells have another best class: see the orientation.`,
          { class: "warn" },
        )
      : null,
  );
};

/** Scores of classes that both have in a cell. */
relabel.scoresSection = ({ scores }) => {
  if (scores.not_compared) return relabel.section("Scores", relabel.paragraph(`Not compared: ${scores.not_compared}.`));
  const beyond = scores.beyond_encodings;
  const promise = beyond === null ? "factors promise nothing of single scores" : beyond ? `${relabel.number(beyond)} by more than the encodings promise` : "none by more than the encodings promise";
  const text = scores.differing
    ? `${relabel.number(scores.differing)} of ${relabel.number(scores.compared)} differ, by at most ${relabel.number(scores.max)}, ` +
      `by ${relabel.number(scores.mean)} on the mean of all; ${promise}.`
    : `All ${relabel.number(scores.compared)} are equal.`;
  return relabel.section("Scores", relabel.paragraph(text), scores.differing ? relabel.bins("Differences of scores", scores.histogram) : null);
};

/** Targets of random crops. */
relabel.targetsSection = ({ targets }) => {
  if (targets.mean_half_l1 === null) return relabel.section("Targets of random crops", relabel.paragraph("None were compared."));
  const kl = targets.mean_kl === null
    ? "KL(A ‖ B) is not defined."
    : `KL(A ‖ B) is ${relabel.number(targets.mean_kl)} on the mean, at most ${relabel.number(targets.max_kl)}, ` +
      `defined for ${relabel.number(targets.kl_defined)} crops.`;
  return relabel.section(
    "Targets of random crops",
    relabel.paragraph(
      `${relabel.number(targets.crops_of_an_image)} crops of each image: half L1 is ${relabel.number(targets.mean_half_l1)} on the mean, ` +
        `at most ${relabel.number(targets.max_half_l1)}; ${relabel.number(targets.other_top)} of ${relabel.number(targets.crops)} have another best class.`,
    ),
    relabel.paragraph(kl), targets.max_half_l1 > 0 ? relabel.bins("Half L1 between targets", targets.histogram) : null,
  );
};

/** Pairs of best classes. */
relabel.movedSection = ({ moved }) => {
  const table = (caption, { total, pairs, counts_short_by: short }) =>
    total === 0
      ? []
      : [
          relabel.table(
            `${caption}: ${relabel.number(total)}`, ["in A", "in B", "count"],
            pairs.map((pair) => [relabel.classLabel(pair.from), relabel.classLabel(pair.to), pair.count]),
          ),
          short ? relabel.paragraph(`Each count may be short by ${relabel.number(short)}.`, { class: "quiet" }) : null,
        ];
  const tables = [...table("Images whose best class is another", moved.images), ...table("Cells whose best class is another", moved.cells)];
  return tables.length ? relabel.section("Classes that moved", tables) : null;
};

/** An image that changed, with both maps. */
relabel.changedImage = (image, { a, b, names, picture }) => {
  const colours = relabel.coloursOf([...a.classes, ...b.classes]);
  const hasOthers = [...a.classes, ...b.classes].some((id) => !colours.has(id));
  const isSameGrid = a.height === b.height && a.width === b.width;
  const summary = (map) =>
    relabel.byFrequency(map.classes).slice(0, 3).map(([id, count]) => `${relabel.nameOf(names, id)} in ${count} cells`).join(", ");
  const figure = (side, map, other) =>
    relabel.element(
      "figure", {}, relabel.mapDrawing(map, colours, `Best classes in ${side}: ${summary(map)}`, other),
      relabel.element("figcaption", {}, side, map.stride > 1 ? `, one of ${map.stride} cells a side` : ""),
    );
  const photo = picture?.address
    ? relabel.element("figure", {}, relabel.element("img", { src: picture.address, alt: `The picture ${image.key}` }), relabel.element("figcaption", {}, "picture"))
    : picture && relabel.paragraph(picture.missing, { class: "quiet" });
  const best = image.from && (relabel.classLabel(image.from) === relabel.classLabel(image.to)
    ? `best class ${relabel.classLabel(image.from)}` : `best class ${relabel.classLabel(image.from)} → ${relabel.classLabel(image.to)}`);
  const facts = [
    `half L1 ${relabel.number(image.half_l1)}`, image.entries !== null ? `${relabel.number(image.entries)} entries of one only` : null,
    image.max_score !== null ? `scores by ${relabel.number(image.max_score)}` : null, best,
  ];
  return relabel.element(
    "article", {}, relabel.element("h3", {}, relabel.rowName(image)), relabel.paragraph(facts.filter(Boolean).join("; ")),
    relabel.element("div", { class: "maps" }, figure("A", a, null), figure("B", b, isSameGrid ? a : null), photo),
    relabel.legend(colours, names, hasOthers),
  );
};

/** Draws the page of two datasets. */
relabel.difference = () => {
  const { difference, verdict_text: verdict, is_same: isSame, nearer_transposed: isNearerTransposed, drawings } = relabel.document();
  const changed = difference.changed.map((image, place) => relabel.changedImage(image, drawings[place]));
  document.getElementById("page").replaceChildren(
    ...[
      relabel.element("h1", {}, "Two datasets"),
      relabel.element("p", { class: isSame ? "good" : "bad", id: "verdict" }, isSame ? "✓ " : "≠ ", verdict),
      relabel.sidesSection(difference), relabel.imagesSection(difference), relabel.idsSection(difference, isNearerTransposed),
      relabel.scoresSection(difference), relabel.targetsSection(difference), relabel.movedSection(difference),
      changed.length
        ? relabel.section("Images that changed most", relabel.paragraph("Cells of B that are crossed have another best class in A.", { class: "quiet" }), changed)
        : null,
    ].filter(Boolean),
  );
};

relabel.difference();
