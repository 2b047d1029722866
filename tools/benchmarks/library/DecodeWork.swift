internal import HDF5
internal import Relabel

/// Decodes every chunk of some shards and does nothing with them: `decode JOBS SHARD…`.
enum DecodeWork {
  static func prepare(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let jobs = Int(arguments.first ?? "") ?? 1
    let shards = try arguments.dropFirst().map(open)
    return { decode(shards, jobs) }
  }

  /// Opens a shard as a reader does.
  private static func open(_ path: String) throws -> ShardFile {
    let shard = try ShardFile.open(path) { fatalError("\(path): \($0.message)") }
    guard let shard else { fatalError("\(path) can't be read") }
    return shard
  }

  /// Reads, checks, inflates and unshuffles all chunks, as readers do.
  private static func decode(_ shards: [ShardFile], _ jobs: Int) {
    for shard in shards {
      for (name, column) in shard.columns {
        let sizes = Parallel.map(column.chunks, jobs: jobs) { chunk in
          (try? column.chunk(chunk).get().count) ?? 0
        }
        guard !sizes.contains(0) else { fatalError("\(name) is damaged") }
      }
    }
  }
}
