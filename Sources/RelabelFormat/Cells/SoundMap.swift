/// A quick answer to whether a map keeps the rules that every reader looks at (V001, V002, V003 and
/// V007).
package enum SoundMap: Sendable {
  case narrow(CellKernel<Int16>)
  case wide(CellKernel<Int32>)

  /// Makes the test of maps in one form.
  package init(_ form: MapForm) {
    // A logit may be any number, and readers take entries in any order.
    let rules = CellRules(
      numClasses: form.numClasses,
      kind: .logit,
      encoding: form.encoding,
      order: nil
    )
    self = form.isNarrow ? .narrow(CellKernel(form, rules)) : .wide(CellKernel(form, rules))
  }

  /// True when class ids are in range and distinct in each cell, and scores finite.
  ///
  /// - Parameters:
  ///   - classIndex: the stored ids of a map.
  ///   - score: its stored scores.
  ///   - entries: how many there are of each.
  /// - Returns: false where `CellRules` has to look.
  package func contains(
    _ classIndex: UnsafeRawPointer,
    _ score: UnsafeRawPointer,
    entries: Int
  ) -> Bool {
    switch self {
    case .narrow(let kernel): Self.isSound(classIndex, score, entries, kernel)
    case .wide(let kernel): Self.isSound(classIndex, score, entries, kernel)
    }
  }

  /// As above, of a decoded map; for the form of maps in memory.
  package func contains(_ map: LabelMap) -> Bool {
    map.classIndex.withUnsafeBytes { ids in
      map.score.withUnsafeBytes { scores in
        guard let ids = ids.baseAddress, let scores = scores.baseAddress else { return true }
        return contains(ids, scores, entries: map.shape.entries)
      }
    }
  }

  private static func isSound<Lane>(
    _ classIndex: UnsafeRawPointer,
    _ score: UnsafeRawPointer,
    _ entries: Int,
    _ kernel: CellKernel<Lane>
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: Lane.self, capacity: 2 * entries) { lanes in
      guard let ids = lanes.baseAddress else { return true }
      let scores = ids + entries
      guard kernel.read(classIndex, score, into: ids, scores) else { return false }
      let range = kernel.range(scores)
      guard kernel.needsTable else { return kernel.isSound(ids, scores, range, nil) }
      return withUnsafeTemporaryAllocation(
        of: UInt64.self,
        capacity: CellKernel<Lane>.tableWords
      ) { table in
        table.initialize(repeating: 0)
        return kernel.isSound(ids, scores, range, table.baseAddress)
      }
    }
  }
}
