/// A label map as it lies in a chunk that was read; a reader has looked at its cells.
///
/// Valid until the `ReadingRoom` it lies in is used again.
struct StoredMap {
  /// The part of the picture that the map covers.
  let extent: CropBox
  private let shard: ShardReader
  private let classIndex: UnsafeRawBufferPointer
  private let score: UnsafeRawBufferPointer
  private let factors: FactorTable?

  init(
    _ shard: ShardReader,
    _ classIndex: UnsafeRawBufferPointer,
    _ score: UnsafeRawBufferPointer,
    _ extent: CropBox,
    _ factors: FactorTable?
  ) {
    self.factors = factors
    self.shard = shard
    self.classIndex = classIndex
    self.score = score
    self.extent = extent
  }

  /// Grid and top-k.
  var shape: MapShape { shard.codec.shape }

  /// Copies what the factors say of classes to the `place`th map of `memory`.
  func writeFactors(_ place: Int, to memory: FactorMemory) {
    guard let factors else { return }
    let (count, numbers) = (shape.topK, shape.topK * factors.numClasses)
    (memory.numbers + place * numbers).update(from: factors.numbers, count: numbers)
    (memory.scale + place * count).update(from: factors.scale, count: count)
  }

  /// A map of its own.
  var decoded: LabelMap {
    shard.codec.map(
      Array(classIndex)[...],
      Array(score)[...],
      extent,
      factors: factors.map { ClassFactors($0, count: shape.topK) }
    )
  }

  /// Writes the class ids to memory for `shape.entries`.
  func writeIDs(to ids: UnsafeMutablePointer<UInt32>) {
    guard let stored = classIndex.baseAddress else { return }
    shard.codec.classIndex(stored, count: shape.entries, into: ids)
  }

  /// The same in 2 bytes each, for maps that are stored so.
  func writeIDs(to ids: UnsafeMutablePointer<UInt16>) {
    guard let stored = classIndex.baseAddress else { return }
    shard.codec.classIndex(stored, count: shape.entries, into: ids)
  }

  /// Writes the scores to memory for `shape.entries`.
  func writeScores(to scores: UnsafeMutablePointer<Float>) {
    guard let stored = score.baseAddress else { return }
    shard.codec.score(stored, count: shape.entries, into: scores)
  }

  /// The entries for pooling, decoded to `room`.
  func entries(in room: EntryRoom) -> MapEntries<UInt32> {
    precondition(shape.entries <= room.count)
    writeIDs(to: room.classIndex)
    writeScores(to: room.score)
    return MapEntries(
      shape: shape,
      classIndex: UnsafePointer(room.classIndex),
      score: UnsafePointer(room.score),
      check: .none,
      factors: factors
    )
  }
}

/// Memory of one thread for the decoded entries of a map.
final class EntryRoom {
  let count: Int
  let classIndex: UnsafeMutablePointer<UInt32>
  let score: UnsafeMutablePointer<Float>

  /// Memory for `count` entries.
  init(_ count: Int) {
    self.count = count
    classIndex = .allocate(capacity: count)
    score = .allocate(capacity: count)
  }

  deinit {
    classIndex.deallocate()
    score.deallocate()
  }
}

/// Memory of one thread while it reads maps, used again for each chunk.
///
/// Not thread-safe.
final class ReadingRoom {
  /// For what factors say of classes, chunk by chunk with the labels.
  let classFactors = ChunkRoom()
  let scales = HeldChunk()
  let ids = ChunkRoom()
  let scores = ChunkRoom()
  let extents = HeldChunk()
}

/// The chunk of a column that was read last: many chunks of maps share one of it.
///
/// Not thread-safe.
final class HeldChunk {
  private let room = ChunkRoom()
  private var held: (file: ShardFile, chunk: Int, bytes: UnsafeRawBufferPointer)?

  /// The bytes of a row, valid until a row of another chunk is asked for.
  ///
  /// - Throws: `.corrupt` for a damaged chunk.
  func row(
    _ row: Int,
    of column: StoredColumn,
    named name: String,
    _ file: ShardFile
  ) throws(RelabelError) -> UnsafeRawBufferPointer {
    let chunk = row / column.rowsPerChunk
    let bytes: UnsafeRawBufferPointer
    if let held, held.file === file, held.chunk == chunk {
      bytes = held.bytes
    } else {
      held = nil
      bytes = try file.bytes(of: column, named: name, chunk, in: room)
      held = (file, chunk, bytes)
    }
    let first = row % column.rowsPerChunk * column.rowBytes
    return UnsafeRawBufferPointer(rebasing: bytes[first..<first + column.rowBytes])
  }
}

extension ClassFactors {
  /// A copy of stored factors.
  init(_ table: FactorTable, count: Int) {
    self.init(
      numClasses: table.numClasses,
      numbers: Array(UnsafeBufferPointer(start: table.numbers, count: count * table.numClasses)),
      scale: Array(UnsafeBufferPointer(start: table.scale, count: count))
    )
  }
}

/// Memory of a caller for class factors and scales of several maps.
package struct FactorMemory: @unchecked Sendable {
  // Unchecked: every place is written by the one thread that has its image.
  let numbers: UnsafeMutablePointer<UInt8>
  let scale: UnsafeMutablePointer<Float>

  package init(_ numbers: UnsafeMutablePointer<UInt8>, _ scale: UnsafeMutablePointer<Float>) {
    (self.numbers, self.scale) = (numbers, scale)
  }
}
