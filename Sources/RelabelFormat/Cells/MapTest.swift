/// The part of `CellKernel` that compares the keys of a map with each other.
@usableFromInline
struct MapTest<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  @usableFromInline
  let topK: Int
  @usableFromInline
  let entries: Int
  @usableFromInline
  let order: CellOrder?
  /// All ones for entries that are of one cell with the next one, else 0; empty without an order.
  @usableFromInline
  let isPair: [Lane]
  /// Above so many ranks, comparing all pairs costs more than a table.
  @inlinable
  static var fewRanks: Int { 16 }

  /// Makes the test of maps of a shape; without an order, entries may come in any.
  @inlinable
  init(_ shape: MapShape, _ order: CellOrder?) {
    let topK = shape.topK
    self.topK = topK
    self.order = order
    entries = shape.entries
    isPair =
      order == nil ? [] : (1..<max(shape.entries, 1)).map { $0 % topK == 0 ? 0 : -1 }
  }

  /// True when the entries of each cell are in order, ids where they are equal included.
  @inlinable
  func isInOrder(_ ids: UnsafePointer<Lane>, _ scores: UnsafePointer<Lane>) -> Bool {
    guard topK > 1, let order else { return true }
    return isPair.withUnsafeBufferPointer { isPair in
      switch order {
      case .source: true
      case .class: isAscending(ids, isPair)
      case .score: isDescending(ids, scores, isPair)
      }
    }
  }

  // Loops without branches or traps inside, which the compiler turns into vector instructions:
  // sound maps have nothing to stop for.

  /// Lowest and highest of `count` keys, of which there is at least one.
  @inlinable
  static func range(_ keys: UnsafePointer<Lane>, _ count: Int) -> (lowest: Lane, highest: Lane) {
    var (lowest, highest) = (keys[0], keys[0])
    for entry in 1..<max(count, 1) {
      lowest = min(lowest, keys[entry])
      highest = max(highest, keys[entry])
    }
    return (lowest, highest)
  }

  /// True when ids ascend in each cell, so that none occurs twice.
  @inlinable
  func isAscending(
    _ ids: UnsafePointer<Lane>,
    _ isPair: UnsafeBufferPointer<Lane>
  ) -> Bool {
    let later = ids + 1
    var faults: Lane = 0
    for entry in 0..<isPair.count {
      let isBack: Lane = later[entry] > ids[entry] ? 0 : -1
      faults |= isBack & isPair[entry]
    }
    return faults == 0
  }

  /// True when scores descend in each cell, and ids ascend where scores are equal.
  @inlinable
  func isDescending(
    _ ids: UnsafePointer<Lane>,
    _ scores: UnsafePointer<Lane>,
    _ isPair: UnsafeBufferPointer<Lane>
  ) -> Bool {
    let (laterID, later) = (ids + 1, scores + 1)
    var faults: Lane = 0
    for entry in 0..<isPair.count {
      let isFall: Lane = scores[entry] > later[entry] ? -1 : 0
      let isTie: Lane = scores[entry] == later[entry] ? -1 : 0
      let isAhead: Lane = laterID[entry] > ids[entry] ? -1 : 0
      faults |= ~(isFall | isTie & isAhead) & isPair[entry]
    }
    return faults == 0
  }

  /// True when no two ids of a cell are equal.
  @inlinable
  func isDistinct(_ ids: UnsafePointer<Lane>) -> Bool {
    guard topK > Self.fewRanks else {
      return !CellRepeats.exist(in: ids, entries, width: MemoryLayout<Lane>.size, topK: topK)
    }
    // Those of all classes stand in their order as a rule, and a table would take ten times as long.
    if cellsAscend(ids) { return true }
    // By the low 16 bits of the ids: one bit for each.
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 1024) { table in
      table.initialize(repeating: 0)
      guard let table = table.baseAddress else { return false }
      return !hasRepeats(ids, table)
    }
  }

  /// True when the ids of each cell ascend, whatever the order of cells is.
  @inlinable
  func cellsAscend(_ ids: UnsafePointer<Lane>) -> Bool {
    for cell in stride(from: 0, to: entries, by: topK) {
      let (own, later) = (ids + cell, ids + cell + 1)
      var faults: Lane = 0
      for entry in 0..<topK &- 1 { faults |= later[entry] > own[entry] ? 0 : -1 }
      if faults != 0 { return false }
    }
    return true
  }

  @inlinable
  func hasRepeats(
    _ ids: UnsafePointer<Lane>,
    _ table: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    var hits: UInt64 = 0
    for cell in stride(from: 0, to: entries, by: topK) {
      for entry in cell..<cell &+ topK {
        let low = Int(truncatingIfNeeded: ids[entry]) & 0xFFFF
        let bit = UInt64(low & 63)
        hits |= table[low &>> 6] &>> bit & 1
        table[low &>> 6] |= 1 &<< bit
      }
      for entry in cell..<cell &+ topK {
        table[(Int(truncatingIfNeeded: ids[entry]) & 0xFFFF) &>> 6] = 0
      }
    }
    return hits != 0
  }
}
