internal import Relabel

/// Reads label maps at random places, one at a time and no chunk twice: `read SHARD IMAGES` and
/// `read-mapped SHARD IMAGES`.
enum ReadWork {
  static func prepareMapped(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    try prepare(arguments, isMapped: true)
  }

  static func prepare(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    try prepare(arguments, isMapped: false)
  }

  private static func prepare(
    _ arguments: ArraySlice<String>,
    isMapped: Bool
  ) throws -> () throws -> Void {
    let maps = try openLabelMaps(arguments.first ?? "", isMapped: isMapped)
    let chunks = try maps.chunks
    // A prime stride: far apart, and each chunk once.
    let rows = (0..<min(Int(arguments.last ?? "") ?? 1, chunks.count)).map { place in
      let chunk = chunks[place * 7919 % chunks.count]
      return chunk.lowerBound + place % chunk.count
    }
    return {
      for row in rows { _ = try maps.map(at: row) }
    }
  }
}
