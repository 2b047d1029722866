/// Reads one shard: label maps by row, by image key or by image index.
///
/// Callable from any thread; reads of sound files don't wait for each other.
public final class ShardReader: LabelMapSource {
  package let file: ShardFile
  let codec: MapCodec
  private let sound: SoundMap
  /// The same of all maps of a chunk, where each is a cell: a chunk is then like a map.
  private let soundChunk: SoundMap?
  let identities: ShardIdentities
  private let finder = ImageFinder()
  let replay = ReplayFinder()

  /// Opens a shard and checks that this library can read it.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - isMapped: reads from a mapping of the file into memory, which saves a copy of what the
  ///     system holds in memory already: of use for uncompressed shards on a local disk. A file that
  ///     becomes shorter meanwhile then ends the program.
  /// - Throws: `.io` for the file, `.unsupported` for a newer version or feature,
  ///   `.corrupt` or `.unsafeInput` naming the broken rule.
  public init(_ path: String, isMapped: Bool = false) throws(RelabelError) {
    var first: Violation?
    let file = try ShardFile.open(path, isMapped: isMapped) { first = first ?? $0 }
    if let first { throw first.error(file: path) }
    guard let file else {
      throw RelabelError(.internalFault, "refused without a reason", at: Location(file: path))
    }
    self.file = file
    identities = ShardIdentities(file)
    codec = MapCodec(file.header)
    sound = SoundMap(MapForm(file.header))
    soundChunk = Self.soundChunk(file)
  }

  /// The path the shard was opened by.
  public var path: String { file.path }
  /// What the shard says about its rows.
  public var header: ShardHeader { file.header }
  /// The file as it was when it was opened.
  package var stamp: FileStamp { file.stamp }
  /// Rows of the shard.
  public var count: Int { file.rows }
  /// The largest |decoded − given| score that the writer noted, if it did.
  public var largestError: Double? { file.largestError }
  /// How far targets of maps of factors are from those of all scores, as the writer measured it; nil where it did not.
  public var targetError: TargetError? { file.targetError }

  /// Refuses a file that is not the one that was opened, or not as it was then.
  ///
  /// To be asked when maps were read, also where that failed: what looks like damage may be another file.
  /// - Throws: `.corrupt` naming the file.
  func checkUnchanged() throws(RelabelError) { try file.checkUnchanged() }

  /// The maps of one chunk, one after the other, in memory that is used again.
  struct StoredMaps {
    fileprivate let ids: UnsafeRawBufferPointer
    fileprivate let scores: UnsafeRawBufferPointer
    fileprivate let chunk: Int
    /// What factors say of classes; nil where ids are classes.
    fileprivate let classFactors: UnsafeRawBufferPointer?
  }

  /// Reads a chunk of maps; whoever has read some asks `checkUnchanged` before he hands them out.
  ///
  /// - Throws: `.corrupt` for a damaged chunk.
  func chunk(_ chunk: Int, in room: ReadingRoom) throws(RelabelError) -> StoredMaps {
    let (ids, scores) = try file.labels(chunk, in: room.ids, room.scores)
    var factors: UnsafeRawBufferPointer?
    if let column = file.classFactor {
      factors = try file.bytes(of: column, named: Layout.classFactor, chunk, in: room.classFactors)
    }
    return StoredMaps(ids: ids, scores: scores, chunk: chunk, classFactors: factors)
  }

  /// Rows of one chunk of maps.
  var rowsPerChunk: Int { file.classIndex.rowsPerChunk }

  /// The map of a row of a chunk that was read into `room`.
  ///
  /// - Throws: `.corrupt` for cells that no reader hands out, and for an extent that is none.
  func map(
    _ row: Int,
    of maps: StoredMaps,
    _ room: ReadingRoom,
    isSound: Bool = false
  ) throws(RelabelError) -> StoredMap {
    let extent = try extent(ofRow: row, room)
    let (ids, scores) = bytes(row..<row + 1, of: maps)
    // The checksum of an uncompressed chunk misses some damage that breaks this (spec, "What
    // checksums cannot see"), so a reader looks before it hands labels to a training run.
    if !isSound, !self.isSound(ids, scores) { try refuse(ids, scores, row: row) }
    var factors: FactorTable?
    if let numbers = maps.classFactors {
      let place = row - maps.chunk * rowsPerChunk
      factors = try self.factors(ofRow: row, numbers, place: place, room)
    }
    return StoredMap(self, ids, scores, extent, factors)
  }

