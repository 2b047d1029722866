"use strict";
/** The bar that marks the current image; `changed` is told of each image that has another mark. */
relabel.markBar = (isEnabled, changed, failed) => {
  const bar = { image: null, history: [] };
  const title = relabel.element("p", {});
  const buttons = relabel.verdicts.map(([word, name, key]) =>
    relabel.element("button", { type: "button", "aria-pressed": "false", "aria-keyshortcuts": key, click: () => bar.toggle(word) },
      name, " ", relabel.element("kbd", { "aria-hidden": "true" }, key)));
  const note = relabel.element("button", { type: "button", "aria-keyshortcuts": "n", click: () => bar.askNote() },
    "Note ", relabel.element("kbd", { "aria-hidden": "true" }, "n"));
  const undo = relabel.element("button", { type: "button", "aria-keyshortcuts": "u", click: () => bar.undo() },
    "Undo ", relabel.element("kbd", { "aria-hidden": "true" }, "u"));
  const counts = relabel.element("span", { class: "quiet" });
  bar.element = relabel.element("section", { class: "marks", "aria-label": "Marks" }, title,
    relabel.element("div", { class: "controls" }, isEnabled ? [...buttons, note, undo, counts] : [counts]));

  /** Shows the marks of an image. */
  bar.show = (image) => {
    bar.image = image;
    title.textContent = image ? relabel.titleOf(image) : "No image is chosen.";
    buttons.forEach((button, place) => {
      button.disabled = !image;
      button.setAttribute("aria-pressed", String(image?.mark === relabel.verdicts[place][0]));
    });
    note.disabled = !image;
    // Not `disabled`, which would take the focus away after the last change.
    undo.setAttribute("aria-disabled", String(bar.history.length === 0));
  };

  /** Shows how many images have which mark. */
  bar.count = (marks) => {
    counts.textContent = marks
      ? relabel.verdicts.map(([word, name]) => `${name}: ${relabel.number(marks[word])}`).join(", ")
      : "Start relabel browse with --marks FILE to mark images.";
  };

  const set = async (image, mark, text, isUndo) => {
    const before = { image, mark: image.mark, note: image.note };
    try {
      const answer = await relabel.tell("/mark", { at: image.at, mark, note: text });
      [image.mark, image.note] = [answer.mark, answer.note];
      if (!isUndo) bar.history.push(before);
      bar.count(answer.marks);
      changed(image);
    } catch (error) {
      failed(error);
    }
    bar.show(bar.image);
  };

  /** Sets a mark, or takes it back where it is set. */
  bar.toggle = (word) => bar.image && isEnabled && set(bar.image, bar.image.mark === word ? null : word, bar.image.note);

  /** Takes the last change back. */
  bar.undo = () => {
    const before = bar.history.pop();
    if (before) set(before.image, before.mark, before.note, true);
  };

  /** Asks for the note of the current image. */
  bar.askNote = () => {
    const image = bar.image;
    if (!image || !isEnabled) return;
    const text = relabel.element("textarea", { id: "note", maxlength: 2000 });
    text.value = image.note;
    const dialog = relabel.element("dialog", { "aria-labelledby": "note-title", close: () => dialog.remove() },
      relabel.element("form", { method: "dialog", submit: () => set(image, image.mark, text.value.trim()) },
        relabel.element("h2", { id: "note-title" }, `Note on ${relabel.titleOf(image)}`),
        relabel.element("label", { for: "note" }, "Note"), text,
        relabel.element("div", { class: "controls" }, relabel.element("button", {}, "Save"),
          relabel.element("button", { type: "button", click: () => dialog.close() }, "Cancel"))));
    document.body.append(dialog);
    dialog.showModal();
    text.focus();
  };

  /** Does what a key stands for; true where it is one of the bar's. */
  bar.press = (key) => {
    const verdict = relabel.verdicts.find(([, , own]) => own === key);
    if (!isEnabled || (!verdict && key !== "n" && key !== "u")) return false;
    if (verdict) bar.toggle(verdict[0]);
    else if (key === "n") bar.askNote();
    else bar.undo();
    return true;
  };
  bar.show(null);
  return bar;
};
