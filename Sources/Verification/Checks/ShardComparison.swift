internal import Relabel

/// What the shards of a dataset must share, and what they must not (rules M007, M008).
///
/// Keeps 16 bytes an image, and 12 more while it looks for repeats.
struct ShardComparison {
  private var first: (path: String, facts: ShardFacts)?
  private var paths: [String] = []
  private var keys = RowWords()
  private var indexes = RowWords()

  mutating func add(_ shard: ShardFacts, path: String, _ tally: inout Tally) {
    if let first {
      let differences = shard.differences(from: first.facts)
      if !differences.isEmpty {
        let names = differences.joined(separator: ", ")
        tally.add(Violation("M008", "'\(path)' and '\(first.path)' differ in: \(names)"))
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
      tally.add(Violation("M007", "image index \(index) is in '\(first)' and in '\(second)'"))
    }
    for (a, b) in keys.repeats() {
      let (first, second) = (paths[a.shard], paths[b.shard])
      // The same hash is only a suspicion.
      guard let key = try? isolation.key(ofRow: a.row, in: "\(folder)/\(first)"),
        let other = try? isolation.key(ofRow: b.row, in: "\(folder)/\(second)"),
        key.utf8.elementsEqual(other.utf8)
      else { continue }
      tally.add(Violation("M007", "image '\(key)' is in '\(first)' and in '\(second)'"))
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

  private var words: [UInt64] = []
  /// Where each shard's words begin.
  private var starts: [Int] = []

  mutating func append(_ shard: [UInt64]) {
    starts.append(words.count)
    words += shard
  }

  subscript(row: Row) -> UInt64 { words[starts[row.shard] + row.row] }

  /// Pairs of neighbours among the rows with the same word, where they lie in different shards.
  ///
  /// - Complexity: O(n log n).
  func repeats() -> [(Row, Row)] {
    // Most often numbers without their places settle it.
    guard starts.count > 1, words.hasRepeats else { return [] }
    let order = (0..<UInt32(words.count)).sorted { (words[Int($0)], $0) < (words[Int($1)], $1) }
    return zip(order, order.dropFirst())
      .filter { words[Int($0)] == words[Int($1)] }
      .sorted { $0.1 < $1.1 }
      .map { (row(Int($0)), row(Int($1))) }
      .filter { $0.shard != $1.shard }
  }

  private func row(_ position: Int) -> Row {
    let shard = starts.lastIndex { $0 <= position } ?? 0
    return Row(shard: shard, row: position - starts[shard])
  }
}
