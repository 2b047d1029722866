"use strict";
/** A copy of a picture, for each view an element of its own. */
relabel.copyOf = (picture) => {
  const canvas = relabel.element("canvas", { width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas;
};

/** One side of an opened image: what `relabel view` shows of it in a dataset. */
relabel.side = (title, given, picture, prefix) => {
  const heading = relabel.element("h3", {}, title);
  if (!given) return { element: relabel.element("section", {}, heading, relabel.element("p", {}, "The dataset does not have this image.")) };
  if (picture) Object.assign(given, { picture: { element: relabel.copyOf(picture) }, aspect: [picture.height, picture.width] });
  const view = new relabel.View(given, { prefix, level: 4 });
  return { view, element: relabel.element("section", {}, heading, view.elements) };
};

/** The views of the image that was opened last, one for each dataset that has it. */
relabel.opened = [];

/** Gives a view the crop box of the one before. */
relabel.keepingCrop = (view, before) => {
  view.crop.take(before.crop.sides);
  return view;
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
    const sides = [relabel.side(page.title, answer.own, picture, "own-")];
    if (page.other) sides.push(relabel.side(page.other.title, answer.other, picture, "other-"));
    // The crop stays where it was, so that images can be compared by it.
    relabel.opened = sides.map(({ view }, place) => (view && relabel.opened[place] ? relabel.keepingCrop(view, relabel.opened[place]) : view));
    const facts = [
      found.label == null ? null : `The source says ${relabel.nameOf(names, found.label)}.`,
      found.suspicion == null ? null : `Suspicion ${found.suspicion.toFixed(2)} of 1, entropy ${found.entropy.toFixed(2)} bits.`,
      image.note ? `Note: ${image.note}` : null, picture ? null : "There is no picture.",
    ].filter(Boolean);
    body.replaceChildren(relabel.element("p", {}, facts.join(" ")), relabel.element("div", { class: "sides" }, sides.map(({ element }) => element)));
  };
  return { show, isOpen: () => dialog.open, close: () => dialog.close() };
};
