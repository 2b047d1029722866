/// Finds rows by a 64-bit digest of what identifies them, in 16 bytes a row.
///
/// Digests may collide: whoever asks confirms the rows that come back.
struct RowTable: Sendable {
  private struct Entry {
    let digest: UInt64
    let row: Int
  }

  private var entries: [Entry] = []

  /// An empty table with room for `capacity` rows.
  init(capacity: Int) { entries.reserveCapacity(capacity) }

  /// Adds the next row.
  mutating func append(_ digest: UInt64) {
    entries.append(Entry(digest: digest, row: entries.count))
  }

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
    return entries[low...].prefix { $0.digest == digest }.map(\.row)
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
