/// Label maps by position: a shard, or a dataset of shards (spec, section 11.2).
///
/// Callable from any thread.
public protocol LabelMapSource: Sendable {
  /// Where the maps are: a shard's file or a dataset's folder.
  var path: String { get }
  /// How many images there are.
  var count: Int { get }
  /// What the maps mean; the same for all of them.
  var header: ShardHeader { get throws(RelabelError) }
  /// Its shards, in the order of positions.
  var shards: [ShardReader] { get throws(RelabelError) }
  /// How many images each shard has, in the order of positions; opens nothing.
  var rowsOfShards: [Int] { get }
  /// The shard with a number counted from 0, opened if need be.
  func reader(ofShard shard: Int) throws(RelabelError) -> ShardReader
  /// The shard that holds a position, opened if need be, and the position of its first row.
  ///
  /// - Throws: `.notFound` outside 0 ..< `count`; else as `ShardReader`.
  func shard(holding position: Int) throws(RelabelError) -> (reader: ShardReader, first: Int)
  /// The image key at a position.
  func key(at position: Int) throws(RelabelError) -> String
  /// The position in the source listing of the image at a position.
  func imageIndex(at position: Int) throws(RelabelError) -> Int64
  /// The position of an image key, or nil.
  ///
  /// A shard that can't be read hides its own images and no more.
  ///
  /// - Throws: V010 or M007 where two images have the same key; `.usage` for an image of several views; for a key that no other shard has, what is
  ///   wrong with a shard that can't be read.
  /// - Complexity: O(log n) after the first call, which reads all keys.
  func position(forKey key: String) throws(RelabelError) -> Int?
  /// The positions of an image key, ascending: one, or those of the image's views.
  ///
  /// - Throws: as `position(forKey:)`, but for repeats of views.
  func positions(forKey key: String) throws(RelabelError) -> [Int]
  /// The position of an image index, or nil.
  ///
  /// - Throws: as for a key; V009 in place of V010.
  /// - Complexity: O(log n) after the first call, which reads all indexes.
  func position(forImageIndex index: Int64) throws(RelabelError) -> Int?
  /// The positions of a batch of the stored run, by slot; empty for one that is not stored.
  ///
  /// A shard that can't be read hides its own batches and no more.
  ///
  /// - Throws: V028 where two rows have one place in the run, M012 for a batch in two shards; `.usage` where rows are
  ///   images; for a batch that no other shard has, what is wrong with a shard that can't be read.
  /// - Complexity: O(log n) and O(views) after the first call, which reads where all rows stand.
  func positions(inBatch batch: Int, epoch: Int) throws(RelabelError) -> [Int]
  /// The position of the view at a place of the stored run, or nil.
  ///
  /// - Throws: as for a batch.
  /// - Complexity: as for a batch.
  func position(ofReplay place: LabelView.Place) throws(RelabelError) -> Int?
  /// Positions by chunk of the maps, in file order: what one read brings (spec, section 14.2).
  ///
  /// - Complexity: O(chunks).
  var chunks: [Range<Int>] { get throws(RelabelError) }
  /// The positions of the chunk that holds one position, which must be in 0 ..< `count`.
  func chunk(holding position: Int) throws(RelabelError) -> Range<Int>
}

/// Opens a shard, a dataset's folder or its `index.json`.
///
/// - Parameters:
///   - path: where the maps are.
///   - isMapped: as for `ShardReader`.
/// - Returns: the maps.
/// - Throws: as `ShardReader` and `ShardedDataset`.
public func openLabelMaps(
  _ path: String,
  isMapped: Bool = false
) throws(RelabelError) -> any LabelMapSource {
  if Folder.exists(path) || path == DatasetIndex.fileName
    || path.hasSuffix("/\(DatasetIndex.fileName)")
  {
    return try ShardedDataset(path, isMapped: isMapped)
  }
  return try ShardReader(path, isMapped: isMapped)
}

extension LabelMapSource {
  /// The error for a position outside 0 ..< `count`.
  func noSuchPosition(_ position: Int) -> RelabelError {
    RelabelError(
      .notFound,
      "there is no image \(position); there are \(count), counted from 0",
      at: Location(file: path)
    )
  }

  /// The position of an image that has to be there.
  ///
  /// - Throws: `.notFound` naming the key.
  public func requiredPosition(forKey key: String) throws(RelabelError) -> Int {
    if let position = try position(forKey: key) { return position }
    throw noSuchKey(key)
  }

  /// The positions of an image that has to be there, ascending.
  ///
  /// - Throws: `.notFound` naming the key.
  public func requiredPositions(forKey key: String) throws(RelabelError) -> [Int] {
    let positions = try positions(forKey: key)
    if positions.isEmpty { throw noSuchKey(key) }
    return positions
  }

  private func noSuchKey(_ key: String) -> RelabelError {
    RelabelError(
      .notFound,
      "there is no image '\(key)'; keys are relative paths without extension",
      at: Location(file: path)
    )
  }
}
