package import HDF5

/// One dataset of a shard, read by whole chunks of rows.
///
/// Callable from any thread: the HDF5 lock covers the raw read, decoding runs outside it.
package final class StoredColumn: @unchecked Sendable {
  // Unchecked: the dataset is only used under the HDF5 lock; the rest never changes.
  private let dataset: Dataset
  private let codec: ChunkCodec
  package let description: DatasetDescription

  init(_ dataset: consuming Dataset, _ description: DatasetDescription) {
    self.dataset = dataset
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
  /// - Throws: when the HDF5 library can't find or read the chunk.
  package func chunk(_ chunk: Int) throws(HDF5Error) -> Result<[UInt8], ChunkFault> {
    var offset = [Int](repeating: 0, count: description.shape.count)
    offset[0] = chunk * rowsPerChunk
    switch try dataset.readChunk(at: offset, limit: codec.largestStored) {
    case .missing: return .failure(.missing)
    case .oversized(let bytes): return .failure(.tooLong(bytes: bytes))
    case .stored(let bytes, let skipped):
      do {
        return .success(try codec.decode(bytes, skipped: skipped))
      } catch {
        return .failure(error)
      }
    }
  }

  /// Stored bytes of a chunk, 0 when it was never written.
  package func storedBytes(ofChunk chunk: Int) throws(HDF5Error) -> Int {
    var offset = [Int](repeating: 0, count: description.shape.count)
    offset[0] = chunk * rowsPerChunk
    return try dataset.storedBytes(at: offset)
  }
}
