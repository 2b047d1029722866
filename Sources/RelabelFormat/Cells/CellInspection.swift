/// Goes through the cells of a stored map and says what is wrong with each, in words.
///
/// Serves whoever knows from `CellKernel` that there may be something, or looks at damaged maps:
/// readers, pooling, the verifier and recovery say the same of the same cell.
package struct CellInspection: Sendable {
  private let shape: MapShape
  private let rules: CellRules
  private let codec: MapCodec
  private let unwrittenID: UInt32
  /// The bit pattern that the codec gives for a score that was never written, in any encoding.
  private static let unwrittenScore = Float.nan.bitPattern

  /// Makes the inspection of a shard's maps.
  package init(_ header: ShardHeader) {
    shape = header.shape
    rules = header.cellRules(order: header.cellOrder)
    codec = MapCodec(header)
    unwrittenID = header.classIndexType == .uint32 ? .max : UInt32(UInt16.max)
  }

  /// A cell with a fault.
  package struct Cell {
    package let place: Location.Cell
    package let faults: CellFaults
    private let ids: [UInt32]
    private let scores: [Float]
    private let rules: CellRules

    fileprivate init(
      _ place: Location.Cell,
      _ faults: CellFaults,
      _ ids: ArraySlice<UInt32>,
      _ scores: ArraySlice<Float>,
      _ rules: CellRules
    ) {
      (self.place, self.faults, self.rules) = (place, faults, rules)
      (self.ids, self.scores) = (Array(ids), Array(scores))
    }

    /// What one of the faults says of the cell.
    package func message(_ fault: CellFaults) -> String { rules.message(fault, ids, scores) }
  }

  /// The cells of a map that have a fault, in the order of the grid.
  ///
  /// - Parameters:
  ///   - classIndex: the stored ids of the map.
  ///   - score: its stored scores.
  ///   - body: is called with each cell; false ends the search.
  /// - Returns: the range of the finite scores of all cells that were looked at and written.
  @discardableResult
  package func forEachFault(
    _ classIndex: ArraySlice<UInt8>,
    _ score: ArraySlice<UInt8>,
    _ body: (Cell) -> Bool
  ) -> ClosedRange<Float>? {
    let (ids, scores) = (codec.classIndex(classIndex), codec.score(score))
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    for cell in 0..<shape.cells {
      let entries = cell * shape.topK..<(cell + 1) * shape.topK
      let (ids, scores) = (ids[entries], scores[entries])
      let faults = faults(ids, scores)
      if !faults.isEmpty {
        let place = Location.Cell(y: cell / shape.width, x: cell % shape.width)
        if !body(Cell(place, faults, ids, scores, rules)) { break }
        if !faults.isDisjoint(with: [.unwrittenClass, .unwrittenScore]) { continue }
      }
      for score in scores where score.isFinite {
        (lowest, highest) = (min(lowest, score), max(highest, score))
      }
    }
    return lowest <= highest ? lowest...highest : nil
  }

  /// The first fault of a map, by cells and then by rules, of those in `kinds`.
  package func firstFault(
    _ classIndex: ArraySlice<UInt8>,
    _ score: ArraySlice<UInt8>,
    of kinds: CellFaults
  ) -> (cell: Cell, kind: CellFaults.Kind)? {
    var first: (cell: Cell, kind: CellFaults.Kind)?
    forEachFault(classIndex, score) { cell in
      first = cell.faults.intersection(kinds).kinds.first.map { (cell, $0) }
      return first == nil
    }
    return first
  }

  /// What is wrong with a cell; of one that was never written, only that.
  private func faults(_ ids: ArraySlice<UInt32>, _ scores: ArraySlice<Float>) -> CellFaults {
    if ids.contains(unwrittenID) { return .unwrittenClass }
    if scores.contains(where: { $0.bitPattern == Self.unwrittenScore }) { return .unwrittenScore }
    return rules.faults(ids.span, scores.span)
  }
}

extension CellRules {
  /// What a fault says of a cell's decoded entries.
  package func message(_ fault: CellFaults, _ ids: [UInt32], _ scores: [Float]) -> String {
    // Whole, as every client sees them; one NaN is as good as another, whatever its sign.
    let values = scores.map { $0.isNaN ? .nan : Double($0) }
    return switch fault {
    case .unwrittenClass, .unwrittenScore: "the map was never written"
    case .classOutOfRange: "class ids \(ids) are not all below \(numClasses)"
    case .duplicateClass: "class ids \(ids) are not distinct"
    case .notFinite: "scores \(values) are not all finite"
    case .outOfOrder:
      "ids \(ids), scores \(values) are not in '\(order?.rawValue ?? "any")' order"
    case .probabilityRange: "scores \(values) are not probabilities"
    default: "probabilities \(values) sum to more than 1"
    }
  }
}

extension ClosedRange<Float> {
  /// The least range that holds both.
  package static func union(_ a: Self?, _ b: Self?) -> Self? {
    guard let a, let b else { return a ?? b }
    return Swift.min(a.lowerBound, b.lowerBound)...Swift.max(a.upperBound, b.upperBound)
  }
}
