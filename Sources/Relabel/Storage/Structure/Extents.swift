/// What a stretch of a shard is used for.
package enum Part: UInt8, Sendable {
  case superblock, header, headerContinuation
  case indexHeader, indexBlock, indexSuperBlock, indexDataBlock
  case chunk
  /// Outside the profile; never an extent.
  case foreign

  /// As in "the object header at byte 48".
  var words: String {
    switch self {
    case .superblock: "superblock"
    case .header: "object header"
    case .headerContinuation: "continuation of an object header"
    case .indexHeader: "header of a chunk index"
    case .indexBlock: "index block of a chunk index"
    case .indexSuperBlock: "super block of a chunk index"
    case .indexDataBlock: "data block of a chunk index"
    case .chunk: "stored chunk"
    case .foreign: "heap or tree"
    }
  }
}

/// A stretch of the file and the part that owns it; 16 bytes, since every chunk has one.
package struct Extent: Hashable, Sendable {
  package let start: UInt64
  /// Clamped: a longer chunk is refused for its length anyway.
  package let length: UInt32
  package let part: Part
  /// The number of the object it belongs to, in the order of discovery; the root group is 0.
  package let object: UInt16

  package var end: UInt64 { start + UInt64(length) }
}

/// The stretches of a file that its structure and its chunks own.
struct Extents {
  private(set) var all: [Extent] = []
  let fileBytes: UInt64
  private var ownedBytes: UInt64 = 0

  init(fileBytes: UInt64) { self.fileBytes = fileBytes }

  /// True when more is owned than there is: two extents share bytes, and a walk that goes on could
  /// be led over the same blocks for ever.
  var isExhausted: Bool { ownedBytes > fileBytes }

  /// Adds a stretch that lies within the file.
  mutating func add(_ part: Part, of object: Int, at start: UInt64, count: UInt64) {
    guard count > 0 else { return }
    let length = UInt32(clamping: count)
    let object = UInt16(clamping: object)
    all.append(Extent(start: start, length: length, part: part, object: object))
    ownedBytes += UInt64(length)
  }

  /// The stretches in the order of the file.
  ///
  /// - Complexity: O(n log n).
  func inOrder() -> [Extent] {
    // Mostly two runs, of ids and of scores, that have to be woven into one.
    all.sorted { $0.start < $1.start || $0.start == $1.start && $0.length < $1.length }
  }

  /// Pairs of extents that share bytes, each extent with the one before it that reaches farthest.
  ///
  /// - Parameters:
  ///   - extents: in the order of the file.
  ///   - limit: the most pairs to return.
  /// - Returns: the pairs, in the order of the file.
  /// - Complexity: O(n).
  static func overlaps(_ extents: [Extent], limit: Int) -> [(Extent, Extent)] {
    var pairs: [(Extent, Extent)] = []
    var (farthest, end): (Int, UInt64) = (0, 0)
    for (place, extent) in extents.enumerated() {
      if extent.start < end { pairs.append((extents[farthest], extent)) }
      if pairs.count == limit { break }
      if extent.end > end { (farthest, end) = (place, extent.end) }
    }
    return pairs
  }

  /// Stretches that nothing owns, in order.
  ///
  /// - Parameter extents: all of them in the order of the file.
  /// - Returns: the stretches between them, and behind the last.
  func gaps(between extents: [Extent]) -> [Range<UInt64>] {
    var gaps: [Range<UInt64>] = []
    var end: UInt64 = 0
    for extent in extents {
      if extent.start > end { gaps.append(end..<extent.start) }
      end = max(end, extent.end)
    }
    return end < fileBytes ? gaps + [end..<fileBytes] : gaps
  }
}
