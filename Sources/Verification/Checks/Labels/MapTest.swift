internal import Relabel

/// A quick answer to whether a map may break a rule of cells; `CellRules` then says where.
///
/// Never calls a map sound that is not. What it doubts may be sound.
struct MapTest<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  private let topK: Int
  private let entries: Int
  private let order: CellOrder
  private let highestID: Lane
  private let scores: (lowest: Lane, highest: Lane)
  /// The rank of each entry of a map, where ranks are few.
  private let rank: [Lane]
  /// Above so many ranks, comparing all pairs costs more than a table.
  private static var fewRanks: Int { 16 }

  init(_ header: ShardHeader, _ keys: ScoreKeys<Lane>) {
    let topK = header.shape.topK
    self.topK = topK
    entries = header.shape.entries
    order = header.cellOrder
    highestID = LabelIDs.key(UInt32(clamping: header.numClasses - 1))
    scores = keys.sound
    rank = (0..<header.shape.entries).map {
      Lane(truncatingIfNeeded: min($0 % topK, Self.fewRanks))
    }
  }

  /// True when ids and scores are in range, ids distinct in each cell, and cells in order.
  ///
  /// - Parameters:
  ///   - ids: the keys of a map's ids.
  ///   - scores: the keys of its scores.
  ///   - range: their lowest and highest.
  ///   - table: 1,024 words, all zero before and after.
  /// - Returns: false where a closer look is needed.
  func isSound(
    _ ids: UnsafePointer<Lane>,
    _ scores: UnsafePointer<Lane>,
    _ range: (lowest: Lane, highest: Lane),
    _ table: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    guard range.lowest >= self.scores.lowest, range.highest <= self.scores.highest,
      Self.highest(ids, entries) <= highestID
    else { return false }
    guard topK > 1 else { return true }
    return rank.withUnsafeBufferPointer { buffer in
      guard let rank = buffer.baseAddress else { return true }
      switch order {
      case .class: return isAscending(ids, rank)
      case .score:
        return isDescending(ids, scores, rank)
          && (topK <= Self.fewRanks ? isDistinct(ids, rank) : isDistinct(ids, table))
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

  private static func highest(_ keys: UnsafePointer<Lane>, _ count: Int) -> Lane {
    var highest = Lane.min
    for entry in 0..<count { highest = max(highest, keys[entry]) }
    return highest
  }

  /// True when ids ascend in each cell, so that none occurs twice.
  private func isAscending(_ ids: UnsafePointer<Lane>, _ rank: UnsafePointer<Lane>) -> Bool {
    let (later, laterRank) = (ids + 1, rank + 1)
    var faults: Lane = 0
    for entry in 0..<entries &- 1 {
      let isBack: Lane = later[entry] <= ids[entry] ? 1 : 0
      let isPair: Lane = laterRank[entry] >= 1 ? 1 : 0
      faults |= isBack & isPair
    }
    return faults == 0
  }

  /// True when scores descend in each cell, ids ascend where scores are equal, and neighbours have
  /// different ids.
  private func isDescending(
    _ ids: UnsafePointer<Lane>,
    _ scores: UnsafePointer<Lane>,
    _ rank: UnsafePointer<Lane>
  ) -> Bool {
    let (laterID, later, laterRank) = (ids + 1, scores + 1, rank + 1)
    var faults: Lane = 0
    for entry in 0..<entries &- 1 {
      let isRise: Lane = later[entry] > scores[entry] ? 1 : 0
      let isTie: Lane = later[entry] == scores[entry] ? 1 : 0
      let isBack: Lane = laterID[entry] <= ids[entry] ? 1 : 0
      let isSame: Lane = laterID[entry] == ids[entry] ? 1 : 0
      let isPair: Lane = laterRank[entry] >= 1 ? 1 : 0
      faults |= (isRise | isTie & isBack | isSame) & isPair
    }
    return faults == 0
  }

  /// True when no two ids of a cell are equal, by comparing all pairs but neighbours.
  private func isDistinct(_ ids: UnsafePointer<Lane>, _ rank: UnsafePointer<Lane>) -> Bool {
    for distance in 2..<max(topK, 2) {
      // Only pairs of one cell count: the later rank is at least their distance.
      let first = Lane(truncatingIfNeeded: distance)
      let (later, laterRank) = (ids + distance, rank + distance)
      var faults: Lane = 0
      for entry in 0..<entries &- distance {
        let isEqual: Lane = later[entry] == ids[entry] ? 1 : 0
        let isPair: Lane = laterRank[entry] >= first ? 1 : 0
        faults |= isEqual & isPair
      }
      if faults != 0 { return false }
    }
    return true
  }

  /// True when no two ids of a cell are equal, by a table of their low 16 bits.
  private func isDistinct(
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
    return hits == 0
  }
}
