"use strict";
/** Draws the page that lists, searches and marks images. */
relabel.browse = () => {
  const page = { ...relabel.document(), names: {}, tiles: [], current: -1, from: 0, total: 0, turn: 0, state: null };
  const status = relabel.element("p", { role: "status", "aria-live": "polite" }, "Reading the list of images…");
  const progress = relabel.element("p", { class: "quiet" });
  const grid = relabel.element("ul", { class: "tiles", "aria-label": "Images" });
  const fail = (error) => {
    status.textContent = error.message;
    status.className = "bad";
  };
  const field = (name, control) => relabel.element("label", {}, name, control);
  const select = (options) => relabel.element("select", { change: () => load(0) },
    options.map(([value, text]) => relabel.element("option", { value }, text)));
  const controls = {
    key: relabel.element("input", { type: "search", placeholder: "part of a key, or ^beginning", "aria-keyshortcuts": "/" }),
    class: relabel.element("input", { type: "search", list: "classes", placeholder: "number, id or name" }),
    role: select([["either", "as best or source class"], ["best", "as best class"], ["label", "as source class"]]),
    marked: select([["", "all"], ["none", "not marked"], ["any", "marked"], ...relabel.verdicts.map(([word, name]) => [word, name.toLowerCase()])]),
    order: select([["source", "source order"], ["suspicion", "suspicion"], ["uncertainty", "uncertainty"]]),
    count: select([["24", "24"], ["12", "12"], ["48", "48"], ["96", "96"]]),
  };
  for (const option of [...controls.order.options].slice(1)) option.disabled = true;
  const classes = relabel.element("datalist", { id: "classes" });
  const number = () => Number(controls.count.value);
  const previous = relabel.element("button", { type: "button", "aria-keyshortcuts": "p", click: () => turn(-1) }, "Previous page");
  const next = relabel.element("button", { type: "button", "aria-keyshortcuts": "Shift+n", click: () => turn(1) }, "Next page");
  const open = relabel.element("button", { type: "button", click: () => openCurrent() }, "Open image");
  const foot = relabel.element("div", { class: "foot" });

  /** Loads the page of images that begins at a place; `focus` is the tile to go to, or null to leave the focus. */
  const load = async (from, focus = null, current = 0) => {
    const turn = ++page.turn;
    const query = { from, count: number(), order: controls.order.value, key: controls.key.value, marked: controls.marked.value };
    try {
      query.class = await relabel.classOf(controls.class.value);
      if (query.class) query.role = controls.role.value;
      const answer = await relabel.ask("/images", query);
      if (turn !== page.turn) return;
      if (answer.is_waiting) return setTimeout(() => turn === page.turn && load(from, focus, current), 100);
      Object.assign(page, { from: answer.from, total: answer.total, names: answer.names });
      show(answer.images, focus, current);
    } catch (error) {
      if (turn === page.turn) fail(error);
    }
  };

  const show = (images, focus, current) => {
    page.tiles = images.map((image) => relabel.tile(page, image));
    page.tiles.forEach((tile, place) => tile.element.addEventListener("click", () => (place === page.current ? openCurrent() : choose(place))));
    grid.replaceChildren(...page.tiles.map((tile) => relabel.element("li", {}, tile.element)));
    const last = page.from + images.length;
    status.className = "";
    status.textContent = images.length === 0 ? "No image fits." : `Images ${relabel.number(page.from + 1)} to ${relabel.number(last)} of ${relabel.number(page.total)}`;
    // Not `disabled`, which would take the focus away.
    previous.setAttribute("aria-disabled", String(page.from === 0));
    next.setAttribute("aria-disabled", String(last >= page.total));
    choose(images.length === 0 ? -1 : Math.min(Math.max(focus ?? current, 0), images.length - 1), focus !== null);
    drawPictures();
  };

  /** Draws the pictures of the page, a few at a time. */
  const drawPictures = async () => {
    if (page.state?.pictures !== "ready") return;
    const [turn, waiting] = [page.turn, [...page.tiles]];
    const work = async () => {
      for (let tile = waiting.shift(); tile && turn === page.turn; tile = waiting.shift()) {
        const picture = await relabel.pictureAt(tile.image.at, 480);
        if (picture) tile.draw(picture);
      }
    };
    try {
      await Promise.all([work(), work(), work(), work()]);
    } catch (error) {
      fail(error);
    }
  };

  /** Makes a tile the current one. */
  const choose = (place, takesFocus = true) => {
    page.tiles[page.current]?.element.removeAttribute("aria-current");
    page.tiles.forEach((tile, other) => tile.element.setAttribute("tabindex", other === place ? 0 : -1));
    page.current = place;
    const tile = page.tiles[place];
    open.disabled = !tile;
    bar.show(tile?.image ?? null);
    if (!tile) return;
    tile.element.setAttribute("aria-current", "true");
    if (detail.isOpen()) detail.show(tile.image).catch(fail);
    else if (takesFocus) tile.element.focus();
  };

  /** Goes some images on, over the ends of the page. */
  const step = (by) => {
    const place = page.current + by;
    if (place >= 0 && place < page.tiles.length) return choose(place);
    if (by > 0 && page.from + page.tiles.length < page.total) return load(page.from + page.tiles.length, 0);
    if (by < 0 && page.from > 0) return load(Math.max(page.from - number(), 0), number() - 1);
  };
  const turn = (by) => {
    const from = page.from + by * number();
    if (by < 0 ? page.from > 0 : from < page.total) load(Math.max(from, 0), document.activeElement?.closest(".tiles") ? 0 : null);
  };
  const openCurrent = () => page.current >= 0 && detail.show(page.tiles[page.current].image).catch(fail);
  page.focusCurrent = () => page.tiles[page.current]?.element.focus();

  const bar = relabel.markBar(page.can_mark, (image) => {
    const tile = page.tiles.find((tile) => tile.image.key === image.key);
    // Views of one image have one mark.
    for (const other of page.tiles) if (other.image.key === image.key) [other.image.mark, other.image.note] = [image.mark, image.note];
    tile?.refresh();
    announce.textContent = `${relabel.titleOf(image)}: ${image.mark ?? "no mark"}${image.note ? ", note" : ""}`;
  }, fail);
  const announce = relabel.element("p", { class: "quiet", "aria-live": "polite" });
  const detail = relabel.detail(page, bar, step);

  /** How many tiles stand beside each other. */
  const across = () => {
    const first = page.tiles[0]?.element.offsetTop;
    const count = page.tiles.findIndex((tile) => tile.element.offsetTop !== first);
    return count < 1 ? page.tiles.length : count;
  };
  const keys = {
    j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    ArrowDown: () => step(detail.isOpen() ? 1 : Math.min(across(), Math.max(page.tiles.length - 1 - page.current, 1))),
    ArrowUp: () => step(detail.isOpen() ? -1 : -Math.min(across(), Math.max(page.current, 1))),
    N: () => turn(1), PageDown: () => turn(1), p: () => turn(-1), PageUp: () => turn(-1), o: openCurrent, "/": () => controls.key.focus(),
  };
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, select, textarea");
    if (event.ctrlKey || event.altKey || event.metaKey || writes || document.getElementById("note")) return;
    // Arrows and pages scroll where no image is chosen by them.
    const isFree = event.target.closest(".tiles") || event.key.length === 1;
    if (bar.press(event.key)) event.preventDefault();
    else if (keys[event.key] && isFree) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  for (const name of ["key", "class"]) {
    let timer = 0;
    controls[name].addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => load(0), 250);
    });
  }
  controls.class.addEventListener("input", () => relabel.offerClasses(classes, controls.class.value).catch(fail));

  document.getElementById("page").replaceChildren(
    relabel.element("h1", {}, page.title, page.other ? ` and ${page.other.title}` : ""), status, progress,
    relabel.element("search", { class: "controls" }, field("Key", controls.key), field("Class", controls.class), classes, field("Class counts", controls.role),
      field("Marks", controls.marked), field("Sort by", controls.order), field("Images a page", controls.count)),
    relabel.element("details", {}, relabel.element("summary", {}, "Keys"), relabel.element("p", {},
      "j and k or arrows: next and previous image; o or Enter: open it; 1, 2, 3: good, wrong label, exclude; n: note; u: undo; N and p: next and previous page; /: search.")),
    grid, relabel.element("div", { class: "controls" }, previous, next, open), announce, foot);
  foot.append(bar.element);
  /** Loads the page once more where it is, since more is known of its images. */
  const refresh = () => {
    if (page.tiles.length > 0 && !detail.isOpen()) load(page.from, grid.contains(document.activeElement) ? page.current : null, page.current);
  };
  relabel.watch(page, bar, progress, [...controls.order.options], drawPictures, refresh);
  load(0);
};

relabel.browse();
