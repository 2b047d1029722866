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
    if let factors = map.factors {
      self.init(map, factors, scale: header.logitScale)
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

  /// The same of a map of factors.
  private init(_ map: LabelMap, _ factors: ClassFactors, scale: Double) {
    var (classes, probabilities): ([UInt32], [Double]) = ([], [])
    map.forEachCell(of: factors) { _, logits in
      let best = logits.placeOfHighest
      classes.append(UInt32(best))
      let total = logits.reduce(0.0) {
        $0 + Double(PlainExponential.ofVectors(Float(($1 - logits[best]) * scale)))
      }
      probabilities.append(1 / total)
    }
    self.init(classIndex: classes, probability: probabilities)
  }

  /// The probability of one score of a cell (spec, section 13.4).
  private static func probability(
    _ score: Float,
    of scores: ArraySlice<Float>,
    _ header: ShardHeader
  ) -> Double {
    let scale = header.logitScale
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
    var best: [UInt32] = []
    forEachCell(of: factors) { best.append(UInt32($1.placeOfHighest)) }
    return best
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

extension ShardHeader {
  /// What logits are multiplied by.
  fileprivate var logitScale: Double { min(1 / temperature, .greatestFiniteMagnitude) }
}

extension UnsafeBufferPointer<Double> {
  /// The place of the highest number, the first of equal ones; there is one.
  fileprivate var placeOfHighest: Int {
    var best = 0
    for place in indices where self[place] > self[best] { best = place }
    return best
  }
}
