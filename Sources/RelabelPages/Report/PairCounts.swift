/// How often pairs of classes occur, in bounded memory.
///
/// Where more different pairs occur than fit, the rarest half is forgotten: counts of the others are then the least
/// that is true.
struct PairCounts: Sendable {
  /// A pair of classes and how often it occurred.
  struct Pair: Hashable, Sendable {
    let first: UInt32
    let second: UInt32
    let count: Int
  }

  /// About 20 MB.
  private static let capacity = 1 << 18

  private var counts: [UInt64: Int] = [:]
  /// False where pairs were forgotten.
  private(set) var isExact = true
  private let capacity: Int

  /// Room for `capacity` different pairs.
  init(capacity: Int = Self.capacity) { self.capacity = capacity }

  /// Counts a pair.
  mutating func add(_ first: UInt32, _ second: UInt32, count: Int = 1) {
    counts[UInt64(first) << 32 | UInt64(second), default: 0] += count
    if counts.count > capacity { forget() }
  }

  private mutating func forget() {
    isExact = false
    let sorted = counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
    counts = Dictionary(
      uniqueKeysWithValues: sorted.prefix(capacity / 2).map { ($0.key, $0.value) }
    )
  }

  /// The most frequent pairs, ties by class.
  ///
  /// - Complexity: O(pairs · log pairs).
  func most(_ count: Int) -> [Pair] {
    counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(count).map(Self.pair)
  }

  /// The most frequent partner of each first class.
  func partners() -> [UInt32: Pair] {
    var partners: [UInt32: Pair] = [:]
    for entry in counts {
      let pair = Self.pair(entry)
      if let held = partners[pair.first],
        (held.count, pair.second) >= (pair.count, held.second)
      {
        continue
      }
      partners[pair.first] = pair
    }
    return partners
  }

  private static func pair(_ entry: (key: UInt64, value: Int)) -> Pair {
    Pair(
      first: UInt32(entry.key >> 32),
      second: UInt32(truncatingIfNeeded: entry.key),
      count: entry.value
    )
  }
}
