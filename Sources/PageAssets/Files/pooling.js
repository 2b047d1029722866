"use strict";
/**
 * The weights of the cells along one axis of the grid: RoIAlign's sampling (spec, section 13.3).
 *
 * Every rounding to a 32-bit number up to the number of samples is part of the definition.
 */
relabel.axisWeights = (start, length, count) => {
  const f = Math.fround;
  const weights = new Float64Array(count);
  const low = f(f(f(start) * f(count)) - 0.5);
  const high = f(f(f(start + length) * f(count)) - 0.5);
  const span = Math.max(f(high - low), 1);
  const samples = Math.ceil(span);
  const share = 1 / samples;
  const distance = span * share;
  for (let sample = 0; sample < samples; sample++) {
    const position = low + (sample + 0.5) * distance;
    if (position < -1 || position > count) continue;
    const place = Math.max(position, 0);
    const cell = Math.min(Math.trunc(place), count - 1);
    if (cell === count - 1) {
      weights[cell] += share;
    } else {
      const fraction = place - cell;
      weights[cell] += (1 - fraction) * share;
      weights[cell + 1] += fraction * share;
    }
  }
  return weights;
};

/** One side of a box in fractions of an extent, cut to the extent (spec, section 13.2), or null where they don't meet. */
relabel.mappedSide = (start, length, origin, size) => {
  const mapped = { start: (start - origin) / size, length: length / size, covered: 1 };
  const end = mapped.start + mapped.length;
  if (!(mapped.start < 1 && end > 0)) return null;
  if (mapped.start >= -1e-6 && end <= 1 + 1e-6) return mapped;
  const first = Math.max(start, origin);
  const cut = Math.min(start + length, origin + size) - first;
  if (!(cut > 0)) return null;
  return { start: (first - origin) / size, length: cut / size, covered: cut / length };
};

/** True where rows of the grid run along the width of the picture. */
relabel.isTransposed = (profile, orientation) => profile === "relabel-2021" || orientation === "xy";

/** The probabilities of the entries of one cell, or of sums over cells, with that of each absent class. */
relabel.valueOf = (header) => {
  if (header.score_kind === "log_probability") return Math.exp;
  if (header.score_kind === "logit" && header.classes_are === "independent") {
    const scale = Math.min(1 / header.temperature, Number.MAX_VALUE);
    return (score) => 1 / (1 + Math.exp(-score * scale));
  }
  return (score) => score;
};

/**
 * The target of a crop (spec, section 13): probabilities of the pooled classes, that of each other class, and the share of
 * the box that the map covers; null where the box and the map don't meet.
 */
relabel.pool = (header, map, box, profile) => {
  const [top, left, height, width] = map.extent;
  const down = relabel.mappedSide(box[0], box[2], top, height);
  const across = relabel.mappedSide(box[1], box[3], left, width);
  if (!down || !across) return null;
  const [ofRows, ofColumns] = relabel.isTransposed(profile, header.orientation) ? [across, down] : [down, across];
  const rows = relabel.axisWeights(ofRows.start, ofRows.length, header.height);
  const columns = relabel.axisWeights(ofColumns.start, ofColumns.length, header.width);
  const cells = [];
  rows.forEach((rowWeight, y) => {
    if (rowWeight === 0) return;
    columns.forEach((weight, x) => {
      if (weight !== 0) cells.push([y * header.width + x, rowWeight * weight]);
    });
  });
  return { ...relabel.targetOf(header, map, cells), covered: down.covered * across.covered };
};

/** The target of some cells; each comes as its number and its weight. Maps of factors have what these say of classes. */
relabel.targetOf = (header, map, cells) =>
  map.class_factor
    ? relabel.targetOfFactors(header, map, relabel.factorSums(header, map, cells))
    : relabel.finished(header, relabel.weightedSums(header, map, cells));

/** Sums the entries of some cells by class; each cell comes as its number and its weight. */
relabel.weightedSums = (header, map, cells) => {
  const k = header.top_k;
  const valueOf = relabel.valueOf(header);
  const sharesRest = header.fill === "uniform" && header.num_classes > k;
  const sums = new Map();
  let rest = 0;
  for (const [cell, weight] of cells) {
    const values = Array.from({ length: k }, (_, rank) => valueOf(map.score[cell * k + rank]));
    const total = values.reduce((sum, value) => sum + value, 0);
    const share = sharesRest ? Math.max(0, 1 - total) / (header.num_classes - k) : 0;
    rest += weight * share;
    values.forEach((value, rank) => {
      const id = map.class_index[cell * k + rank];
      sums.set(id, (sums.get(id) ?? 0) + weight * (value - share));
    });
  }
  return { sums, rest };
};

/** Turns sums into probabilities, most probable first. */
relabel.finished = (header, { sums, rest }) => {
  const others = header.num_classes - sums.size;
  const sorted = (of) =>
    [...sums].map(([id, sum]) => [id, of(sum)]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  if (header.score_kind !== "logit" || header.classes_are === "independent") {
    return { classes: sorted((sum) => sum + rest), rest: others > 0 ? rest : 0, others };
  }
  const scale = Math.min(1 / header.temperature, Number.MAX_VALUE);
  let highest = others > 0 ? 0 : -Infinity;
  for (const sum of sums.values()) highest = Math.max(highest, sum);
  const absent = Math.exp(-highest * scale);
  let total = others > 0 ? others * absent : 0;
  for (const sum of sums.values()) total += Math.exp((sum - highest) * scale);
  return { classes: sorted((sum) => Math.exp((sum - highest) * scale) / total), rest: others > 0 ? absent / total : 0, others };
};

/** The target of one cell: what pooling gives where this cell alone has a weight. */
relabel.cellTarget = (header, map, cell) => relabel.targetOf(header, map, [[cell, 1]]);
