import Synchronization

/// Reads a dataset of shards through its `index.json`: label maps by position, key or image index.
///
/// ```swift
/// let dataset = try ShardedDataset(folder)
/// for position in 0..<dataset.count {
///   let map = try dataset.map(at: position)
///   print(try dataset.key(at: position), map.shape)
/// }
/// ```
///
/// Callable from any thread. Shards are opened when they are first needed.
public final class ShardedDataset: LabelMapSource {
  /// The dataset's index.
  public let index: DatasetIndex
  /// The digest that the index ends with.
  package let indexSHA256: String
  private let folder: String
  private let isMapped: Bool
  private let firstPositions: [Int]
  private let open = Mutex<[Int: ShardReader]>([:])
  /// What was seen of the shards, here or by the parent of this process.
  package let seen: SeenShards
  private let finder = ImageFinder()
  let replay = ReplayFinder()

  /// Opens a dataset by its folder or its `index.json`.
  ///
  /// - Parameters:
  ///   - path: the folder or the file.
  ///   - isMapped: as for `ShardReader`, for all shards.
  ///   - seen: what the parent of this process has seen of the same dataset; nil where it was not open.
  /// - Throws: M001 for a folder without `index.json`: such a dataset is incomplete.
  package init(
    _ path: String,
    isMapped: Bool = false,
    seen: SeenShards?
  ) throws(RelabelError) {
    let suffix = "/" + DatasetIndex.fileName
    let folder =
      path.hasSuffix(suffix)
      ? String(path.dropLast(suffix.count))
      : path == DatasetIndex.fileName ? "." : path
    let indexPath = folder + suffix
    guard Folder.hasFile(indexPath) else {
      throw RelabelError(
        .m001,
        "there is no index.json here: this is not a dataset, or it is incomplete; run relabel-pack",
        at: Location(file: folder)
      )
    }
    do {
      let bytes = try Self.indexBytes(indexPath)
      index = try DatasetIndex(parsing: bytes)
      indexSHA256 = DatasetIndex.digest(closing: bytes)
    } catch {
      throw error.located(Location(file: indexPath))
    }
    self.folder = folder
    self.isMapped = isMapped
    self.seen = seen ?? SeenShards(count: index.shards.count)
    if let fault = index.faults(in: folder).compactMap(\.self).first {
      throw fault.error(file: indexPath)
    }
    var first = 0
    var firstPositions: [Int] = []
    for shard in index.shards {
      firstPositions.append(first)
      first += shard.rows
    }
    self.firstPositions = firstPositions
  }

  /// Opens a dataset by its folder or its `index.json`.
  ///
  /// - Parameters:
  ///   - path: the folder or the file.
  ///   - isMapped: as for `ShardReader`, for all shards.
  /// - Throws: rule M001 for a folder without `index.json`: such a dataset is incomplete.
  public convenience init(_ path: String, isMapped: Bool = false) throws(RelabelError) {
    try self.init(path, isMapped: isMapped, seen: nil)
  }

  /// The bytes of an `index.json`; nothing but a regular file of bounded size is read.
  package static func indexBytes(_ path: String) throws(RelabelError) -> [UInt8] {
    _ = try Folder.fileBytes(path)
    return try Folder.contents(path, limit: DatasetIndex.maximumBytes)
  }

  /// Rows of all shards.
  public var count: Int { index.count }

  /// The folder of the dataset.
  public var path: String { folder }

  /// The image key at a position.
  public func key(at position: Int) throws(RelabelError) -> String {
    let (shard, row) = try place(position)
    return try reader(ofShard: shard).key(at: row)
  }

  /// The position in the source listing of the image at a position.
  public func imageIndex(at position: Int) throws(RelabelError) -> Int64 {
    let (shard, row) = try place(position)
    return try reader(ofShard: shard).imageIndex(at: row)
  }

