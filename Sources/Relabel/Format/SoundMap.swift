/// A quick answer to whether a map keeps the rules that every reader looks at; `CellRules` then says
/// where it does not.
struct SoundMap: Sendable {
  private let highestClass: UInt32
  private let topK: Int
  /// The rank of each entry of a map.
  private let rank: [Int32]

  init(_ header: ShardHeader) {
    highestClass = UInt32(clamping: header.numClasses - 1)
    topK = header.shape.topK
    rank = (0..<header.shape.entries).map { Int32($0 % header.shape.topK) }
  }

  /// True when class ids are in range and distinct in each cell, and scores finite.
  ///
  /// - Complexity: O(cells · k²) in vector instructions for small k, else O(cells · k · log k).
  func contains(_ map: LabelMap) -> Bool {
    areInRange(map.classIndex) && areFinite(map.score) && areDistinct(map.classIndex)
  }

  // Loops without branches or traps inside, which the compiler turns into vector instructions:
  // sound maps have nothing to stop for.

  private func areInRange(_ classIndex: [UInt32]) -> Bool {
    // Signed comparison is the only one that the plainest vector instructions have.
    let limit = Int32(truncatingIfNeeded: highestClass &- 0x8000_0000)
    return classIndex.withUnsafeBufferPointer { ids in
      var exceeding: Int32 = 0
      for id in ids { exceeding |= Int32(truncatingIfNeeded: id &- 0x8000_0000) > limit ? 1 : 0 }
      return exceeding == 0
    }
  }

  private func areFinite(_ score: [Float]) -> Bool {
    score.withUnsafeBufferPointer { scores in
      var infinite: UInt32 = 0
      for value in scores { infinite |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0 }
      return infinite == 0
    }
  }

  private func areDistinct(_ classIndex: [UInt32]) -> Bool {
    guard topK <= 16 else {
      return stride(from: 0, to: classIndex.count, by: topK).allSatisfy { start in
        let ids = classIndex[start..<start + topK].sorted()
        return zip(ids, ids.dropFirst()).allSatisfy { $0 != $1 }
      }
    }
    return classIndex.withUnsafeBufferPointer { ids in
      rank.withUnsafeBufferPointer { rank in
        guard let ids = ids.baseAddress, let rank = rank.baseAddress else { return true }
        return (1..<max(topK, 1)).allSatisfy { distance in
          // Only pairs of one cell count: the later rank is at least their distance.
          let first = Int32(truncatingIfNeeded: distance)
          let (later, laterRank) = (ids + distance, rank + distance)
          var equal: Int32 = 0
          for entry in 0..<max(classIndex.count &- distance, 0) {
            let isEqual: Int32 = later[entry] == ids[entry] ? 1 : 0
            let isPair: Int32 = laterRank[entry] >= first ? 1 : 0
            equal |= isEqual & isPair
          }
          return equal == 0
        }
      }
    }
  }
}
