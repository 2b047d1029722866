"use strict";
/** Draws the report of a dataset: what to look at first, then what it was seen by. */
relabel.report = () => {
  const document_ = relabel.document();
  const parts = [
    relabel.reportHead(document_), relabel.reportMatters(document_), relabel.reportFigures(document_),
    ...document_.sheets.map((sheet) => relabel.sheet(sheet, document_.names)),
    relabel.reportAgreement(document_), relabel.reportSpread(document_), relabel.reportGrid(document_),
    relabel.reportClasses(document_), relabel.reportRepeats(document_), relabel.reportMarks(document_),
    relabel.reportStoring(document_), relabel.reportVerdict(document_), relabel.reportAbout(document_),
  ].filter((part) => part != null);
  const links = parts.filter((part) => part.id && part.querySelector("h2")).map((part) =>
    relabel.element("a", { href: `#${part.id}` }, part.querySelector("h2").textContent));
  parts.splice(1, 0, relabel.element("nav", { class: "contents", "aria-label": "Sections" }, links));
  document.getElementById("page").replaceChildren(...parts);
};

/** A section with a heading. */
relabel.part = (id, title, ...children) => relabel.element("section", { id }, relabel.element("h2", {}, title), ...children);

/** Text in a paragraph. */
relabel.paragraph = (text, kind = null) => relabel.element("p", { class: kind }, text);

/** What a row of the dataset is, for people. */
relabel.rowsOf = ({ dataset }) => (dataset.are_views ? "views" : "images");

relabel.keptClasses = ({ header, storing }) => storing.factors == null
  ? `${relabel.number(header.top_k)} ${header.top_k === 1 ? "class" : "classes"} each`
  : `all classes, as sums of at most ${relabel.number(storing.factors)} factors`;

relabel.reportHead = (report) => {
  const { dataset, verdict, header } = report;
  const isGood = verdict.errors === 0;
  return relabel.element(
    "header", {}, relabel.element("h1", {}, report.title),
    relabel.element(
      "p", { class: "lead" },
      relabel.element("span", { class: `pill ${isGood ? "good" : "bad"}` }, isGood ? "✓ no errors found" : `✗ ${verdict.errors} errors`), " ",
      `${relabel.number(dataset.images)} ${relabel.rowsOf(report)} in ${relabel.number(dataset.shards)} ${dataset.shards === 1 ? "shard" : "shards"}, `,
      `${relabel.number(header.num_classes)} classes, maps of ${header.height} × ${header.width} cells with ${relabel.keptClasses(report)}. `,
      dataset.annotator ? `Annotator: ${dataset.annotator}.` : "The annotator is not documented.",
    ),
  );
};

relabel.reportMatters = ({ matters }) => {
  const words = { bad: "wrong", warning: "look", note: "note" };
  const serious = matters.filter(({ gravity }) => gravity !== "note").length;
  const items = matters.map(({ name, gravity, title, text, count, of, section }) =>
    relabel.element(
      "li", { class: gravity, "data-name": name },
      relabel.element("span", { class: "gravity" }, words[gravity]), relabel.element("strong", {}, title),
      count == null ? null : relabel.element(
        "span", { class: "count" }, ` — ${relabel.number(count)} of ${relabel.number(of)} (${relabel.percent(count / (of || 1))})`),
      relabel.element("p", {}, text, " ", relabel.element("a", { href: `#${section}` }, "Show")),
    ));
  return relabel.part(
    "first", "What to look at first",
    relabel.paragraph(
      serious === 0 ? "Nothing here looks wrong." : `${serious} ${serious === 1 ? "thing looks" : "things look"} wrong.`,
      serious === 0 ? "good" : null,
    ),
    relabel.element("ul", { class: "matters" }, items),
  );
};

relabel.reportFigures = (report) => {
  if (report.dataset.images === 0) return null;
  const { labels, crops, distributions, storing } = report;
  const figures = [];
  const add = (name, value, more) => figures.push(relabel.element(
    "div", {}, relabel.element("dt", {}, name), relabel.element("dd", {}, value, relabel.element("small", {}, more))));
  if (labels) add("Agree with the source", relabel.percent(labels.agreement), `${relabel.number(labels.agreeing)} of ${relabel.number(labels.images)}`);
  if (crops) {
    const isOfLabels = crops.other_than_label != null;
    add("Crops that show another class", relabel.percent(isOfLabels ? crops.other_than_label : crops.other_than_image), isOfLabels ? "than the source's" : "than the whole image's");
  }
  add("Probability of the best class", relabel.percent(distributions.probability.mean), "mean over whole images");
  add("Entropy of a target", `${relabel.number(distributions.entropy.mean)} bits`, `at most ${relabel.number(distributions.entropy.high)}`);
  if (distributions.missing) add("Mass that is not stored", relabel.percent(distributions.missing.mean), "mean over whole images");
  add("An image takes", `${relabel.number(Math.round(storing.bytes_per_image))} bytes`, `${relabel.bytes(storing.bytes)} in all`);
  return relabel.element("section", { "aria-label": "Key figures" }, relabel.element("dl", { class: "figures" }, figures), relabel.cropSentence(report));
};

/** What the paper set out from, measured here. */
relabel.cropSentence = (report) => {
  const { crops, labels, dataset } = report;
  if (dataset.are_views && labels) {
    return relabel.paragraph(
      `In ${relabel.percent(1 - labels.agreement)} of the views, the best class is not the source's: one label for the whole image would have taught these views something else.`, "lead");
  }
  if (!crops) return relabel.paragraph("Maps have one cell, so all crops of an image have the same target.", "quiet");
  const own = `${relabel.percent(crops.other_than_image)} show another class than the whole image's best`;
  const sources = crops.other_than_label == null ? "" : `${relabel.percent(crops.other_than_label)} show another class than the source's, and `;
  return relabel.paragraph(
    `Of ${crops.per_image} random crops of each image (8 % to 100 % of its area), ${sources}${own}. One label for all crops of an image would be wrong for that many.`, "lead");
};

/** A number of bytes for people. */
relabel.bytes = (count) => {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1000; unit += 1; }
  return `${unit === 0 ? relabel.number(count) : count.toPrecision(3)} ${units[unit]}`;
};
