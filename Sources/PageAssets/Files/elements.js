"use strict";
/** What all pages share. Scripts add to it in the order in which they stand in the page. */
const relabel = {};

/** The document that the page draws. */
relabel.document = () => JSON.parse(document.getElementById("document").textContent);

/** An element with attributes and children; text becomes text, never markup. */
relabel.element = (name, attributes = {}, ...children) =>
  relabel.fill(document.createElement(name), attributes, children);

/** The same for drawings. */
relabel.drawn = (name, attributes = {}, ...children) =>
  relabel.fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

/** Sets attributes (a function is a listener, false and null are left out) and appends children. */
relabel.fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
};

/** A table with a caption, heads, and rows of text, numbers or elements. */
relabel.table = (caption, heads, rows, attributes = {}) => {
  const cell = (value) => {
    const isNumber = typeof value === "number";
    const text = isNumber ? relabel.number(value) : value;
    return relabel.element("td", isNumber ? { class: "number" } : {}, text ?? "–");
  };
  return relabel.element(
    "div", { class: "scrolling", tabindex: 0, role: "region", "aria-label": caption },
    relabel.element(
      "table", attributes,
      relabel.element("caption", {}, caption),
      relabel.element("thead", {}, relabel.element("tr", {}, heads.map((head) => relabel.element("th", { scope: "col" }, head)))),
      relabel.element("tbody", {}, rows.map((row) => relabel.element("tr", {}, row.map(cell)))),
    ),
  );
};

/** A number for people: whole ones with groups, others with four digits that count. */
relabel.number = (value) =>
  Number.isInteger(value) ? value.toLocaleString("en") : value.toLocaleString("en", { maximumSignificantDigits: 4 });

/** A share of one as percent. */
relabel.percent = (value) => `${(value * 100).toFixed(1)} %`;

/** The name of a class, or what stands for it. */
relabel.nameOf = (names, id) => names[id] ?? `class ${id}`;
