"use strict";
/**
 * The places of the best entries of a cell, best first.
 *
 * Entries may lie by class: the order of a cell is that of its scores, ties by class.
 */
relabel.ranked = (header, map, cell) => {
  const k = header.top_k;
  return Array.from({ length: k }, (_, rank) => cell * k + rank).sort(
    (a, b) => map.score[b] - map.score[a] || map.class_index[a] - map.class_index[b],
  );
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

/**
 * What each cell shows: its class at a rank, or one class's probability there, as [id, probability].
 *
 * Probabilities are those of the cell's own target, so that absent classes count as in pooling.
 */
relabel.shownCells = (header, map, { rank = 0, classID = null } = {}) => {
  return Array.from({ length: header.height * header.width }, (_, cell) => {
    const target = relabel.cellTarget(header, map, cell);
    const probabilities = new Map(target.classes);
    if (classID !== null) return [classID, probabilities.get(classID) ?? target.rest];
    const id = map.class_index[relabel.ranked(header, map, cell)[rank]];
    return [id, probabilities.get(id)];
  });
};
