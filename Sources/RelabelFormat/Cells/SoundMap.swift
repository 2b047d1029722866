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

  /// True when stored scores are finite, whatever the ids are; `entries` may be those of several maps.
  package func holds(_ score: UnsafeRawPointer, entries: Int) -> Bool {
    switch self {
    case .narrow(let kernel): kernel.scores.areFinite(score, entries)
    case .wide(let kernel): kernel.scores.areFinite(score, entries)
    }
  }

  /// True when the class ids of a decoded map are in range and distinct in each cell.
  ///
  /// For whoever knows its scores to be finite, and the form of maps in memory.
  package func holdsIDs(of map: LabelMap) -> Bool {
    map.classIndex.withUnsafeBytes { ids in
      guard let ids = ids.baseAddress else { return true }
      switch self {
      case .narrow(let kernel): return Self.isSound(ids, nil, map.shape.entries, kernel)
      case .wide(let kernel): return Self.isSound(ids, nil, map.shape.entries, kernel)
      }
    }
  }

  private static func isSound<Lane>(
    _ classIndex: UnsafeRawPointer,
    _ score: UnsafeRawPointer?,
    _ entries: Int,
    _ kernel: CellKernel<Lane>
  ) -> Bool {
    withUnsafeTemporaryAllocation(of: Lane.self, capacity: entries) { keys in
      guard let keys = keys.baseAddress else { return true }
      if let score {
        // In the same memory, one after the other.
        kernel.scores.read(score, entries, into: keys)
        guard kernel.isInRange(kernel.range(keys)) else { return false }
      }
      return kernel.ids.read(classIndex, into: keys) && kernel.isDistinct(keys)
    }
  }
}
