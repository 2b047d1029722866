"use strict";
/** Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008), without black. */
relabel.palette = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#8c6bb1"];

/** The colour of all classes that have none of their own. */
relabel.otherColour = "#8a8a8a";

/** The classes of a list by how often they occur there, most often first. */
relabel.byFrequency = (classes) => {
  const counts = new Map();
  for (const id of classes) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
};

/** A colour for each of the most frequent classes of a list. */
relabel.coloursOf = (classes) => {
  const colours = new Map();
  for (const [id] of relabel.byFrequency(classes).slice(0, relabel.palette.length)) {
    colours.set(id, relabel.palette[colours.size]);
  }
  return colours;
};
