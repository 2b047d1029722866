import Relabel

/// The decoded labels of one chunk.
struct ChunkLabels {
  private let classIndex: [UInt8]
  private let score: [UInt8]
  private let classIndexBytes: Int
  private let scoreBytes: Int

  init(_ classIndex: [UInt8], _ score: [UInt8], of file: ShardFile) {
    self.classIndex = classIndex
    self.score = score
    (classIndexBytes, scoreBytes) = (file.classIndex.rowBytes, file.score.rowBytes)
  }

  /// The bytes of a row of `class_index`, counted from the chunk's first.
  func classIndex(ofRow row: Int) -> ArraySlice<UInt8> {
    classIndex[row * classIndexBytes..<(row + 1) * classIndexBytes]
  }

  /// The bytes of a row of `score`, counted from the chunk's first.
  func score(ofRow row: Int) -> ArraySlice<UInt8> {
    score[row * scoreBytes..<(row + 1) * scoreBytes]
  }
}

extension ShardFile {
  /// How many chunks of labels to hold at a time: some MiB.
  var chunksAtOnce: Int {
    max(1, min(256, (4 << 20) / (classIndex.rowBytes * classIndex.rowsPerChunk)))
  }

  /// The rows that a chunk of labels holds.
  func rows(ofChunk chunk: Int) -> Range<Int> {
    let first = chunk * classIndex.rowsPerChunk
    return first..<min(first + classIndex.rowsPerChunk, rows)
  }

  /// The labels of a chunk, or why they are lost.
  func labels(ofChunk chunk: Int) -> Result<ChunkLabels, RowFault> {
    switch classIndex.salvaged(chunk: chunk) {
    case .failure(let damage): return .failure(RowFault(.map, dataset: Layout.classIndex, damage))
    case .success(let ids):
      return score.salvaged(chunk: chunk)
        .map { ChunkLabels(ids, $0, of: self) }
        .mapError { RowFault(.map, dataset: Layout.score, $0) }
    }
  }
}
