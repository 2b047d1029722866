"use strict";
/** The token of the address that was opened; every request carries it. */
relabel.token = new URLSearchParams(location.search).get("token") ?? "";

/** What the server answers, or its words as an error. */
relabel.request = async (path, options = {}) => {
  const headers = { "X-Relabel-Token": relabel.token, ...options.headers };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    throw new Error("relabel browse does not answer: it was ended, or the connection broke", { cause: error });
  }
  if (!response.ok) {
    const error = new Error((await response.text()).trim());
    error.status = response.status;
    throw error;
  }
  return response;
};

/** Asks for a document. */
relabel.ask = async (path, fields = {}) => {
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== "" && value != null));
  return (await relabel.request(`${path}?${query}`)).json();
};

/** Has something noted. */
relabel.tell = async (path, body) => {
  const headers = { "Content-Type": "application/json" };
  return (await relabel.request(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
};

/** A picture as a canvas with no side longer than `longest`. */
relabel.pictureFrom = async (address, longest) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const scale = Math.min(1, longest / Math.max(picture.naturalWidth, picture.naturalHeight));
  const [width, height] = [picture.naturalWidth, picture.naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = relabel.element("canvas", { width, height });
  canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
  return canvas;
};

/** The picture of an image as a canvas, or null where there is none that can be shown (204: none has its key). */
relabel.pictureAt = async (at, longest = Infinity) => {
  let response;
  try {
    response = await relabel.request(`/picture?at=${at}`);
  } catch (error) {
    if (error.status) return null;
    throw error;
  }
  if (response.status === 204) return null;
  const address = URL.createObjectURL(await response.blob());
  try {
    return await relabel.pictureFrom(address, longest);
  } catch {
    // A picture that is damaged, or of a kind that this browser does not know: the map is shown without.
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
};

/** Asks how far the server is until it has done everything. */
relabel.watch = async (page, bar, progress, orders, drawPictures, refresh) => {
  for (;;) {
    let state;
    try {
      state = await relabel.ask("/state");
    } catch (error) {
      progress.textContent = error.message;
      return;
    }
    const before = page.state;
    const hadPictures = before?.pictures === "ready";
    page.state = state;
    bar.count(state.marks);
    if (!hadPictures && state.pictures === "ready") drawPictures();
    const isMeasured = state.measured >= state.images;
    // Labels and measures, which the first pages came without.
    if (before && ((!before.is_listed && state.is_listed) || (isMeasured && before.measured < before.images))) refresh();
    for (const option of orders.slice(1)) option.disabled = !isMeasured;
    progress.textContent = [
      state.failure, state.pictures === "listing" ? "Pictures are being listed." : null,
      state.pictures && !["listing", "ready"].includes(state.pictures) ? state.pictures : null,
      isMeasured || state.failure ? null
        : `${relabel.percent(state.measured / state.images)} of the images are measured; then they can be sorted by suspicion and uncertainty, and found by their best class.`,
    ].filter(Boolean).join(" ");
    if ((isMeasured || state.failure) && state.pictures !== "listing") return;
    await new Promise((done) => setTimeout(done, 1000));
  }
};

/** The number of the class that somebody wrote; empty for none. */
relabel.classOf = async (text) => {
  if (!text.trim()) return "";
  const { classes } = await relabel.ask("/classes", { find: text.trim() });
  const exact = classes.find((found) => [found.id, found.name, String(found.class)].includes(text.trim()));
  if (!exact && classes.length === 0) throw new Error(`There is no class '${text}'.`);
  return String((exact ?? classes[0]).class);
};

/** Offers the classes that fit what is being written. */
relabel.offerClasses = async (list, text) => {
  const { classes } = text.trim() ? await relabel.ask("/classes", { find: text.trim() }) : { classes: [] };
  list.replaceChildren(...classes.map((found) => relabel.element("option", { value: found.id ?? String(found.class) }, found.name)));
};
