internal import Relabel

/// How often the best class was one in A and another in B, with bounded memory.
///
/// Beyond a million pairs the rarest are dropped; no count is then short by more than `shortBy`.
struct MovedClasses: Sendable {
  struct Pair: Hashable, Sendable {
    let from: UInt32
    let to: UInt32
  }

  private let capacity: Int
  private var counts: [Pair: Int] = [:]
  /// All moves, those of dropped pairs, too.
  private(set) var total = 0
  /// What each count may be short by.
  private(set) var shortBy = 0

  init(capacity: Int = 1 << 20) { self.capacity = capacity }

  mutating func add(_ from: UInt32, _ to: UInt32) {
    counts[Pair(from: from, to: to), default: 0] += 1
    total += 1
  }

  static func += (sum: inout Self, other: Self) {
    sum.counts.merge(other.counts) { $0 + $1 }
    sum.total += other.total
    sum.shortBy += other.shortBy
    sum.prune()
  }

  /// Drops rare pairs until half of the room is free.
  private mutating func prune() {
    guard counts.count > capacity else { return }
    var limit = 0
    while counts.count > capacity / 2 {
      limit += max(1, limit)
      counts = counts.filter { $0.value > limit }
    }
    shortBy += limit
  }

  /// The most frequent pairs.
  func top(_ count: Int) -> [(pair: Pair, count: Int)] {
    counts.sorted {
      ($1.value, $0.key.from, $0.key.to) < ($0.value, $1.key.from, $1.key.to)
    }.prefix(count).map { ($0.key, $0.value) }
  }
}
