/// Where the stored chunks of one dataset lie, in 12 bytes a chunk.
package struct ChunkTable: Hashable, Sendable {
  /// A stored chunk.
  package struct Place: Hashable, Sendable {
    package let start: UInt64
    /// Clamped: a longer chunk is refused for its length anyway.
    package let byteCount: Int
    /// Bit i means that filter i was not applied.
    package let skippedFilters: UInt32
  }

  /// Nowhere for chunks that were never written.
  private var starts: [UInt64] = []
  private var byteCounts: [UInt32] = []
  /// By chunk, where it is not 0: sound files have none.
  private var skippedFilters: [Int: UInt32] = [:]

  /// False when the table was not filled to the end.
  private(set) var isWhole = true

  /// More chunks in a row than this are never left out but by a hostile file, which could make the table
  /// as large as it likes.
  private static let longestGap = 1 << 16

  /// An empty table, to be filled in the order of chunks.
  init() {}

  /// Adds a chunk behind those that are there.
  mutating func add(_ chunk: Int, _ place: Place) {
    guard isWhole, chunk - starts.count <= Self.longestGap else { return isWhole = false }
    while starts.count < chunk {
      starts.append(BlockReader.undefined)
      byteCounts.append(0)
    }
    starts.append(place.start)
    byteCounts.append(UInt32(clamping: place.byteCount))
    if place.skippedFilters != 0 { skippedFilters[chunk] = place.skippedFilters }
  }

  /// The table without memory that was set aside for more chunks.
  var compact: ChunkTable {
    var copy = self
    (copy.starts, copy.byteCounts) = (starts.compact, byteCounts.compact)
    return copy
  }

  /// The place of a chunk, or nil for one that was never written.
  package subscript(chunk: Int) -> Place? {
    guard starts.indices.contains(chunk), starts[chunk] != BlockReader.undefined else { return nil }
    return Place(
      start: starts[chunk],
      byteCount: Int(byteCounts[chunk]),
      skippedFilters: skippedFilters.isEmpty ? 0 : skippedFilters[chunk] ?? 0
    )
  }
}
