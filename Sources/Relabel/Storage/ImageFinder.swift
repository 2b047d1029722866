import Synchronization

/// Finds the images of a shard or dataset by key or image index, in 12 bytes a row for each of the two.
///
/// A table is made when it is first asked. Callable from any thread.
final class ImageFinder: Sendable {
  private let keys = Mutex<ShardRows?>(nil)
  private let imageIndexes = Mutex<ShardRows?>(nil)

  /// The position of a key, or nil.
  ///
  /// - Throws: V010 or M007 where two images have the same key; where no shard that can be read has it, what
  ///   is wrong with the first that can't.
  func position(
    forKey key: String,
    in source: some LabelMapSource
  ) throws(RelabelError) -> Int? {
    try position(RowTable.digest(key), .key, held: keys, source) { row throws(RelabelError) in
      try source.key(at: row).utf8.elementsEqual(key.utf8)
    }
  }

  /// The positions of a key, ascending.
  ///
  /// - Throws: as for one position, but for repeats of views.
  func positions(
    forKey key: String,
    in source: some LabelMapSource
  ) throws(RelabelError) -> [Int] {
    try positions(RowTable.digest(key), .key, held: keys, source) { row throws(RelabelError) in
      try source.key(at: row).utf8.elementsEqual(key.utf8)
    }
  }

  /// The position of an image index, or nil.
  ///
  /// - Throws: as for a key, V009 or M007 where two images have the same index.
  func position(
    forImageIndex index: Int64,
    in source: some LabelMapSource
  ) throws(RelabelError) -> Int? {
    // The digest of an index is the index itself.
    try position(UInt64(bitPattern: index), .imageIndex, held: imageIndexes, source) { _ in true }
  }

  private func position(
    _ digest: UInt64,
    _ identity: ImageIdentity,
    held: borrowing Mutex<ShardRows?>,
    _ source: some LabelMapSource,
    _ isAsked: (Int) throws(RelabelError) -> Bool
  ) throws(RelabelError) -> Int? {
    let found = try positions(digest, identity, held: held, source, isAsked)
    guard found.count > 1 else { return found.first }
    throw RelabelError(
      .usage,
      "the image has \(found.count) views, the first at position \(found[0]): ask for all of its positions",
      at: Location(file: source.path)
    )
  }

  private func positions(
    _ digest: UInt64,
    _ identity: ImageIdentity,
    held: borrowing Mutex<ShardRows?>,
    _ source: some LabelMapSource,
    _ isAsked: (Int) throws(RelabelError) -> Bool
  ) throws(RelabelError) -> [Int] {
    var rows = try rows(identity, held: held, source)
    var found = try rows.all(digest, isAsked)
    guard found.isEmpty, let unread = rows.unread else { return found }
    // Perhaps it can be read by now.
    try identity.check(source.reader(ofShard: unread.shard))
    held.withLock { $0 = nil }
    rows = try self.rows(identity, held: held, source)
    found = try rows.all(digest, isAsked)
    if found.isEmpty, let unread = rows.unread { throw unread.error }
    return found
  }

  private func rows(
    _ identity: ImageIdentity,
    held: borrowing Mutex<ShardRows?>,
    _ source: some LabelMapSource
  ) throws(RelabelError) -> ShardRows {
    if let rows = held.withLock({ $0 }) { return rows }
    // Made outside the lock: a training program may fork meanwhile.
    let made = try ShardRows(identity, source)
    held.withLock { $0 = made }
    return made
  }
}

/// What an image is looked up by.
enum ImageIdentity {
  case key, imageIndex

  fileprivate var dataset: String { self == .key ? Layout.imageKey : Layout.imageIndex }

  /// The rule that two images of one shard break.
  fileprivate var rule: Rule { self == .key ? .v010 : .v009 }

  fileprivate var name: String { self == .key ? "key" : "image index" }

  fileprivate func add(_ shard: ShardReader, to table: inout RowTable) throws(RelabelError) {
    switch self {
    case .key: try shard.identities.addKeys(to: &table)
    case .imageIndex: try shard.identities.addImageIndexes(to: &table)
    }
  }

  /// Reads what `add` reads.
  fileprivate func check(_ shard: ShardReader) throws(RelabelError) {
    var table = RowTable(count: 0)
    try add(shard, to: &table)
  }
}

/// The rows of all shards that can be read; the others hide their own images and no more.
private struct ShardRows: Sendable {
  private var table: RowTable
  /// The first shard that could not be read, and why.
  private(set) var unread: (shard: Int, error: RelabelError)?

  /// - Throws: where two images are the same, the rule that they break.
  init(_ identity: ImageIdentity, _ source: some LabelMapSource) throws(RelabelError) {
    guard source.count <= RowTable.capacity else {
      throw RelabelError(
        .unsupported,
        "\(source.count) images are too many to be looked up; ask its shards",
        at: Location(file: source.path)
      )
    }
    table = RowTable(count: source.count)
    var end = 0
    for (shard, rows) in source.rowsOfShards.enumerated() {
      end += rows
      do {
        try identity.add(source.reader(ofShard: shard), to: &table)
      } catch {
        unread = unread ?? (shard, error)
      }
      table.skip(to: end)
    }
    table.sort()
    let repeats = table.repeats()
    // Views of an image share both. Where something repeats, some shard could be read.
    if repeats.isEmpty { return }
    if try source.header.views != nil { return }
    for (earlier, later) in repeats {
      let isSame = identity == .imageIndex ? true : try source.isSameKey(earlier, later)
      if isSame { throw try Self.repeated(earlier, later, identity, source) }
    }
  }

  /// The rows of a digest that are those asked for, ascending.
  func all(
    _ digest: UInt64,
    _ isAsked: (Int) throws(RelabelError) -> Bool
  ) throws(RelabelError) -> [Int] {
    var found: [Int] = []
    for row in table.rows(of: digest) where try isAsked(row) { found.append(row) }
    return found
  }

  private static func repeated(
    _ earlier: Int,
    _ later: Int,
    _ identity: ImageIdentity,
    _ source: some LabelMapSource
  ) throws(RelabelError) -> RelabelError {
    let (shard, first) = try source.shard(holding: later)
    return RelabelError(
      earlier < first ? .m007 : identity.rule,
      "the images at positions \(earlier) and \(later) have the same \(identity.name)",
      at: Location(file: shard.path, dataset: identity.dataset, row: later - first)
    )
  }
}

extension LabelMapSource {
  fileprivate func isSameKey(_ one: Int, _ other: Int) throws(RelabelError) -> Bool {
    try key(at: one).utf8.elementsEqual(key(at: other).utf8)
  }
}
