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

  /// True when no cell of a map has `.classOutOfRange`, `.duplicateClass` or `.notFinite`: what
  /// readers look at for every map, so without naming the cell.
  ///
  /// - Complexity: O(cells · k²) with few instructions for small k, else O(cells · k · log k).
  package func areDistinctAndFinite(_ map: LabelMap) -> Bool {
    let areInRange = map.classIndex.withUnsafeBufferPointer { ids in
      var highest: UInt32 = 0
      for id in ids { highest = max(highest, id) }
      return highest < numClasses
    }
    let areFinite = map.score.withUnsafeBufferPointer { scores in
      // Infinite and NaN are what 0 times them is not 0.
      var sum: Float = 0
      for score in scores { sum += score * 0 }
      return sum == 0
    }
    return areInRange && areFinite && areDistinct(map.classIndex, map.shape.topK)
  }

  private func areDistinct(_ classIndex: [UInt32], _ topK: Int) -> Bool {
    guard topK <= 16 else {
      return stride(from: 0, to: classIndex.count, by: topK).allSatisfy { start in
        let ids = classIndex[start..<start + topK].sorted()
        return zip(ids, ids.dropFirst()).allSatisfy { $0 != $1 }
      }
    }
    return classIndex.withUnsafeBufferPointer { ids in
      // No branches inside: sound maps have nothing to stop for.
      var equal = false
      var start = 0
      while start < ids.count {
        for rank in 1..<max(topK, 1) {
          for earlier in 0..<rank { equal = (ids[start + rank] == ids[start + earlier]) || equal }
        }
        start += topK
      }
      return !equal
    }
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
