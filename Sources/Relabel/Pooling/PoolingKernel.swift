import RelabelFormat

/// From the entries of a map to a target: sums over weighted cells, then what the score kind asks
/// for (spec, section 13.4).
package struct PoolingKernel: Sendable {
  let numClasses: Int
  let kind: ScoreKind
  let classesAre: ClassRelation
  let fill: Fill
  let temperature: Double

  package init(
    numClasses: Int,
    kind: ScoreKind,
    classesAre: ClassRelation = .exclusive,
    fill: Fill,
    temperature: Double
  ) {
    self.numClasses = numClasses
    self.kind = kind
    self.classesAre = classesAre
    self.fill = fill
    self.temperature = temperature
  }

  /// What a shard says of its scores.
  package init(_ header: ShardHeader) {
    self.init(
      numClasses: header.numClasses,
      kind: header.scoreKind,
      classesAre: header.classesAre,
      fill: header.fill,
      temperature: header.temperature
    )
  }

  /// Sums entries by class, with the weights that `scratch` holds.
  ///
  /// - Parameters:
  ///   - map: the entries, all sound.
  ///   - scratch: holds the weights, and receives one sum for each class.
  /// - Returns: what each class gets that is absent from a cell, summed over the cells.
  func sum<ID>(_ map: MapEntries<ID>, _ scratch: PoolingScratch) -> Double {
    // One loop for each case, so that none asks about the case for every entry.
    let sharesRest = fill == .uniform && numClasses > map.shape.topK
    if hasSigmoids {
      let scale = scale
      return sum(map, scratch, sharesRest: false) { 1 / (1 + Mathematics.exp(-$0 * scale)) }
    }
    switch (kind, sharesRest) {
    case (.logProbability, true): return sum(map, scratch, sharesRest: true) { Mathematics.exp($0) }
    case (.logProbability, false):
      return sum(map, scratch, sharesRest: false) { Mathematics.exp($0) }
    case (_, true): return sum(map, scratch, sharesRest: true) { $0 }
    case (_, false): return sum(map, scratch, sharesRest: false) { $0 }
    }
  }

  /// True where sums become a target by a softmax over all classes.
  var hasSoftmax: Bool { kind == .logit && classesAre == .exclusive }

  /// True where each class of a cell has the sigmoid of its logit as its probability.
  var hasSigmoids: Bool { kind == .logit && classesAre == .independent }

  /// What logits are multiplied by; infinity times 0 would be no number.
  var scale: Double { min(1 / temperature, .greatestFiniteMagnitude) }

  /// The loop over the entries; class ids are in range.
  @inline(__always)
  private func sum<ID>(
    _ map: MapEntries<ID>,
    _ scratch: PoolingScratch,
    sharesRest: Bool,
    _ value: (Double) -> Double
  ) -> Double {
    let (topK, width) = (map.shape.topK, map.shape.width)
    // Out of the map's memory, which the compiler would ask again for each cell.
    let (ids, scores) = (map.classIndex, map.score)
    let columns = scratch.columns.cells
    var sums = scratch.sums
    defer { scratch.sums = sums }
    var rest = 0.0
    for y in scratch.rows.cells {
      let rowWeight = scratch.rows[y]
      for x in columns {
        let weight = rowWeight * scratch.columns[x]
        let start = (y &* width &+ x) &* topK
        let (classIndex, score) = (ids + start, scores + start)
        var share = 0.0
        if sharesRest {
          var total = 0.0
          for rank in 0..<topK { total += value(Double(score[rank])) }
          share = max(0, 1 - total) / Double(numClasses &- topK)
          rest += weight * share
        }
        for rank in 0..<topK {
          let pooled = value(Double(score[rank])) - share
          sums.add(weight * pooled, to: UInt32(truncatingIfNeeded: classIndex[rank]))
        }
      }
    }
    return rest
  }

  /// Turns sums into probabilities, in place.
  ///
  /// - Parameters:
  ///   - scratch: the sums.
  ///   - rest: what `sum` returned.
  /// - Returns: the probability of each class without a sum.
  func finish(_ scratch: PoolingScratch, rest: Double) -> Float {
    let sums = scratch.sums
    guard hasSoftmax else {
      for place in 0..<sums.count { sums[place] += rest }
      return Float(rest)
    }
    // Classes without an entry have logit 0; where there are none, the highest may lie far below.
    var highest = sums.count < numClasses ? 0 : -Double.infinity
    for place in 0..<sums.count { highest = max(highest, sums[place]) }
    let scale = scale
    let others = Double(numClasses - sums.count)
    var total = others > 0 ? others * Mathematics.exp(-highest * scale) : 0
    for place in 0..<sums.count {
      // Float's exp errs by 2e-8 of the largest probability, at half the price.
      let power = Double(Mathematics.exp(Float((sums[place] - highest) * scale)))
      sums[place] = power
      total += power
    }
    for place in 0..<sums.count { sums[place] /= total }
    return sums.count < numClasses ? Float(Mathematics.exp(-highest * scale) / total) : 0
  }
}
