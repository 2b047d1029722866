internal import Relabel

/// What the shards of a dataset must share, and what they must not (rules M007, M008).
///
/// Keeps 16 bytes an image.
struct ShardComparison {
  private var first: (path: String, facts: ShardFacts)?
  private var paths: [String] = []
  private var keys = RowWords()
  private var indexes = RowWords()
  private var views: ViewComparison?

  mutating func add(_ shard: ShardFacts, path: String, _ tally: inout Tally) {
    if let first {
      for difference in shard.shared.differences(from: first.facts.shared) {
        tally.add(difference.violation(in: "'\(path)'", against: "'\(first.path)'"))
      }
    }
    paths.append(path)
    keys.append(shard.keyHashes)
    if shard.views == nil {
      indexes.append(shard.imageIndexes.map(UInt64.init(bitPattern:)))
    } else {
      // Views share the index of their image.
      indexes.append([])
      var views = self.views.take() ?? ViewComparison()
      views.add(shard, shard: paths.count - 1, paths: paths, &tally)
      self.views = views
    }
    if first == nil { first = (path, shard.bare) }
  }

  /// Looks for keys and indexes that two shards have; twice within one is that shard's own finding.
  ///
  /// `leftOut` has the indexes of images that the dataset names as left out.
  /// - Throws: when the keys that are to be compared can't be read: nothing is sound that could not be found out.
  /// - Complexity: a helper process for each shard and a few thousand suspicions.
  func finish(
    _ isolation: Isolation,
    folder: String,
    leftOut: Set<Int64>,
    _ tally: inout Tally
  ) throws(RelabelError) {
    for (a, b) in indexes.repeats() {
      let (index, first, second) = (Int64(bitPattern: indexes[a]), paths[a.shard], paths[b.shard])
      tally.add(Violation(.m007, "image index \(index) is in '\(first)' and in '\(second)'"))
    }
    // The same hash is only a suspicion.
    let suspicions = keys.repeats()
    let step = Isolation.keysAtOnce
    for start in stride(from: 0, to: suspicions.count, by: step) {
      let pairs = suspicions[start..<min(start + step, suspicions.count)]
      let texts = try keyTexts(of: pairs.flatMap { [$0.0, $0.1] }, isolation, folder)
      for (a, b) in pairs {
        guard let key = texts[a], let other = texts[b] else {
          throw RelabelError(.internalFault, "a key that was to be compared was not read")
        }
        if !key.utf8.elementsEqual(other.utf8) { continue }
        let what = views == nil ? "image '\(key)'" : "a view of image '\(key)'"
        tally.add(
          Violation(.m007, "\(what) is in '\(paths[a.shard])' and in '\(paths[b.shard])'")
        )
      }
    }
    guard let views else { return }
    let pairs = views.suspicions
    let texts = try keyTexts(of: pairs.flatMap { [$0.0, $0.1] }, isolation, folder)
    for (number, (a, b)) in pairs.enumerated() {
      guard let key = texts[a], let other = texts[b] else {
        throw RelabelError(.internalFault, "a key that was to be compared was not read")
      }
      if key.utf8.elementsEqual(other.utf8) { tally.add(views.violation(number, key: key)) }
    }
    views.finish(leftOut: leftOut, &tally)
  }

  /// The keys of some rows, all those of a shard by one helper.
  private func keyTexts(
    of rows: [RowWords.Row],
    _ isolation: Isolation,
    _ folder: String
  ) throws(RelabelError) -> [RowWords.Row: String] {
    var texts: [RowWords.Row: String] = [:]
    let shards = Dictionary(grouping: Set(rows), by: \.shard)
    for shard in shards.keys.sorted() {
      let rows = (shards[shard] ?? []).map(\.row).sorted()
      let keys = try isolation.keys(ofRows: rows, in: "\(folder)/\(paths[shard])")
      for (row, key) in zip(rows, keys) { texts[RowWords.Row(shard: shard, row: row)] = key }
    }
    return texts
  }
}

extension ShardFacts {
  /// What is compared, without what is kept for each row.
  fileprivate var bare: ShardFacts {
    var copy = self
    (copy.keyHashes, copy.imageIndexes, copy.mapDigests, copy.statistics) = ([], [], [], nil)
    copy.views = nil
    return copy
  }
}

/// A 64-bit word for each row of several shards.
struct RowWords {
  struct Row: Hashable {
    let shard: Int
    let row: Int
  }

  /// The words of each shard.
  private var shards: [[UInt64]] = []

  mutating func append(_ shard: [UInt64]) { shards.append(shard.compact) }

  subscript(row: Row) -> UInt64 { shards[row.shard][row.row] }

  /// Pairs of neighbours among the rows with the same word, where they lie in different shards.
  ///
  /// - Complexity: O(n), O(n log n) where there are any.
  func repeats() -> [(Row, Row)] {
    guard shards.count > 1, Repeats.exist(in: shards) else { return [] }
    var rows: [(word: UInt64, row: Row)] = []
    for (shard, words) in shards.enumerated() {
      rows += words.enumerated().map { ($1, Row(shard: shard, row: $0)) }
    }
    rows.sort { ($0.word, $0.row.shard, $0.row.row) < ($1.word, $1.row.shard, $1.row.row) }
    return zip(rows, rows.dropFirst())
      .filter { $0.word == $1.word && $0.row.shard != $1.row.shard }
      .map { ($0.row, $1.row) }
      .sorted { ($0.1.shard, $0.1.row) < ($1.1.shard, $1.1.row) }
  }
}
