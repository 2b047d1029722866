/// A quick answer to whether a map keeps the rules that every reader looks at; `CellRules` then says
/// where it does not.
package struct SoundMap: Sendable {
  private let highestClass: UInt32
  private let topK: Int
  /// The highest bit for each entry of a cell with an odd number.
  private let parity: [UInt32]
  /// Above so many ranks, comparing all pairs of a cell costs more than sorting them.
  private static let fewRanks = 16

  package init(_ header: ShardHeader) {
    highestClass = UInt32(clamping: header.numClasses - 1)
    topK = header.shape.topK
    parity = (0..<header.shape.entries).map { $0 / header.shape.topK % 2 == 0 ? 0 : 1 << 31 }
  }

  /// True when class ids are in range and distinct in each cell, and scores finite.
  ///
  /// - Complexity: O(cells · k²) in vector instructions for small k, else O(cells · k · log k).
  package func contains(_ map: LabelMap) -> Bool {
    // Keys need a bit that ids leave free.
    guard topK <= Self.fewRanks, highestClass >> 31 == 0 else {
      return map.classIndex.allSatisfy { $0 <= highestClass }
        && map.score.allSatisfy(\.isFinite) && areDistinct(map.classIndex)
    }
    let entries = parity.count
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: entries) { keys in
      guard let keys = keys.baseAddress else { return true }
      return areSound(map, keys)
        && !CellRepeats.exist(in: keys, entries, width: 4, topK: topK)
    }
  }

  /// True when all ids are in range and all scores finite; makes the keys of the ids.
  ///
  /// A loop without branches or traps inside, which the compiler turns into vector instructions: sound
  /// maps have nothing to stop for.
  private func areSound(_ map: LabelMap, _ keys: UnsafeMutablePointer<UInt32>) -> Bool {
    let limit = highestClass
    return map.classIndex.withUnsafeBufferPointer { ids in
      map.score.withUnsafeBufferPointer { scores in
        parity.withUnsafeBufferPointer { parity in
          var faults: UInt32 = 0
          for entry in 0..<parity.count {
            let id = ids[entry]
            // The highest bit of an id that has it, or of what is left below the highest class.
            faults |= (id | (limit &- id)) & 1 << 31
            // All exponent bits set, and only then, carry into the highest bit.
            faults |= ((scores[entry].bitPattern & 0x7F80_0000) &+ 0x0080_0000) & 1 << 31
            keys[entry] = id ^ parity[entry]
          }
          return faults == 0
        }
      }
    }
  }

  private func areDistinct(_ classIndex: [UInt32]) -> Bool {
    stride(from: 0, to: classIndex.count, by: topK).allSatisfy { start in
      let ids = classIndex[start..<start + topK].sorted()
      return zip(ids, ids.dropFirst()).allSatisfy { $0 != $1 }
    }
  }
}
