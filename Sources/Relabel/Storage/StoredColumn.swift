import Glibc
package import HDF5

/// One dataset of a shard, read by whole chunks of rows.
///
/// Callable from any thread: chunks are read at their places in the file. Only those of files whose
/// structure is not sound are asked of the HDF5 library, under its lock.
package final class StoredColumn: @unchecked Sendable {
  // Unchecked: a dataset is only used under the HDF5 lock; the rest never changes.
  private enum Source: ~Copyable {
    case bytes(any ByteSource, ChunkTable)
    case library(Dataset)
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

  /// Reads through the HDF5 library.
  init(_ dataset: consuming Dataset, _ description: DatasetDescription) {
    source = .library(dataset)
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
  package func chunk(_ chunk: Int) throws(HDF5Error) -> Result<[UInt8], ChunkFault> {
    switch source {
    case .bytes(let bytes, let chunks):
      guard let place = chunks[chunk] else { return .failure(.missing) }
      guard place.byteCount <= codec.largestStored else {
        return .failure(.tooLong(bytes: place.byteCount))
      }
      return try reading { () throws(RelabelError) in
        try bytes.withBytes(at: place.start, count: place.byteCount) {
          decoded($0, skipped: place.skippedFilters)
        }
      }
    case .library(let dataset):
      switch try dataset.readChunk(at: offset(chunk), limit: codec.largestStored) {
      case .missing: return .failure(.missing)
      case .oversized(let bytes): return .failure(.tooLong(bytes: bytes))
      case .stored(let bytes, let skipped):
        return bytes.withUnsafeBytes { decoded($0, skipped: skipped) }
      }
    }
  }

  /// Stored bytes of a chunk, 0 when it was never written.
  package func storedBytes(ofChunk chunk: Int) throws(HDF5Error) -> Int {
    switch source {
    case .bytes(_, let chunks): chunks[chunk]?.byteCount ?? 0
    case .library(let dataset): try dataset.storedBytes(at: offset(chunk))
    }
  }

  private func decoded(
    _ stored: UnsafeRawBufferPointer,
    skipped: UInt32
  ) -> Result<[UInt8], ChunkFault> {
    Result { () throws(ChunkFault) in try codec.decode(stored, skipped: skipped) }
  }

  /// Runs `body`; a refusal of the system becomes one of the file.
  private func reading<Value>(
    _ body: () throws(RelabelError) -> Value
  ) throws(HDF5Error) -> Value {
    do {
      return try body()
    } catch {
      throw HDF5Error(call: "pread", object: error.location.file, systemError: EIO, error.message)
    }
  }

  /// The first element of a chunk.
  private func offset(_ chunk: Int) -> [Int] {
    var offset = [Int](repeating: 0, count: description.shape.count)
    offset[0] = chunk * rowsPerChunk
    return offset
  }
}
