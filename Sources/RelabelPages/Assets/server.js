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

/** The picture of an image, or null where there is none that can be shown (204: none has its key). */
relabel.pictureAt = async (at) => {
  let response;
  try {
    response = await relabel.request(`/picture?at=${at}`);
  } catch (error) {
    if (error.status) return null;
    throw error;
  }
  if (response.status === 204) return null;
  const address = URL.createObjectURL(await response.blob());
  const picture = new Image();
  picture.src = address;
  try {
    await picture.decode();
    return picture;
  } catch {
    // A picture that is damaged, or of a kind that this browser does not know: the map is shown without.
    return null;
  } finally {
    URL.revokeObjectURL(address);
  }
};

/** The numbers of a map that came as Base64. */
relabel.unpacked = (map) => {
  if (!map) return null;
  const buffer = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
  return {
    class_index: new Uint32Array(buffer(map.class_index)), score: new Float32Array(buffer(map.score)), extent: map.extent,
  };
};
