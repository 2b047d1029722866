"use strict";
/** Sums each factor of a map over some cells; each cell comes as its number and its weight. */
relabel.factorSums = (header, map, cells) => {
  const k = header.top_k;
  const sums = new Float64Array(k);
  for (const [cell, weight] of cells) {
    for (let factor = 0; factor < k; factor++) sums[factor] += weight * map.score[cell * k + factor];
  }
  return sums;
};

/** What sums of factors say of all classes: logits up to a number that all of them share (spec, section 13.4). */
relabel.logitsOfFactors = (header, map, sums, logits = new Float64Array(header.num_classes)) => {
  const count = header.num_classes;
  logits.fill(0);
  sums.forEach((sum, factor) => {
    const each = sum * map.factor_scale[factor];
    if (each === 0) return;
    const first = factor * count;
    for (let id = 0; id < count; id++) logits[id] += each * map.class_factor[first + id];
  });
  return logits;
};

/** The highest of some logits, and the sum of the powers that a softmax divides by. */
relabel.softmaxOf = (header, logits) => {
  const scale = Math.min(1 / header.temperature, Number.MAX_VALUE);
  let highest = -Infinity;
  for (const logit of logits) if (logit > highest) highest = logit;
  let total = 0;
  for (const logit of logits) total += Math.exp((logit - highest) * scale);
  return { highest, total, of: (logit) => Math.exp((logit - highest) * scale) / total };
};

/** The target of sums of factors: every class has a probability, most probable first. */
relabel.targetOfFactors = (header, map, sums) => {
  const logits = relabel.logitsOfFactors(header, map, sums);
  const softmax = relabel.softmaxOf(header, logits);
  const order = Uint32Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  return { classes: Array.from(order, (id) => [id, softmax.of(logits[id])]), rest: 0, others: 0 };
};

/** The best classes of each cell of a map of factors, as `relabel.bestOfCells` has them; scores are less the mean of all classes. */
relabel.bestOfFactors = (header, map) => {
  const [cells, count] = [header.height * header.width, relabel.ranksOf(header)];
  const best = {
    count, ids: new Uint32Array(cells * count), probabilities: new Float64Array(cells * count), scores: new Float64Array(cells * count),
    softmax: [],
  };
  const logits = new Float64Array(header.num_classes);
  for (let cell = 0; cell < cells; cell++) {
    relabel.logitsOfFactors(header, map, relabel.factorSums(header, map, [[cell, 1]]), logits);
    const softmax = relabel.softmaxOf(header, logits);
    best.softmax.push(softmax);
    const found = [];
    let mean = 0;
    logits.forEach((logit, id) => {
      mean += logit / header.num_classes;
      if (found.length === count && !(logit > logits[found[count - 1]])) return;
      // Ids ascend, so one of equal logits stays behind those that are there.
      let place = found.length;
      while (place > 0 && logit > logits[found[place - 1]]) place--;
      found.splice(place, 0, id);
      if (found.length > count) found.pop();
    });
    found.forEach((id, rank) => {
      const place = cell * count + rank;
      [best.ids[place], best.probabilities[place], best.scores[place]] = [id, softmax.of(logits[id]), logits[id] - mean];
    });
  }
  return best;
};

/** The probability of one class in each cell of a map of factors. */
relabel.classInFactors = (header, map, id) => {
  const { softmax } = relabel.bestOfCells(header, map);
  return softmax.map((cell, place) => {
    const sums = relabel.factorSums(header, map, [[place, 1]]);
    let logit = 0;
    // In the order of `logitsOfFactors`, whose highest logit this is compared with.
    sums.forEach((sum, factor) => (logit += sum * map.factor_scale[factor] * map.class_factor[factor * header.num_classes + id]));
    return cell.of(logit);
  });
};
