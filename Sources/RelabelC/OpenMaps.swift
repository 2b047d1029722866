import Relabel
import Synchronization

/// Label maps that a C program holds; opened again in a forked child.
final class OpenMaps: @unchecked Sendable {
  // Unchecked: `source` changes under the lock, before `process` says that it is this process's.
  private let path: String
  private var source: any LabelMapSource
  private let process: Atomic<Int32>
  private let lock = ProcessLock()
  private let listingText = AtomicLazyReference<KeptText>()
  private let description = AtomicLazyReference<KeptText>()

  init(_ path: String) throws(RelabelError) {
    // A child may have another working folder than its parent had.
    let path = Folder.absolute(path)
    self.path = path
    source = try openLabelMaps(path)
    process = Atomic(ThisProcess.id)
  }

  /// The maps, for use in this process.
  ///
  /// - Throws: what opening throws, and `.corrupt` when a child finds other maps at the path than its
  ///   parent did.
  func current() throws(RelabelError) -> any LabelMapSource {
    if process.load(ordering: .acquiring) == ThisProcess.id { return source }
    return try lock.withLock { () throws(RelabelError) in
      if process.load(ordering: .acquiring) == ThisProcess.id { return source }
      source = try reopened()
      process.store(ThisProcess.id, ordering: .releasing)
      return source
    }
  }

  /// The same maps as the parent of this process has, with files and locks of this one's own.
  private func reopened() throws(RelabelError) -> any LabelMapSource {
    if let dataset = source as? ShardedDataset {
      let reopened = try ShardedDataset(path, seen: dataset.seen)
      guard reopened.indexSHA256 == dataset.indexSHA256 else {
        throw RelabelError(
          .corrupt,
          "the maps were replaced since they were opened; open them again",
          at: Location(file: path)
        )
      }
      return reopened
    }
    let stamp = try source.shards[0].stamp
    try stamp.check(path, named: path)
    let reopened = try openLabelMaps(path)
    try stamp.check(path, named: path)
    return reopened
  }

  /// The text of `relabel_listing`.
  func listing() throws(RelabelError) -> UnsafePointer<CChar>? {
    if let text = listingText.load() { return text.pointer }
    return listingText.storeIfNil(try KeptText(current().listing())).pointer
  }

  /// The text of `relabel_describe`.
  func describe(by position: Int?) throws(RelabelError) -> UnsafePointer<CChar>? {
    if let text = description.load() { return text.pointer }
    let source = try current()
    if let position { _ = try source.shard(holding: position) }
    return description.storeIfNil(try KeptText(source.header.description)).pointer
  }

  /// Classes of a target; of a dataset without opening a shard.
  func numClasses() throws(RelabelError) -> Int {
    let source = try current()
    if let dataset = source as? ShardedDataset { return dataset.index.numClasses }
    return try source.header.numClasses
  }
}
