/// The part of `CellKernel` that compares the keys of a map with each other.
struct MapTest<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  private let topK: Int
  private let entries: Int
  private let order: CellOrder?
  private let scores: (lowest: Lane, highest: Lane)
  /// All ones for entries that are of one cell with the next one, else 0.
  private let isPair: [Lane]
  /// Above so many ranks, comparing all pairs costs more than a table.
  private static var fewRanks: Int { 16 }

  /// True where ids are looked up in a table.
  let needsTable: Bool

  /// Makes the test of maps whose scores are `sound` and whose entries may come in any order without one.
  init(_ shape: MapShape, _ order: CellOrder?, _ sound: (lowest: Lane, highest: Lane)) {
    let topK = shape.topK
    self.topK = topK
    self.order = order
    entries = shape.entries
    scores = sound
    needsTable = order != .class && topK > Self.fewRanks
    isPair = (1..<max(shape.entries, 1)).map { $0 % topK == 0 ? 0 : -1 }
  }

  /// True when scores are in range, ids distinct in each cell, and cells in order.
  ///
  /// - Parameters:
  ///   - ids: the keys of a map's ids, all in range.
  ///   - scores: the keys of its scores.
  ///   - range: their lowest and highest.
  ///   - table: 1,024 words, all zero before and after; nil where `needsTable` is false.
  /// - Returns: false where a closer look is needed.
  func isSound(
    _ ids: UnsafePointer<Lane>,
    _ scores: UnsafePointer<Lane>,
    _ range: (lowest: Lane, highest: Lane),
    _ table: UnsafeMutablePointer<UInt64>?
  ) -> Bool {
    guard range.lowest >= self.scores.lowest, range.highest <= self.scores.highest else {
      return false
    }
    guard topK > 1 else { return true }
    return isPair.withUnsafeBufferPointer { isPair in
      switch order {
      case .class: return isAscending(ids, isPair)
      case .score: return isDescending(ids, scores, isPair) && isDistinct(ids, table)
      case nil: return isDistinct(ids, table)
      }
    }
  }

  // Loops without branches or traps inside, which the compiler turns into vector instructions:
  // sound maps have nothing to stop for.

  /// Lowest and highest of `count` keys, of which there is at least one.
  static func range(_ keys: UnsafePointer<Lane>, _ count: Int) -> (lowest: Lane, highest: Lane) {
    var (lowest, highest) = (keys[0], keys[0])
    for entry in 1..<max(count, 1) {
      lowest = min(lowest, keys[entry])
      highest = max(highest, keys[entry])
    }
    return (lowest, highest)
  }

  /// True when ids ascend in each cell, so that none occurs twice.
  private func isAscending(
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
  private func isDescending(
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
  private func isDistinct(
    _ ids: UnsafePointer<Lane>,
    _ table: UnsafeMutablePointer<UInt64>?
  ) -> Bool {
    guard needsTable else {
      return !CellRepeats.exist(in: ids, entries, width: MemoryLayout<Lane>.size, topK: topK)
    }
    guard let table else { return false }
    // By the low 16 bits of the ids.
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
    return hits == 0
  }
}
