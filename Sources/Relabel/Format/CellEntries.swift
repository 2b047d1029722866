/// The entries of a map while they are brought into stored order.
struct CellEntries {
  private struct Entry {
    /// What entries of a cell are ordered by, ascending.
    let key: UInt64
    let id: UInt32
    let stored: UInt32
  }

  private var entries: [Entry]

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
    entries = zip(classIndex, scores.stored).map { id, stored in
      let rank = order == .class ? 0 : ~encoding.ascending(stored)
      return Entry(key: UInt64(rank) << 32 | UInt64(id), id: id, stored: stored)
    }
    entries.withUnsafeMutableBufferPointer { entries in
      for start in stride(from: 0, to: entries.count, by: topK) {
        for place in start + 1..<start + topK {
          let entry = entries[place]
          var free = place
          while free > start, entries[free &- 1].key > entry.key {
            entries[free] = entries[free &- 1]
            free &-= 1
          }
          entries[free] = entry
        }
      }
    }
  }

  /// Little-endian class ids of `size` bytes.
  func classIndex(size: Int) -> [UInt8] { bytes(size: size) { $0.id } }

  /// Little-endian stored scores of `size` bytes.
  func score(size: Int) -> [UInt8] { bytes(size: size) { $0.stored } }

  private func bytes(size: Int, _ value: (Entry) -> UInt32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: entries.count * size) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for (place, entry) in entries.enumerated() {
        let value = value(entry)
        switch size {
        case 1: raw[place] = UInt8(truncatingIfNeeded: value)
        case 2:
          raw.storeBytes(
            of: UInt16(truncatingIfNeeded: value).littleEndian,
            toByteOffset: 2 &* place,
            as: UInt16.self
          )
        default:
          raw.storeBytes(of: value.littleEndian, toByteOffset: 4 &* place, as: UInt32.self)
        }
      }
      count = raw.count
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
