/// The entries of a map while they are brought into stored order.
struct CellEntries {
  private var ids: [UInt32]
  private var stored: [UInt32]

  /// The entries of a map in stored order (spec, section 7.2).
  ///
  /// - Complexity: O(cells · k²), O(cells · k) where they are in order already.
  init(
    _ classIndex: [UInt32],
    _ scores: StoredScores,
    _ encoding: ScoreEncoding,
    topK: Int,
    _ order: CellOrder
  ) {
    ids = classIndex
    stored = scores.stored
    switch order {
    case .source: break
    case .class: sort(topK) { id, _ in UInt64(id) }
    case .score where encoding.packing != nil:
      // Stored numbers grow with the scores.
      sort(topK) { id, stored in UInt64(~stored) << 32 | UInt64(id) }
    case .score:
      sort(topK) { id, stored in UInt64(~encoding.ascending(stored)) << 32 | UInt64(id) }
    }
  }

  /// Sorts each cell by `key`, ascending; most are in order already.
  @inline(__always)
  private mutating func sort(_ topK: Int, by key: (_ id: UInt32, _ stored: UInt32) -> UInt64) {
    ids.withUnsafeMutableBufferPointer { ids in
      stored.withUnsafeMutableBufferPointer { stored in
        for start in stride(from: 0, to: ids.count, by: topK) {
          var last = key(ids[start], stored[start])
          for place in start &+ 1..<start &+ topK {
            let (id, score) = (ids[place], stored[place])
            let own = key(id, score)
            if last < own {
              last = own
              continue
            }
            // `last` stays: it moves to this place.
            var free = place
            while free > start, key(ids[free &- 1], stored[free &- 1]) > own {
              (ids[free], stored[free]) = (ids[free &- 1], stored[free &- 1])
              free &-= 1
            }
            (ids[free], stored[free]) = (id, score)
          }
        }
      }
    }
  }

  /// Little-endian class ids of `size` bytes.
  func classIndex(size: Int) -> [UInt8] { Self.bytes(ids, size: size) }

  /// Little-endian stored scores of `size` bytes.
  func score(size: Int) -> [UInt8] { Self.bytes(stored, size: size) }

  private static func bytes(_ values: [UInt32], size: Int) -> [UInt8] {
    switch size {
    case 1: bytes(values, as: UInt8.self)
    case 2: bytes(values, as: UInt16.self)
    default: bytes(values, as: UInt32.self)
    }
  }

  private static func bytes<Stored: FixedWidthInteger>(
    _ values: [UInt32],
    as type: Stored.Type
  ) -> [UInt8] {
    let size = MemoryLayout<Stored>.size
    return [UInt8](unsafeUninitializedCapacity: values.count * size) { buffer, count in
      buffer.withMemoryRebound(to: Stored.self) { buffer in
        for (place, value) in values.enumerated() {
          buffer[place] = Stored(truncatingIfNeeded: value).littleEndian
        }
      }
      count = values.count * size
    }
  }
}

extension ScoreEncoding {
  /// A number that grows with the decoded score; equal scores have equal ones.
  fileprivate func ascending(_ stored: UInt32) -> UInt32 {
    if packing != nil { return stored }
    // Adding 0 makes one of the two zeros.
    let bits = (decoded(stored) + 0).bitPattern
    return bits >> 31 == 0 ? bits | 1 << 31 : ~bits
  }
}
