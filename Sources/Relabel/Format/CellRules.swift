import Glibc

/// What can be wrong with the entries of one cell; one bit for each rule of the spec.
package struct CellFaults: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let classOutOfRange = CellFaults(rawValue: 1)
  package static let duplicateClass = CellFaults(rawValue: 2)
  package static let notFinite = CellFaults(rawValue: 4)
  package static let outOfOrder = CellFaults(rawValue: 8)
  package static let probabilityRange = CellFaults(rawValue: 16)
  package static let probabilitySum = CellFaults(rawValue: 32)
}

/// The rules that the entries of a cell obey (spec, "Cells"), shared by the writer and the verifier.
package struct CellRules: Sendable {
  private let numClasses: UInt32
  private let kind: ScoreKind
  private let order: CellOrder?
  private let encoding: ScoreEncoding
  private let slack: Double

  /// Makes the rules of a dataset; without an order, entries may come in any.
  package init(numClasses: Int, kind: ScoreKind, encoding: ScoreEncoding, order: CellOrder?) {
    self.numClasses = UInt32(clamping: numClasses)
    self.kind = kind
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
      switch kind {
      case .logit: break
      case .probability:
        if score < 0 || Double(score) > 1 + slack { faults.insert(.probabilityRange) }
        total += Double(score)
      case .logProbability:
        if Double(score) > slack { faults.insert(.probabilityRange) }
        total += exp(Double(score))
      }
    }
    if total > 1 + encoding.sumSlack(ids.count) { faults.insert(.probabilitySum) }
    return faults
  }

  private func isOutOfOrder(_ id: UInt32, _ score: Float, _ nextID: UInt32, _ next: Float) -> Bool {
    switch order {
    case nil: false
    case .class: id > nextID
    // Equal ids are a duplicate, not a disorder.
    case .score: score < next || (score == next && id > nextID)
    }
  }
}
