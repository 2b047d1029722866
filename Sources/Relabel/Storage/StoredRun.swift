/// Label maps side by side in a chunk that was read; a reader has looked at their cells.
///
/// Valid until the `ReadingRoom` they lie in is used again.
struct StoredRun {
  /// How many maps there are.
  let count: Int
  private let codec: MapCodec
  private let classIndex: UnsafeRawBufferPointer
  private let score: UnsafeRawBufferPointer
  private let extents: Extents

  /// The parts of their pictures that maps cover.
  enum Extents {
    case same(CropBox)
    case own([CropBox])
  }

  init(
    _ count: Int,
    _ codec: MapCodec,
    _ classIndex: UnsafeRawBufferPointer,
    _ score: UnsafeRawBufferPointer,
    _ extents: Extents
  ) {
    self.count = count
    self.codec = codec
    self.classIndex = classIndex
    self.score = score
    self.extents = extents
  }

  /// Entries of one map.
  var entries: Int { codec.shape.entries }

  /// The part of the picture that one of the maps covers.
  func extent(_ number: Int) -> CropBox {
    switch extents {
    case .same(let extent): extent
    case .own(let extents): extents[number]
    }
  }

  /// Writes the class ids to memory for those of all maps.
  func writeIDs(to ids: UnsafeMutablePointer<UInt32>) {
    guard let stored = classIndex.baseAddress else { return }
    codec.classIndex(stored, count: count * entries, into: ids)
  }

  /// The same in 2 bytes each, for maps that are stored so.
  func writeIDs(to ids: UnsafeMutablePointer<UInt16>) {
    guard let stored = classIndex.baseAddress else { return }
    codec.classIndex(stored, count: count * entries, into: ids)
  }

  /// Writes the decoded scores to memory for those of all maps.
  func writeScores(to scores: UnsafeMutablePointer<Float>) {
    guard let stored = score.baseAddress else { return }
    codec.score(stored, count: count * entries, into: scores)
  }

  /// Writes halves as they are stored, for maps that are stored so.
  func writeHalves(to scores: UnsafeMutableRawPointer) {
    guard let stored = score.baseAddress else { return }
    codec.halves(stored, count: count * entries, into: scores.assumingMemoryBound(to: UInt16.self))
  }
}

extension ShardReader {
  /// The maps of some rows side by side, of a chunk that was read into `room`.
  ///
  /// - Parameters:
  ///   - rows: of the shard, all in that chunk.
  ///   - maps: the chunk.
  ///   - room: the memory it lies in.
  ///   - looked: is set to the number, among them, of the map that was looked at last.
  /// - Returns: the maps, all of them sound.
  /// - Throws: as `map(_:of:_:)` of the first that is refused.
  func run(
    _ rows: Range<Int>,
    of maps: StoredMaps,
    _ room: ReadingRoom,
    _ looked: inout Int
  ) throws(RelabelError) -> StoredRun {
    let (ids, scores) = bytes(rows, of: maps)
    let areSound = areSound(rows.count, of: maps, scores)
    var extents = StoredRun.Extents.same(header.mapExtent)
    if !areSound || file.mapExtent != nil {
      var own: [CropBox] = []
      for row in rows {
        looked = row - rows.lowerBound
        own.append(try map(row, of: maps, room, isSound: areSound).extent)
      }
      if file.mapExtent != nil { extents = .own(own) }
    }
    return StoredRun(rows.count, codec, ids, scores, extents)
  }
}
