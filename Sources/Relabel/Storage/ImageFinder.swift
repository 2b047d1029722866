import Synchronization

/// Finds the images of a shard or dataset by key or image index, in 12 bytes a row for each of the two.
///
/// A table is made when it is first asked. Callable from any thread.
final class ImageFinder: Sendable {
  private let keys = Mutex<RowTable?>(nil)
  private let imageIndexes = Mutex<RowTable?>(nil)

  /// The first position of a key, or nil.
  func position(
    forKey key: String,
    in source: some LabelMapSource
  ) throws(RelabelError) -> Int? {
    let table = try table(keys, source) { shard, table throws(RelabelError) in
      try shard.addKeys(to: &table)
    }
    for position in table.rows(of: RowTable.digest(key)) {
      if try source.key(at: position).utf8.elementsEqual(key.utf8) { return position }
    }
    return nil
  }

  /// The first position of an image index, or nil.
  func position(
    forImageIndex index: Int64,
    in source: some LabelMapSource
  ) throws(RelabelError) -> Int? {
    let table = try table(imageIndexes, source) { shard, table throws(RelabelError) in
      try shard.addImageIndexes(to: &table)
    }
    // The digest of an index is the index itself.
    return table.rows(of: UInt64(bitPattern: index)).first
  }

  private func table(
    _ held: borrowing Mutex<RowTable?>,
    _ source: some LabelMapSource,
    _ add: (ShardIdentities, inout RowTable) throws(RelabelError) -> Void
  ) throws(RelabelError) -> RowTable {
    if let table = held.withLock({ $0 }) { return table }
    guard source.count <= RowTable.capacity else {
      throw RelabelError(
        .unsupported,
        "\(source.count) images are too many to be looked up; ask its shards",
        at: Location(file: source.path)
      )
    }
    // Made outside the lock: a training program may fork meanwhile.
    var table = RowTable(count: source.count)
    for shard in try source.shards { try add(shard.identities, &table) }
    table.sort()
    let made = table
    held.withLock { $0 = made }
    return made
  }
}
