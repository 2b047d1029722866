import Glibc

/// From the entries of a map to a target: sums over weighted cells, then what the score kind asks
/// for (spec, section 13.4).
package struct PoolingKernel: Sendable {
  let numClasses: Int
  let kind: ScoreKind
  let fill: Fill
  let temperature: Double

  package init(numClasses: Int, kind: ScoreKind, fill: Fill, temperature: Double) {
    self.numClasses = numClasses
    self.kind = kind
    self.fill = fill
    self.temperature = temperature
  }

  /// Sums entries by class, with the weights that `scratch` holds.
  ///
  /// - Parameters:
  ///   - map: the entries.
  ///   - scratch: holds the weights, and receives one sum for each class.
  /// - Returns: what each class gets that is absent from a cell, summed over the cells; or the
  ///   entry whose class id is too high.
  func sum<ID>(
    _ map: MapEntries<ID>,
    _ scratch: PoolingScratch
  ) -> Result<Double, EntryOutOfRange> {
    let (shape, classIndex, score) = (map.shape, map.classIndex, map.score)
    let (topK, limit) = (shape.topK, UInt32(clamping: numClasses))
    let columns = scratch.columns.cells
    var sums = scratch.sums
    defer { scratch.sums = sums }
    var rest = 0.0
    for y in scratch.rows.cells {
      let rowWeight = scratch.rows[y]
      for x in columns {
        let weight = rowWeight * scratch.columns[x]
        let start = (y &* shape.width &+ x) &* topK
        let share = absentShare(score + start, topK)
        rest += weight * share
        for entry in start..<start &+ topK {
          let id = UInt32(truncatingIfNeeded: classIndex[entry])
          guard id < limit else {
            sums.take { _, _ in }
            return .failure(EntryOutOfRange(offset: entry))
          }
          sums.add(weight * (value(score[entry]) - share), to: id)
        }
      }
    }
    return .success(rest)
  }

  /// What is pooled: scores, or the probabilities behind their logarithms.
  @inline(__always)
  private func value(_ score: Float) -> Double {
    kind == .logProbability ? exp(Double(score)) : Double(score)
  }

  /// The probability that a cell gives to each class it does not list.
  @inline(__always)
  private func absentShare(_ scores: UnsafePointer<Float>, _ topK: Int) -> Double {
    guard fill == .uniform, numClasses > topK else { return 0 }
    var total = 0.0
    for rank in 0..<topK { total += value(scores[rank]) }
    return max(0, 1 - total) / Double(numClasses - topK)
  }

  /// Turns sums into probabilities, in place.
  ///
  /// - Parameters:
  ///   - scratch: the sums.
  ///   - rest: what `sum` returned.
  /// - Returns: the probability of each class without a sum.
  func finish(_ scratch: PoolingScratch, rest: Double) -> Float {
    let sums = scratch.sums
    guard kind == .logit else {
      for place in 0..<sums.count { sums[place] += rest }
      return Float(rest)
    }
    // Classes without an entry have logit 0; where there are none, the highest may lie far below.
    var highest = sums.count < numClasses ? 0 : -Double.infinity
    for place in 0..<sums.count { highest = max(highest, sums[place]) }
    let scale = 1 / temperature
    let others = Double(numClasses - sums.count)
    var total = others > 0 ? others * exp(-highest * scale) : 0
    for place in 0..<sums.count {
      // Float's exp errs by 2e-8 of the largest probability, at half the price.
      let power = Double(expf(Float((sums[place] - highest) * scale)))
      sums[place] = power
      total += power
    }
    for place in 0..<sums.count { sums[place] /= total }
    return sums.count < numClasses ? Float(exp(-highest * scale) / total) : 0
  }
}

/// An entry whose class id is not below the number of classes.
struct EntryOutOfRange: Error {
  let offset: Int
}