  /// The position of an image key, or nil.
  ///
  /// - Complexity: O(log n) after the first call, which reads the keys of all shards; holds 12 bytes an
  ///   image.
  public func position(forKey key: String) throws(RelabelError) -> Int? {
    try finder.position(forKey: key, in: self)
  }

  /// The positions of an image key, ascending: one, or those of the image's views.
  ///
  /// - Complexity: as `position(forKey:)`, and O(views).
  public func positions(forKey key: String) throws(RelabelError) -> [Int] {
    try finder.positions(forKey: key, in: self)
  }

  /// The position of an image index, or nil.
  ///
  /// - Complexity: O(log n) after the first call, which reads the indexes of all shards; holds 12 bytes
  ///   an image.
  public func position(forImageIndex index: Int64) throws(RelabelError) -> Int? {
    try finder.position(forImageIndex: index, in: self)
  }

  /// What the maps mean; opens the first shard that can be read where none has been open.
  public var header: ShardHeader {
    get throws(RelabelError) {
      if let first = seen.first { return first.header }
      var unread: RelabelError?
      for shard in index.shards.indices {
        do {
          return try reader(ofShard: shard).header
        } catch {
          unread = unread ?? error
        }
      }
      throw unread
        ?? RelabelError(.notFound, "the dataset has no shards", at: Location(file: folder))
    }
  }

  /// How many images each shard has, as the index says.
  public var rowsOfShards: [Int] { index.shards.map(\.rows) }

  /// All shards, opened.
  public var shards: [ShardReader] {
    get throws(RelabelError) {
      var readers: [ShardReader] = []
      for shard in index.shards.indices { readers.append(try reader(ofShard: shard)) }
      return readers
    }
  }

  /// Positions by chunk, through all shards.
  public var chunks: [Range<Int>] {
    get throws(RelabelError) {
      let perChunk = try header.imagesPerChunk
      var chunks: [Range<Int>] = []
      for (first, rows) in zip(firstPositions, rowsOfShards) {
        let end = first + rows
        chunks += stride(from: first, to: end, by: perChunk).map { $0..<min($0 + perChunk, end) }
      }
      return chunks
    }
  }

  /// The positions of the chunk that holds one position.
  public func chunk(holding position: Int) throws(RelabelError) -> Range<Int> {
    let (shard, row) = try place(position)
    let rows = try reader(ofShard: shard).chunk(holding: row)
    let first = firstPositions[shard]
    return first + rows.lowerBound..<first + rows.upperBound
  }

  /// The shard with number `shard`, opened if need be.
  public func reader(ofShard shard: Int) throws(RelabelError) -> ShardReader {
    if let reader = open.withLock({ $0[shard] }) { return reader }
    let entry = index.shards[shard]
    let path = "\(folder)/\(entry.path)"
    guard Folder.hasFile(path) else {
      throw RelabelError(
        .m004,
        "the shard that index.json lists is not there",
        at: Location(file: path)
      )
    }
    try seen.checkUnchanged(shard, path)
    let reader = try ShardReader(path, isMapped: isMapped)
    try reader.check(against: index.statements(of: entry), of: DatasetIndex.fileName)
    try seen.add(reader, number: shard)
    open.withLock { $0[shard] = reader }
    return reader
  }

  /// Closes a shard, which is opened again when something is read of it.
  package func close(shard: Int) {
    open.withLock { $0[shard] = nil }
  }

  /// The shard that holds a position, opened if need be, and the position of its first row.
  public func shard(
    holding position: Int
  ) throws(RelabelError) -> (reader: ShardReader, first: Int) {
    let (shard, _) = try place(position)
    return (try reader(ofShard: shard), firstPositions[shard])
  }

  /// The shard and its row that hold a position.
  public func place(_ position: Int) throws(RelabelError) -> (shard: Int, row: Int) {
    guard (0..<count).contains(position),
      let shard = firstPositions.lastIndex(where: { $0 <= position })
    else {
      throw noSuchPosition(position)
    }
    return (shard, position - firstPositions[shard])
  }
}
