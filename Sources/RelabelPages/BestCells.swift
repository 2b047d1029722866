package import Relabel
internal import RelabelFormat

/// The best class of each cell of a map, with its probability in the cell's own target.
package struct BestCells {
  /// The class with the highest score, ties by class, for cells in the order [y][x].
  package let classIndex: [UInt32]
  /// What pooling that cell alone would give this class.
  package let probability: [Double]

  /// Looks at all cells of a map.
  ///
  /// - Complexity: O(entries).
  package init(_ map: LabelMap, _ header: ShardHeader) {
    let k = map.shape.topK
    var (classes, probabilities): ([UInt32], [Double]) = ([], [])
    for start in stride(from: 0, to: map.shape.entries, by: k) {
      let entries = start..<start + k
      let best = entries.reduce(start) { best, entry in
        let isBetter =
          map.score[entry] > map.score[best]
          || map.score[entry] == map.score[best] && map.classIndex[entry] < map.classIndex[best]
        return isBetter ? entry : best
      }
      classes.append(map.classIndex[best])
      probabilities.append(
        Self.probability(map.score[best], of: map.score[entries], header)
      )
    }
    (classIndex, probability) = (classes, probabilities)
  }

  /// The probability of one score of a cell (spec, section 13.4).
  private static func probability(
    _ score: Float,
    of scores: ArraySlice<Float>,
    _ header: ShardHeader
  ) -> Double {
    let scale = min(1 / header.temperature, .greatestFiniteMagnitude)
    switch (header.scoreKind, header.classesAre) {
    case (.probability, _): return Double(score)
    case (.logProbability, _): return Mathematics.exp(Double(score))
    case (.logit, .independent): return 1 / (1 + Mathematics.exp(-Double(score) * scale))
    case (.logit, .exclusive):
      let others = header.numClasses - scores.count
      let highest = max(Double(scores.max() ?? 0), others > 0 ? 0 : -.infinity)
      let absent = others > 0 ? Double(others) * Mathematics.exp(-highest * scale) : 0
      let total = scores.reduce(absent) { $0 + Mathematics.exp((Double($1) - highest) * scale) }
      return Mathematics.exp((Double(score) - highest) * scale) / total
    }
  }
}