  /// The ids and scores of rows of a chunk.
  func bytes(
    _ rows: Range<Int>,
    of maps: StoredMaps
  ) -> (ids: UnsafeRawBufferPointer, scores: UnsafeRawBufferPointer) {
    let first = maps.chunk * rowsPerChunk
    let places = rows.lowerBound - first..<rows.upperBound - first
    return (
      Self.rows(places, of: maps.ids, bytes: file.classIndex.rowBytes),
      Self.rows(places, of: maps.scores, bytes: file.score.rowBytes)
    )
  }

  private static func rows(
    _ places: Range<Int>,
    of chunk: UnsafeRawBufferPointer,
    bytes: Int
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: chunk[places.lowerBound * bytes..<places.upperBound * bytes]
    )
  }

  /// The quick answer of `count` maps of a chunk at once; false where each has to be looked at.
  func areSound(_ count: Int, of maps: StoredMaps, _ scores: UnsafeRawBufferPointer) -> Bool {
    guard let ids = maps.ids.baseAddress, let all = maps.scores.baseAddress,
      let own = scores.baseAddress
    else { return true }
    // Nobody reads those ids from the file.
    if file.hasAllClassIDs { return sound.holds(own, entries: count * header.shape.entries) }
    guard let soundChunk, count * 2 >= rowsPerChunk else { return false }
    return soundChunk.contains(ids, all, entries: rowsPerChunk * header.shape.entries)
  }

  private static func soundChunk(_ file: ShardFile) -> SoundMap? {
    let (header, rows) = (file.header, file.classIndex.rowsPerChunk)
    guard header.shape.cells == 1, rows > 1 else { return nil }
    return SoundMap(
      MapForm(
        shape: MapShape(height: rows, width: 1, topK: header.shape.topK),
        numClasses: header.numClasses,
        hasWideIDs: header.classIndexType == .uint32,
        encoding: header.encoding
      )
    )
  }

  /// The quick answer, which doubts some maps that are sound.
  private func isSound(_ ids: UnsafeRawBufferPointer, _ scores: UnsafeRawBufferPointer) -> Bool {
    guard let ids = ids.baseAddress, let scores = scores.baseAddress else { return true }
    let entries = file.header.shape.entries
    if file.hasAllClassIDs { return sound.holds(scores, entries: entries) }
    return sound.contains(ids, scores, entries: entries)
  }

  /// Throws the first fault of a row for which a reader refuses it, if there is one.
  private func refuse(
    _ ids: UnsafeRawBufferPointer,
    _ scores: UnsafeRawBufferPointer,
    row: Int
  ) throws(RelabelError) {
    let inspection = CellInspection(header)
    let fault = inspection.firstFault(Array(ids)[...], Array(scores)[...], of: .forReaders)
    guard let (cell, kind) = fault else { return }
    let place = Location(
      file: path,
      dataset: kind.dataset,
      key: keyIfReadable(row),
      row: row,
      cell: cell.place
    )
    throw RelabelError(kind.rule, cell.message(kind.fault), at: place)
  }

  /// The key for a message about its labels, or nil where it can't be read either.
  private func keyIfReadable(_ row: Int) -> String? {
    do {
      return try identities.key(at: row)
    } catch {
      return nil
    }
  }

  /// The fill value of `map_extent` (spec, section 3.7).
  private static let unwrittenExtent: UInt32 = 0x7FC0_0000

  /// The part of the picture that a row's map covers (spec, section 8.5).
  private func extent(ofRow row: Int, _ room: ReadingRoom) throws(RelabelError) -> CropBox {
    guard let column = file.mapExtent else { return header.mapExtent }
    let bytes = try room.extents.row(row, of: column, named: Layout.mapExtent, file)
    let sides = (0..<4).map { side in
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: side * 4, as: UInt32.self))
    }
    let box = sides.map { Double(Float(bitPattern: $0)) }
    let extent = CropBox(top: box[0], left: box[1], height: box[2], width: box[3])
    guard let fault = extent.fault else { return extent }
    let place = Location(file: path, dataset: Layout.mapExtent, row: row)
    if sides.contains(Self.unwrittenExtent) {
      throw RelabelError(.v007, "the extent was never written", at: place)
    }
    let message = "the extent is not a box: \(fault)"
    if !box.allSatisfy(\.isFinite) { throw RelabelError(.v003, message, at: place) }
    throw RelabelError(.v019, message, at: place)
  }

  /// The image keys, in row order.
  ///
  /// - Complexity: reads all of them; nothing is kept.
  public func keys() throws(RelabelError) -> [String] {
    var keys: [String] = []
    for row in 0..<count { keys.append(try identities.key(at: row)) }
    return keys
  }

  /// The image indexes, in row order.
  ///
  /// - Complexity: reads all of them; nothing is kept.
  public func imageIndexes() throws(RelabelError) -> [Int64] {
    var indexes: [Int64] = []
    for row in 0..<count { indexes.append(try identities.imageIndex(at: row)) }
    return indexes
  }

  /// The row of an image key, or nil.
  ///
  /// - Complexity: O(log n) after the first call, which reads all keys.
  public func row(forKey key: String) throws(RelabelError) -> Int? {
    try finder.position(forKey: key, in: self)
  }

  /// The rows of an image key, ascending: one, or those of the image's views.
  ///
  /// - Complexity: as `row(forKey:)`, and O(views).
  public func positions(forKey key: String) throws(RelabelError) -> [Int] {
    try finder.positions(forKey: key, in: self)
  }

  /// The row of an image index, or nil.
  ///
  /// - Complexity: O(log n) after the first call, which reads all indexes.
  public func row(forImageIndex index: Int64) throws(RelabelError) -> Int? {
    try finder.position(forImageIndex: index, in: self)
  }
}

