internal import Relabel

/// A shard or a dataset named on the command line.
enum DatasetArgument {
  case shard(ShardReader)
  case dataset(ShardedDataset)

  init(_ path: String) throws(RelabelError) {
    if Folder.exists(path) || path == DatasetIndex.fileName
      || path.hasSuffix("/\(DatasetIndex.fileName)")
    {
      self = .dataset(try ShardedDataset(path))
    } else {
      self = .shard(try ShardReader(path))
    }
  }

  /// The shard and row that hold an image key.
  func find(_ key: String) throws(RelabelError) -> (reader: ShardReader, row: Int) {
    switch self {
    case .shard(let reader):
      if let row = try reader.row(forKey: key) { return (reader, row) }
    case .dataset(let dataset):
      if let position = try dataset.position(forKey: key) {
        let (shard, row) = try dataset.place(position)
        return (try dataset.reader(ofShard: shard), row)
      }
    }
    throw RelabelError(
      .notFound,
      "there is no image '\(key)'; keys are relative paths without extension"
    )
  }

  /// Every shard in turn.
  func readers() throws(RelabelError) -> [ShardReader] {
    switch self {
    case .shard(let reader): return [reader]
    case .dataset(let dataset):
      var readers: [ShardReader] = []
      for shard in dataset.index.shards.indices {
        readers.append(try dataset.reader(ofShard: shard))
      }
      return readers
    }
  }
}
