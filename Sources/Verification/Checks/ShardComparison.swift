internal import Relabel

/// What the shards of a dataset must share, and what they must not (rules M007, M008).
///
/// Keeps 16 bytes an image.
struct ShardComparison {
  private var first: (path: String, facts: ShardFacts)?
  private var paths: [String] = []
  private var keys = RowWords()
  private var indexes = RowWords()

  mutating func add(_ shard: ShardFacts, path: String, _ tally: inout Tally) {
    if let first {
      for difference in shard.shared.differences(from: first.facts.shared) {
        tally.add(difference.violation(in: "'\(path)'", against: "'\(first.path)'"))
      }
    }
    paths.append(path)
    keys.append(shard.keyHashes)
    indexes.append(shard.imageIndexes.map(UInt64.init(bitPattern:)))
    if first == nil { first = (path, shard.bare) }
  }

  /// Looks for keys and indexes that two shards have; twice within one is that shard's own finding.
  func finish(_ isolation: Isolation, folder: String, _ tally: inout Tally) {
    for (a, b) in indexes.repeats() {
      let (index, first, second) = (Int64(bitPattern: indexes[a]), paths[a.shard], paths[b.shard])
      tally.add(Violation(.m007, "image index \(index) is in '\(first)' and in '\(second)'"))
    }
    for (a, b) in keys.repeats() {
      let (first, second) = (paths[a.shard], paths[b.shard])
      // The same hash is only a suspicion.
      guard let key = try? isolation.key(ofRow: a.row, in: "\(folder)/\(first)"),
        let other = try? isolation.key(ofRow: b.row, in: "\(folder)/\(second)"),
        key.utf8.elementsEqual(other.utf8)
      else { continue }
      tally.add(Violation(.m007, "image '\(key)' is in '\(first)' and in '\(second)'"))
    }
  }
}

extension ShardFacts {
  /// What is compared, without what is kept for each row.
  fileprivate var bare: ShardFacts {
    var copy = self
    (copy.keyHashes, copy.imageIndexes, copy.mapDigests, copy.statistics) = ([], [], [], nil)
    return copy
  }
}

/// A 64-bit word for each row of several shards.
private struct RowWords {
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
