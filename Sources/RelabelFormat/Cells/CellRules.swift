/// The rules that the entries of a cell obey (spec, "Cells"), in exact words: the one place that
/// says what a sound cell is.
@usableFromInline
package struct CellRules: Sendable {
  /// Class ids are below it.
  package let numClasses: UInt32
  private let kind: ScoreKind
  private let classesAre: ClassRelation
  /// How entries of a cell are sorted; nil where they may come in any order.
  @usableFromInline
  package let order: CellOrder?
  private let encoding: ScoreEncoding
  private let slack: Double

  /// Makes the rules of a dataset; without an order, entries may come in any.
  package init(
    numClasses: Int,
    kind: ScoreKind,
    classesAre: ClassRelation = .exclusive,
    encoding: ScoreEncoding,
    order: CellOrder?
  ) {
    self.numClasses = UInt32(clamping: numClasses)
    self.kind = kind
    self.classesAre = classesAre
    self.order = order
    self.encoding = encoding
    slack = encoding.slack
  }

  /// The rules that a cell's decoded entries break; empty for a sound cell.
  ///
  /// - Complexity: O(k) for cells in class order, else O(k²).
  package func faults(_ ids: Span<UInt32>, _ scores: Span<Float>) -> CellFaults {
    var faults: CellFaults = []
    var total = 0.0
    for rank in ids.indices {
      let (id, score) = (ids[rank], scores[rank])
      if id >= numClasses { faults.insert(.classOutOfRange) }
      if !score.isFinite { faults.insert(.notFinite) }
      if rank > 0 {
        var earlier = 0
        while earlier < rank, ids[earlier] != id { earlier += 1 }
        if earlier < rank { faults.insert(.duplicateClass) }
        if isOutOfOrder(ids[rank - 1], scores[rank - 1], id, score) { faults.insert(.outOfOrder) }
      }
      if isTooLow(score) || isTooHigh(score) { faults.insert(.probabilityRange) }
      switch kind {
      case .logit: break
      case .probability: total += Double(score)
      case .logProbability: total += Mathematics.exp(Double(score))
      }
    }
    if total > largestSum(ids.count) { faults.insert(.probabilitySum) }
    return faults
  }

  /// True for a score below what its kind allows.
  package func isTooLow(_ score: Float) -> Bool { kind == .probability && score < 0 }

  /// True for a score above what its kind allows.
  package func isTooHigh(_ score: Float) -> Bool {
    switch kind {
    case .logit: false
    case .probability: Double(score) > 1 + slack
    case .logProbability: Double(score) > slack
    }
  }

  /// The most that the probabilities of a cell of `count` entries may sum to.
  package func largestSum(_ count: Int) -> Double {
    classesAre == .exclusive ? 1 + encoding.sumSlack(count) : .infinity
  }

  private func isOutOfOrder(_ id: UInt32, _ score: Float, _ nextID: UInt32, _ next: Float) -> Bool {
    switch order {
    case nil, .source: false
    case .class: id > nextID
    // Equal ids are a duplicate, not a disorder.
    case .score: score < next || (score == next && id > nextID)
    }
  }
}
