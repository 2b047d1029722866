"use strict";
/** The page of one image. */
relabel.view = new relabel.View(relabel.document());
document.getElementById("page").replaceChildren(relabel.element("h1", {}, relabel.view.given.key), ...relabel.view.elements);
