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
    let room = ChunkRoom()
    return try withExtendedLifetime(room) { () throws(RelabelError) in
      try self.chunk(chunk, in: room).map { Array($0) }
    }
  }

  /// The same in memory that is used again: valid until `room` is.
  func chunk(
    _ chunk: Int,
    in room: ChunkRoom
  ) throws(RelabelError) -> Result<UnsafeRawBufferPointer, ChunkFault> {
    switch source {
    case .bytes(let bytes, let chunks):
      let place: ChunkTable.Place
      switch sound(chunks[chunk]) {
      case .success(let found): place = found
      case .failure(let fault): return .failure(fault)
      }
      let count = place.byteCount
      let stored = try bytes.bytes(at: place.start, count: count, in: room.stored(count))
      return decoded(stored, skipped: place.skippedFilters, in: room)
    case .store(let store):
      switch try store.chunk(chunk, limit: codec.largestStored) {
      case .missing: return .failure(.missing)
      case .oversized(let bytes): return .failure(.tooLong(bytes: bytes))
      case .stored(let bytes, let skipped):
        let stored = room.stored(bytes.count)
        stored.copyBytes(from: bytes)
        return decoded(UnsafeRawBufferPointer(stored), skipped: skipped, in: room)
      }
    }
  }

  /// The decoded bytes of the chunks of two columns with the same number.
  typealias Pair = (
    Result<UnsafeRawBufferPointer, ChunkFault>, Result<UnsafeRawBufferPointer, ChunkFault>
  )

  /// A chunk of this column and that of another column of the file; in one read where they lie one behind
  /// the other, as writers put them.
  ///
  /// - Returns: as `chunk(_:in:)`, valid until the rooms are used again.
  /// - Throws: when a chunk can't be found or read.
  func chunk(
    _ chunk: Int,
    in room: ChunkRoom,
    with other: StoredColumn,
    in otherRoom: ChunkRoom
  ) throws(RelabelError) -> Pair {
    guard case .bytes(let bytes, let chunks) = source,
      case .bytes(_, let otherChunks) = other.source,
      case .success(let place) = sound(chunks[chunk]),
      case .success(let otherPlace) = other.sound(otherChunks[chunk]),
      place.start + UInt64(place.byteCount) == otherPlace.start
    else {
      return (try self.chunk(chunk, in: room), try other.chunk(chunk, in: otherRoom))
    }
    let count = place.byteCount + otherPlace.byteCount
    let both = try bytes.bytes(at: place.start, count: count, in: room.stored(count))
    let (mine, others) = (both[..<place.byteCount], both[place.byteCount...])
    return (
      decoded(UnsafeRawBufferPointer(rebasing: mine), skipped: place.skippedFilters, in: room),
      other.decoded(
        UnsafeRawBufferPointer(rebasing: others),
        skipped: otherPlace.skippedFilters,
        in: otherRoom
      )
    )
  }

  /// The place of a chunk, if one is stored that may be read.
  private func sound(_ place: ChunkTable.Place?) -> Result<ChunkTable.Place, ChunkFault> {
    guard let place else { return .failure(.missing) }
    guard place.byteCount <= codec.largestStored else {
      return .failure(.tooLong(bytes: place.byteCount))
    }
    return .success(place)
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
    skipped: UInt32,
    in room: ChunkRoom
  ) -> Result<UnsafeRawBufferPointer, ChunkFault> {
    Result { () throws(ChunkFault) in try codec.decode(stored, skipped: skipped, in: room) }
  }
}
