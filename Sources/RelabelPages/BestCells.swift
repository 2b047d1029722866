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
  /// - Complexity: O(entries); of a map of factors O(entries · classes).
  package init(_ map: LabelMap, _ header: ShardHeader) {
    if map.factors != nil {
      let readings = FactorCells(header).readings(of: map)
      self.init(
        classIndex: readings.map(\.best),
        probability: readings.map { Double($0.probability) }
      )
      return
    }
    let k = map.shape.topK
    let places = map.bestEntries
    self.init(
      classIndex: places.map { map.classIndex[$0] },
      probability: places.enumerated().map { cell, place in
        Self.probability(map.score[place], of: map.score[cell * k..<(cell + 1) * k], header)
      }
    )
  }

  private init(classIndex: [UInt32], probability: [Double]) {
    (self.classIndex, self.probability) = (classIndex, probability)
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

extension LabelMap {
  /// The class with the highest score of each cell, ties by class; of a map of factors, of all classes.
  ///
  /// - Complexity: O(entries); of a map of factors O(entries · classes).
  package var bestOfCells: [UInt32] {
    guard let factors else { return bestEntries.map { classIndex[$0] } }
    return FactorCells(numClasses: factors.numClasses, factors: shape.topK).readings(of: self)
      .map(\.best)
  }

  /// Where the entry with the highest score of each cell is, ties by class.
  fileprivate var bestEntries: [Int] {
    classIndex.withUnsafeBufferPointer { ids in
      score.withUnsafeBufferPointer { scores in
        (0..<shape.cells).map { cell in
          var best = cell * shape.topK
          for entry in best..<best + shape.topK
          where scores[entry] > scores[best]
            || (scores[entry] == scores[best] && ids[entry] < ids[best])
          {
            best = entry
          }
          return best
        }
      }
    }
  }
}
