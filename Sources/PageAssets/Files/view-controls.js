"use strict";
/** What the cells show: rank, one class, opacity. */
relabel.shownControls = (view) => {
  const { header } = view.given;
  const ranks = relabel.ranksOf(header);
  const output = relabel.element("output", { for: view.id("rank") }, "1");
  const rank = relabel.element("input", { type: "range", id: view.id("rank"), min: 1, max: ranks, value: 1, input: () => {
    output.textContent = rank.value;
    view.rank = Number(rank.value) - 1;
    view.classID = null;
    search.value = "";
    view.paint();
  } });
  const kept = view.given.maps.flatMap(({ map }) => [...(map.class_index ?? relabel.bestOfCells(header, map).ids)]);
  const listed = [...new Set(kept)].sort((a, b) => a - b);
  // Factors have every class; those that are among the best of a cell are offered.
  const ids = header.has_factors ? Array.from({ length: header.num_classes }, (_, id) => id) : listed;
  const list = relabel.element("datalist", { id: view.id("classes") }, listed.map((id) => relabel.element("option", { value: `${relabel.nameOf(view.names, id)} (${id})` })));
  const words = relabel.element("span", { id: view.id("class-words"), class: "quiet", role: "status" });
  const search = relabel.element("input", { type: "search", id: view.id("class"), list: view.id("classes"), placeholder: "all classes", autocomplete: "off", "aria-describedby": view.id("class-words"), input: () => {
    const found = relabel.classInMap(search.value, ids, view.names);
    words.textContent = search.value && found === null ? "no one class of this map" : "";
    view.classID = found;
    view.paint();
  } });
  const overlay = relabel.element("input", { type: "range", id: view.id("overlay"), min: 0, max: 100, value: 70, input: () => view.fade() });
  view.overlay = overlay;
  return relabel.element("div", { class: "controls" },
    ranks > 1 ? relabel.element("label", {}, "Rank", rank, output) : null,
    relabel.element("label", {}, "One class", search), list, words,
    relabel.element("label", {}, "Overlay", overlay));
};

/** The numbers of the crop box, and how to move it. */
relabel.cropControls = (view) => {
  const named = ["Top", "Left", "Height", "Width"].map((name, side) => relabel.element("label", {}, name, view.crop.fields[side]));
  view.cropWords = relabel.element("code", { id: view.id("crop-words") });
  view.cropSet = relabel.element("fieldset", {}, relabel.element("legend", {}, "Crop box, in fractions"), named,
    relabel.element("p", { class: "quiet", id: view.id("crop-keys") }, "Drag the box or its corners. Arrow keys move it, with Shift they resize it, with Ctrl they take small steps."), view.cropWords);
  return view.cropSet;
};

/** The choice of the profile of pooling. */
relabel.profileControls = (view) => {
  const { height, width } = view.given.header;
  const choice = (name, words, isOff) => relabel.element("label", {}, relabel.element("input", { type: "radio", name: view.id("profile"), value: name, checked: name === view.profile, disabled: isOff, change: () => {
    view.profile = name;
    view.draw();
  } }), words);
  return relabel.element("fieldset", { id: view.id("profile") }, relabel.element("legend", {}, "Profile of pooling"),
    choice("relabel", "relabel", false), choice("relabel-2021", "relabel-2021", height !== width), view.panels.profileWords);
};

/** The one class that a text means: its list entry, its id, or a part of its name that no other has; else null. */
relabel.classInMap = (text, ids, names) => {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  const isListed = (id) => `${relabel.nameOf(names, id)} (${id})`.toLowerCase() === wanted || String(id) === wanted;
  const exact = ids.find(isListed);
  if (exact !== undefined) return exact;
  const named = ids.filter((id) => relabel.nameOf(names, id).toLowerCase() === wanted);
  const partly = named.length ? named : ids.filter((id) => relabel.nameOf(names, id).toLowerCase().includes(wanted));
  return partly.length === 1 ? partly[0] : null;
};
