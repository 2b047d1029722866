import Synchronization

/// Image keys and image indexes of a shard, read a chunk at a time and never all held.
///
/// Callable from any thread.
final class ShardIdentities: Sendable {
  private struct Chunk {
    let number: Int
    let bytes: [UInt8]
  }

  private let file: ShardFile
  // Neither lock is held while a chunk is read: a training program may fork then.
  private let keyChunk = Mutex<Chunk?>(nil)
  private let indexChunk = Mutex<Chunk?>(nil)

  init(_ file: ShardFile) { self.file = file }

  /// The key of a row.
  ///
  /// - Throws: rule V010 for a key that is no path within a folder; what a damaged chunk breaks.
  func key(at row: Int) throws(RelabelError) -> String {
    let bytes = try keyBytes(at: row)
    guard let key = String(exactly: bytes) else {
      throw invalidKey(bytes, "it is not valid UTF-8", row)
    }
    if let fault = ImageKey.fault(key) { throw invalidKey(bytes, fault, row) }
    return key
  }

  /// The index of a row.
  ///
  /// - Throws: rule V009 for a negative one; what a damaged chunk breaks.
  func imageIndex(at row: Int) throws(RelabelError) -> Int64 {
    let column = file.imageIndex
    let bytes = try chunk(of: row, column, Layout.imageIndex, held: indexChunk)
    let index = bytes.withUnsafeBytes {
      let offset = row % column.rowsPerChunk * 8
      return Int64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }
    guard index >= 0 else {
      throw RelabelError(
        .v009,
        "the image index is \(index), not a place counted from 0",
        at: Location(file: file.path, dataset: Layout.imageIndex, row: row)
      )
    }
    return index
  }

  /// Adds all keys to a table, in row order.
  func addKeys(to table: inout RowTable) throws(RelabelError) {
    for row in 0..<file.rows {
      let key = try keyBytes(at: row)
      guard key.isText else { throw invalidKey(key, "it is not valid UTF-8", row) }
      table.append(key.withUnsafeBytes(RowTable.digest))
    }
  }

  /// Adds all indexes to a table, in row order.
  func addImageIndexes(to table: inout RowTable) throws(RelabelError) {
    for row in 0..<file.rows { table.append(UInt64(bitPattern: try imageIndex(at: row))) }
  }

  /// The bytes of a key, without what pads it.
  private func keyBytes(at row: Int) throws(RelabelError) -> ArraySlice<UInt8> {
    let (column, width) = (file.imageKey, file.header.keyBytes)
    let bytes = try chunk(of: row, column, Layout.imageKey, held: keyChunk)
    let start = row % column.rowsPerChunk * width
    return bytes[start..<start + width].unpadded
  }

  private func chunk(
    of row: Int,
    _ column: StoredColumn,
    _ name: String,
    held: borrowing Mutex<Chunk?>
  ) throws(RelabelError) -> [UInt8] {
    let number = row / column.rowsPerChunk
    if let chunk = held.withLock({ $0 }), chunk.number == number { return chunk.bytes }
    let bytes: [UInt8]
    do {
      bytes = try file.bytes(of: column, named: name, number)
    } catch {
      // What looks like damage may be another state of the file.
      try file.checkNotOverwritten()
      throw error
    }
    try file.checkNotOverwritten()
    held.withLock { $0 = Chunk(number: number, bytes: bytes) }
    return bytes
  }

  private func invalidKey(_ key: ArraySlice<UInt8>, _ fault: String, _ row: Int) -> RelabelError {
    let shown = String(decoding: key, as: UTF8.self)
    return RelabelError(
      .v010,
      "the key '\(shown)' is not a path within a folder: \(fault)",
      at: Location(file: file.path, dataset: Layout.imageKey, row: row)
    )
  }
}
