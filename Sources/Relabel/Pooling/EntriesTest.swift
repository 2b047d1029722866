/// Refuses maps that no reader would hand out, before they are pooled: their targets would be no
/// probabilities, and nothing else would say so.
struct EntriesTest: Sendable {
  // Logits in any order: what else a score kind asks for, its targets survive.
  private let rules: CellRules

  init(numClasses: Int) {
    rules = CellRules(
      numClasses: numClasses,
      kind: .logit,
      encoding: ScoreEncoding(name: .float32, packing: nil),
      order: nil
    )
  }

  /// Looks at all cells of a map.
  ///
  /// - Throws: `.invalidInput` naming the first cell whose ids are too high or not distinct, or whose
  ///   scores are not finite.
  /// - Complexity: O(cells · k²).
  func check<ID>(_ map: MapEntries<ID>) throws(RelabelError) {
    let entries = map.shape.entries
    let ids = (0..<entries).map { UInt32(map.classIndex[$0]) }
    let scores = Array(UnsafeBufferPointer(start: map.score, count: entries))
    for start in stride(from: 0, to: entries, by: map.shape.topK) {
      let cell = start..<start + map.shape.topK
      let faults = rules.faults(ids.span.extracting(cell), scores.span.extracting(cell))
      guard let kind = faults.kinds.first else { continue }
      let place = map.shape.cell(at: start)
      throw RelabelError(
        .invalidInput,
        rules.message(kind.fault, Array(ids[cell]), Array(scores[cell])),
        at: Location(cell: .init(y: place.y, x: place.x))
      )
    }
  }

  /// Looks at a map of factors.
  ///
  /// - Throws: `.usage` for factors of other classes; `.invalidInput` naming the first cell whose ids don't number its factors in
  ///   order, unless a reader has looked.
  func check<ID>(_ map: MapEntries<ID>, _ factors: FactorTable) throws(RelabelError) {
    guard factors.numClasses == Int(rules.numClasses) else {
      throw RelabelError(
        .usage,
        "the factors are of \(factors.numClasses) classes, the pooling is of \(rules.numClasses)"
      )
    }
    if map.check == .none { return }
    for entry in 0..<map.shape.entries where Int(map.classIndex[entry]) != entry % map.shape.topK {
      let place = map.shape.cell(at: entry)
      throw RelabelError(
        .invalidInput,
        "id \(map.classIndex[entry]) at place \(entry % map.shape.topK): the factors of a cell are numbered 0, 1, … in order",
        at: Location(cell: place)
      )
    }
  }
}
