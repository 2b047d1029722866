import Synchronization

/// What a dataset remembers of the shards that it has opened, whether they are still open or not.
///
/// Nothing here waits for a lock: a forked child goes on with what its parent has seen.
package final class SeenShards: @unchecked Sendable {
  // Unchecked: the memory is only used through atomic references.
  private final class Stamp: Sendable {
    let stamp: FileStamp

    init(_ stamp: FileStamp) { self.stamp = stamp }
  }

  /// The shard that was opened first: it speaks for all.
  final class First: Sendable {
    let path: String
    let header: ShardHeader
    let shared: Statements

    init(_ shard: ShardReader) {
      path = shard.path
      header = shard.header
      shared = shard.statements.filtered(by: .m008)
    }
  }

  private let count: Int
  private let stamps: UnsafeMutablePointer<AtomicLazyReference<Stamp>>
  private let opened = AtomicLazyReference<First>()

  init(count: Int) {
    self.count = count
    stamps = .allocate(capacity: count)
    for shard in 0..<count { (stamps + shard).initialize(to: AtomicLazyReference()) }
  }

  deinit {
    stamps.deinitialize(count: count)
    stamps.deallocate()
  }

  /// The shard that was opened first, or nil.
  var first: First? { opened.load() }

  /// Refuses the file of a shard that was seen before and is another one now.
  ///
  /// - Throws: `.corrupt` naming the file.
  func checkUnchanged(_ shard: Int, _ path: String) throws(RelabelError) {
    guard let seen = stamps[shard].load() else { return }
    try seen.stamp.check(Folder.absolute(path), named: path)
  }

  /// Refuses a shard whose maps mean something else than those of the first, and remembers it.
  ///
  /// - Throws: rule M008.
  func add(_ shard: ShardReader, number: Int) throws(RelabelError) {
    let first = opened.load() ?? opened.storeIfNil(First(shard))
    try shard.check(against: first.shared, of: first.path)
    _ = stamps[number].storeIfNil(Stamp(shard.stamp))
  }
}
