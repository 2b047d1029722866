/// Finds rows by a 64-bit digest of what identifies them, in 12 bytes a row.
///
/// Digests may collide: whoever asks confirms the rows that come back.
struct RowTable: Sendable {
  /// Three words without a gap.
  private struct Entry {
    let high: UInt32
    let low: UInt32
    let row: UInt32

    var digest: UInt64 { UInt64(high) << 32 | UInt64(low) }
  }

  /// The most rows: a table of so many takes 48 GiB.
  static let capacity = 1 << 32

  private var entries: [Entry] = []
  /// The number of the row that comes next.
  private var next = 0

  /// An empty table with room for `count` rows, at most `capacity`.
  init(count: Int) { entries.reserveCapacity(count) }

  /// Adds the next row.
  mutating func append(_ digest: UInt64) {
    entries.append(
      Entry(
        high: UInt32(digest >> 32),
        low: UInt32(truncatingIfNeeded: digest),
        row: UInt32(next)
      )
    )
    next += 1
  }

  /// Leaves out the rows before `row` that were not added.
  mutating func skip(to row: Int) { next = max(next, row) }

  /// Makes the table ready for `rows(of:)`.
  ///
  /// - Complexity: O(n log n).
  mutating func sort() {
    entries.sort { $0.digest == $1.digest ? $0.row < $1.row : $0.digest < $1.digest }
  }

  /// The rows with a digest, ascending.
  ///
  /// - Complexity: O(log n).
  func rows(of digest: UInt64) -> [Int] {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].digest < digest { low = middle + 1 } else { high = middle }
    }
    return entries[low...].prefix { $0.digest == digest }.map { Int($0.row) }
  }

  /// Pairs of neighbours with one digest, in the order of the later row; for a sorted table.
  ///
  /// - Complexity: O(n).
  func repeats() -> [(earlier: Int, later: Int)] {
    zip(entries, entries.dropFirst())
      .filter { $0.digest == $1.digest }
      .map { (Int($0.row), Int($1.row)) }
      .sorted { $0.later < $1.later }
  }

  /// The digest of a key: SipHash with a secret of this process, so that nobody can choose keys that
  /// collide.
  static func digest(_ key: UnsafeRawBufferPointer) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(bytes: key)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// The digest of a key.
  static func digest(_ key: String) -> UInt64 {
    var key = key
    return key.withUTF8 { digest(UnsafeRawBufferPointer($0)) }
  }
}
