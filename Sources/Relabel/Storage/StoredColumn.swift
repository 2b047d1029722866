/// Where the stored chunks of one dataset come from.
package protocol ChunkStore: Sendable {
  /// A chunk as stored; one of more than `limit` bytes is not read.
  ///
  /// - Throws: when the chunk can't be found or read.
  func chunk(_ number: Int, limit: Int) throws(RelabelError) -> RawChunk
  /// Stored bytes of a chunk, 0 when it was never written.
  ///
  /// - Throws: when the chunk can't be found.
  func storedBytes(ofChunk number: Int) throws(RelabelError) -> Int
}

/// One dataset of a shard, read by whole chunks of rows.
///
/// Callable from any thread: chunks are read at their places in the file.
package final class StoredColumn: Sendable {
  private enum Source {
    case bytes(any ByteSource, ChunkTable)
    case store(any ChunkStore)
  }

  private let source: Source
  private let codec: ChunkCodec
  package let description: DatasetDescription

  /// Reads from the bytes of the file.
  init(_ bytes: any ByteSource, _ chunks: ChunkTable, _ description: DatasetDescription) {
    source = .bytes(bytes, chunks)
    self.description = description
    codec = ChunkCodec(description)
  }

  /// Reads what somebody else finds, where the structure of the file is not sound.
  init(_ store: any ChunkStore, _ description: DatasetDescription) {
    source = .store(store)
    self.description = description
    codec = ChunkCodec(description)
  }

  /// Rows of the dataset.
  package var rows: Int { description.shape[0] }
  /// Rows of one chunk.
  package var rowsPerChunk: Int { description.chunk[0] }
  /// Chunks that hold the rows.
  package var chunks: Int { (rows + rowsPerChunk - 1) / rowsPerChunk }
  /// Bytes of one row, decoded.
  package var rowBytes: Int { codec.rawBytes / rowsPerChunk }

  /// The decoded bytes of a chunk, padding rows included.
  ///
  /// - Returns: the bytes, or why the chunk can't be decoded.
  /// - Throws: when the chunk can't be found or read.
  package func chunk(_ chunk: Int) throws(RelabelError) -> Result<[UInt8], ChunkFault> {
    switch source {
    case .bytes(let bytes, let chunks):
      guard let place = chunks[chunk] else { return .failure(.missing) }
      guard place.byteCount <= codec.largestStored else {
        return .failure(.tooLong(bytes: place.byteCount))
      }
      return try bytes.withBytes(at: place.start, count: place.byteCount) {
        decoded($0, skipped: place.skippedFilters)
      }
    case .store(let store):
      switch try store.chunk(chunk, limit: codec.largestStored) {
      case .missing: return .failure(.missing)
      case .oversized(let bytes): return .failure(.tooLong(bytes: bytes))
      case .stored(let bytes, let skipped):
        return bytes.withUnsafeBytes { decoded($0, skipped: skipped) }
      }
    }
  }

  /// Stored bytes of a chunk, 0 when it was never written.
  package func storedBytes(ofChunk chunk: Int) throws(RelabelError) -> Int {
    switch source {
    case .bytes(_, let chunks): chunks[chunk]?.byteCount ?? 0
    case .store(let store): try store.storedBytes(ofChunk: chunk)
    }
  }

  private func decoded(
    _ stored: UnsafeRawBufferPointer,
    skipped: UInt32
  ) -> Result<[UInt8], ChunkFault> {
    Result { () throws(ChunkFault) in try codec.decode(stored, skipped: skipped) }
  }
}