extension ShardReader {
  /// The shard itself.
  public var shards: [ShardReader] { [self] }

  /// How many images it has, as those of its only shard.
  public var rowsOfShards: [Int] { [count] }

  /// Itself.
  public func reader(ofShard shard: Int) -> ShardReader { self }

  /// This shard, which begins at position 0.
  public func shard(holding row: Int) throws(RelabelError) -> (reader: ShardReader, first: Int) {
    guard (0..<count).contains(row) else { throw noSuchPosition(row) }
    return (self, 0)
  }

  /// The rows of each chunk.
  public var chunks: [Range<Int>] {
    stride(from: 0, to: count, by: header.imagesPerChunk).map(chunk(holding:))
  }

  /// The rows of the chunk that holds `row`.
  public func chunk(holding row: Int) -> Range<Int> {
    let first = row - row % header.imagesPerChunk
    return first..<min(first + header.imagesPerChunk, count)
  }

  /// The image key of a row.
  public func key(at row: Int) throws(RelabelError) -> String {
    guard (0..<count).contains(row) else { throw noSuchPosition(row) }
    return try identities.key(at: row)
  }

  /// The image index of a row.
  public func imageIndex(at row: Int) throws(RelabelError) -> Int64 {
    guard (0..<count).contains(row) else { throw noSuchPosition(row) }
    return try identities.imageIndex(at: row)
  }

  /// The row of an image key, or nil.
  public func position(forKey key: String) throws(RelabelError) -> Int? { try row(forKey: key) }

  /// The row of an image index, or nil.
  public func position(forImageIndex index: Int64) throws(RelabelError) -> Int? {
    try row(forImageIndex: index)
  }

  /// Bytes of the file, and of the stored chunks of each dataset.
  ///
  /// - Complexity: looks up every chunk.
  public func sizes() throws(RelabelError) -> (
    total: Int64, datasets: [(name: String, bytes: Int64)]
  ) {
    var datasets: [(name: String, bytes: Int64)] = []
    for (name, column) in file.columns {
      var bytes: Int64 = 0
      for chunk in 0..<column.chunks { bytes += Int64(try column.storedBytes(ofChunk: chunk)) }
      datasets.append((name, bytes))
    }
    return (try Folder.fileBytes(path), datasets)
  }
}
