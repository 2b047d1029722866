internal import HDF5
internal import Relabel

/// Writes an optional dataset row by row, a chunk whenever one is full.
///
/// Holds one chunk. Use from one thread at a time.
final class ColumnWriter {
  private var dataset: Dataset?
  private let codec: ChunkCodec
  private let shape: [Int]
  private let perChunk: Int
  private let fill: [UInt8]
  private var rows = 0
  private var pending: [[UInt8]] = []

  init(_ dataset: consuming Dataset, _ description: DatasetDescription) {
    self.dataset = consume dataset
    codec = ChunkCodec(description)
    shape = description.shape
    perChunk = description.chunk[0]
    fill = Layout.fillValue(description.type)
  }

  /// Appends the bytes of one row.
  func append(_ row: [UInt8]) throws(HDF5Error) {
    pending.append(row)
    if pending.count == perChunk { try writePending() }
  }

  /// Writes the last chunk and closes the dataset; nothing can be appended after.
  func finish() throws(HDF5Error) {
    if !pending.isEmpty { try writePending() }
    try dataset.take()?.close()
  }

  private func writePending() throws(HDF5Error) {
    let first = rows
    rows += pending.count
    try dataset?.grow(rows: rows, of: shape)
    let offset = [first] + shape.dropFirst().map { _ in 0 }
    try dataset?.writeChunk(codec.encode(codec.padded(pending, fill)), at: offset)
    pending = []
  }
}
