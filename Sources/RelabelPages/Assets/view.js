"use strict";
/** Draws the page of one image. */
relabel.view = () => {
  const { title } = relabel.document();
  document.getElementById("page").replaceChildren(relabel.element("h1", {}, title));
};

relabel.view();
