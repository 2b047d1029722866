"use strict";
/** The numbers of a map that came as Base64. */
relabel.unpacked = (map) => {
  const buffer = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
  const own = { extent: map.extent };
  if (map.score) own.score = new Float32Array(buffer(map.score));
  if (map.class_index) own.class_index = new Uint32Array(buffer(map.class_index));
  // Stored numbers are 127 more than what they count.
  if (map.class_factor) own.class_factor = Int8Array.from(new Uint8Array(buffer(map.class_factor)), (number) => number - 127);
  if (map.factor_scale) own.factor_scale = map.factor_scale;
  // Of a page of many images, the best class of each cell is all that came.
  if (map.probability) own.best = { count: 1, ids: own.class_index, probabilities: new Float32Array(buffer(map.probability)) };
  return own;
};

/** The places of the best entries of a cell, best first. */
relabel.ranked = (header, map, cell) => {
  const k = header.top_k;
  // Entries may lie by class: the order of a cell is that of its scores, ties by class.
  return Array.from({ length: k }, (_, rank) => cell * k + rank).sort(
    (a, b) => map.score[b] - map.score[a] || map.class_index[a] - map.class_index[b],
  );
};

/** How many of its best classes a cell shows: those that it keeps, or as many as people look at where it has all of them. */
relabel.ranksOf = (header) => (header.has_factors ? Math.min(10, header.num_classes) : header.top_k);

/**
 * The best classes of each cell, flat in the order [cell][rank]: ids, probabilities and scores; made once for a map.
 *
 * Probabilities are those of the cell's own target, so that absent classes count as in pooling.
 */
relabel.bestOfCells = (header, map) => {
  map.best ??= map.class_factor ? relabel.bestOfFactors(header, map) : relabel.bestOfClasses(header, map);
  return map.best;
};

/** The same of a map of classes. */
relabel.bestOfClasses = (header, map) => {
  const [cells, count] = [header.height * header.width, header.top_k];
  const best = { count, ids: new Uint32Array(cells * count), probabilities: new Float64Array(cells * count), scores: new Float64Array(cells * count) };
  for (let cell = 0; cell < cells; cell++) {
    const probabilities = new Map(relabel.cellTarget(header, map, cell).classes);
    relabel.ranked(header, map, cell).forEach((entry, rank) => {
      const [place, id] = [cell * count + rank, map.class_index[entry]];
      [best.ids[place], best.probabilities[place], best.scores[place]] = [id, probabilities.get(id), map.score[entry]];
    });
  }
  return best;
};

/** The rectangle of a cell on the picture: left, top, width and height in fractions of the picture. */
relabel.cellPlace = (header, map, row, column, isTransposed) => {
  const [top, left, height, width] = map.extent;
  const [down, across] = isTransposed ? [column, row] : [row, column];
  const [rows, columns] = isTransposed ? [header.width, header.height] : [header.height, header.width];
  return {
    x: left + (across / columns) * width, y: top + (down / rows) * height,
    width: width / columns, height: height / rows,
  };
};

/** True for a cell that says nothing, since its classes are all alike: factors that it has none of leave all logits at 0. */
relabel.isBlank = (header, map, cell) => {
  const { count, probabilities } = relabel.bestOfCells(header, map);
  return Boolean(header.has_factors) && count > 1 && probabilities[cell * count] === probabilities[(cell + 1) * count - 1];
};

/** What each cell shows: its class at a rank, or one class's probability there, as [id, probability]. */
relabel.shownCells = (header, map, { rank = 0, classID = null } = {}) => {
  const cells = Array.from({ length: header.height * header.width }, (_, cell) => cell);
  if (classID !== null) {
    if (map.class_factor) return relabel.classInFactors(header, map, classID).map((value) => [classID, value]);
    return cells.map((cell) => {
      const target = relabel.cellTarget(header, map, cell);
      return [classID, new Map(target.classes).get(classID) ?? target.rest];
    });
  }
  const best = relabel.bestOfCells(header, map);
  return cells.map((cell) => [best.ids[cell * best.count + rank], best.probabilities[cell * best.count + rank]]);
};
