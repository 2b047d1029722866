import Relabel

/// Reads one dataset row by row, in ascending order; holds one chunk.
struct RowCursor {
  let column: StoredColumn
  private var held: (chunk: Int, bytes: Result<[UInt8], ChunkDamage>)?

  init(_ column: StoredColumn) { self.column = column }

  /// The bytes of a row, or why they are lost.
  mutating func row(_ row: Int) -> Result<ArraySlice<UInt8>, ChunkDamage> {
    let (chunk, place) = row.quotientAndRemainder(dividingBy: column.rowsPerChunk)
    if held?.chunk != chunk { held = nil }  // before the next one takes memory
    let bytes = held?.bytes ?? column.salvaged(chunk: chunk)
    held = (chunk, bytes)
    return bytes.map { $0[place * column.rowBytes..<(place + 1) * column.rowBytes] }
  }
}

extension ShardFile {
  /// The key that a row's bytes of `image_key` hold; nil when they are not UTF-8.
  static func key(_ bytes: ArraySlice<UInt8>) -> String? {
    imageKeys(Array(bytes), width: bytes.count)[0]
  }
}
