/// Which rows the batches of a stored run have: runs of rows whose slots follow each other, by batch and slot.
///
/// Takes 24 bytes a run: a whole batch where rows lie in the order of the run, a row at worst.
struct ReplayTable: Sendable {
  private struct Run {
    let batch: UInt64
    let slot: Int32
    var count: UInt32
    let position: Int
  }

  private var runs: [Run] = []
  /// The first shard that could not be read, and why.
  private(set) var unread: RelabelError?

  /// Reads where each row stands.
  ///
  /// - Throws: `.usage` where rows are images; V028 where two rows have one place, M012 for a batch in two shards.
  init(_ source: some LabelMapSource) throws(RelabelError) {
    guard try source.header.views != nil else {
      throw RelabelError(
        .usage,
        "the rows are images, not views of images: no training run is stored",
        at: Location(file: source.path)
      )
    }
    var first = 0
    for (shard, rows) in source.rowsOfShards.enumerated() {
      do {
        try add(source.reader(ofShard: shard), first)
      } catch {
        unread = unread ?? error
      }
      first += rows
    }
    runs.sort { ($0.batch, $0.slot, $0.position) < ($1.batch, $1.slot, $1.position) }
    try refuseRepeats(source)
  }

  /// The positions of a batch, by slot.
  ///
  /// - Complexity: O(log n), and O(views).
  func positions(inBatch batch: Int, epoch: Int) -> [Int] {
    runs(inBatch: batch, epoch: epoch).flatMap { $0.position..<$0.position + Int($0.count) }
  }

  /// The position of a place, or nil.
  ///
  /// - Complexity: O(log n), and O(runs of the batch).
  func position(of place: LabelView.Place) -> Int? {
    // No row has another one.
    guard let slot = Int32(exactly: place.slot) else { return nil }
    for run in runs(inBatch: place.batch, epoch: place.epoch) {
      let step = Int(slot) - Int(run.slot)
      if (0..<Int(run.count)).contains(step) { return run.position + step }
    }
    return nil
  }

  private func runs(inBatch batch: Int, epoch: Int) -> ArraySlice<Run> {
    guard let word = Self.word(epoch: epoch, batch: batch) else { return [] }
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].batch < word { low = middle + 1 } else { high = middle }
    }
    return runs[low...].prefix { $0.batch == word }
  }

  /// Epoch and batch as one number; nil where no row can have them.
  private static func word(epoch: Int, batch: Int) -> UInt64? {
    guard let epoch = Int32(exactly: epoch), let batch = Int32(exactly: batch), epoch >= 0,
      batch >= 0
    else { return nil }
    return UInt64(epoch) << 32 | UInt64(batch)
  }

  private mutating func add(_ shard: ShardReader, _ first: Int) throws(RelabelError) {
    let known = runs.count
    do {
      try shard.withViews { views throws(RelabelError) in
        for row in 0..<shard.count {
          guard let place = try views.replay(at: row),
            let word = Self.word(epoch: place.epoch, batch: place.batch)
          else { continue }
          add(word, Int32(place.slot), first + row, after: known)
        }
      }
    } catch {
      // Half a batch must not pass as one.
      runs.removeSubrange(known...)
      throw error
    }
  }

  private mutating func add(_ batch: UInt64, _ slot: Int32, _ position: Int, after known: Int) {
    if runs.count > known, let last = runs.last, last.batch == batch,
      Int(last.slot) + Int(last.count) == Int(slot),
      last.position + Int(last.count) == position
    {
      runs[runs.count - 1].count += 1
    } else {
      runs.append(Run(batch: batch, slot: slot, count: 1, position: position))
    }
  }

  private func refuseRepeats(_ source: some LabelMapSource) throws(RelabelError) {
    for (run, next) in zip(runs, runs.dropFirst()) where run.batch == next.batch {
      let (shard, first) = try source.shard(holding: next.position)
      let place = Location(file: shard.path, dataset: Layout.replay, row: next.position - first)
      let (epoch, batch) = (run.batch >> 32, run.batch & 0xFFFF_FFFF)
      if Int(run.slot) + Int(run.count) > Int(next.slot) {
        let other = run.position + Int(next.slot - run.slot)
        throw RelabelError(
          .v028,
          "epoch \(epoch), batch \(batch), slot \(next.slot) is taken twice: the row at position \(other) has it, too",
          at: place
        )
      }
      if !(first..<first + shard.count).contains(run.position) {
        throw RelabelError(
          .m012,
          "batch \(batch) of epoch \(epoch) lies in two shards: they are not of one dataset, or were cut wrongly",
          at: place
        )
      }
    }
  }
}
