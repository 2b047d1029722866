import Synchronization

/// Finds the views of a shard or dataset by their place in the stored run.
///
/// A table is made when it is first asked. Callable from any thread.
final class ReplayFinder: Sendable {
  private let table = Mutex<ReplayTable?>(nil)

  /// The positions of a batch, by slot; empty for one that is not stored.
  ///
  /// - Throws: as `ReplayTable`; where no shard that can be read has it, what is wrong with the first that can't.
  func positions(
    inBatch batch: Int,
    epoch: Int,
    of source: some LabelMapSource
  ) throws(RelabelError) -> [Int] {
    try found(in: source) { table in
      let positions = table.positions(inBatch: batch, epoch: epoch)
      return positions.isEmpty ? nil : positions
    } ?? []
  }

  /// The position of a place, or nil.
  ///
  /// - Throws: as for a batch.
  func position(
    of place: LabelView.Place,
    in source: some LabelMapSource
  ) throws(RelabelError) -> Int? {
    try found(in: source) { $0.position(of: place) }
  }

  private func found<Result>(
    in source: some LabelMapSource,
    _ look: (ReplayTable) -> Result?
  ) throws(RelabelError) -> Result? {
    if let held = table.withLock({ $0 }) {
      if let result = look(held) { return result }
      // What could not be read may be readable by now.
      if held.unread == nil { return nil }
    }
    // Made outside the lock: a training program may fork meanwhile.
    let made = try ReplayTable(source)
    table.withLock { $0 = made }
    if let result = look(made) { return result }
    if let unread = made.unread { throw unread }
    return nil
  }
}

extension ShardReader {
  /// The positions of a batch of the stored run, by slot; empty for one that is not stored.
  ///
  /// - Complexity: O(log n) and O(views) after the first call, which reads where all rows stand; holds 24
  ///   bytes a batch where rows lie in the order of the run, 24 a row at worst.
  public func positions(inBatch batch: Int, epoch: Int) throws(RelabelError) -> [Int] {
    try replay.positions(inBatch: batch, epoch: epoch, of: self)
  }

  /// The position of the view at a place of the stored run, or nil.
  ///
  /// - Complexity: as for a batch.
  public func position(ofReplay place: LabelView.Place) throws(RelabelError) -> Int? {
    try replay.position(of: place, in: self)
  }
}

extension ShardedDataset {
  /// The positions of a batch of the stored run, by slot; empty for one that is not stored.
  ///
  /// - Complexity: O(log n) and O(views) after the first call, which reads where all rows stand; holds 24
  ///   bytes a batch where rows lie in the order of the run, 24 a row at worst.
  public func positions(inBatch batch: Int, epoch: Int) throws(RelabelError) -> [Int] {
    try replay.positions(inBatch: batch, epoch: epoch, of: self)
  }

  /// The position of the view at a place of the stored run, or nil.
  ///
  /// - Complexity: as for a batch.
  public func position(ofReplay place: LabelView.Place) throws(RelabelError) -> Int? {
    try replay.position(of: place, in: self)
  }
}
