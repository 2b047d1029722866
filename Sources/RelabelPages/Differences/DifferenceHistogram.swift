internal import Relabel

/// How many values lie below each of some limits and above the one before; the last bin has no limit.
struct DifferenceHistogram: Sendable {
  /// Upper ends of bins, which belong to them.
  let limits: [Double]
  private(set) var counts: [Int]

  init(_ limits: [Double]) {
    self.limits = limits
    counts = [Int](repeating: 0, count: limits.count + 1)
  }

  /// Differences of scores: none, then powers of ten.
  static let scores = DifferenceHistogram([0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10])
  /// Half L1 between targets.
  static let targets = DifferenceHistogram([
    0, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  ])

  mutating func add(_ value: Double, times: Int = 1) {
    var place = 0
    while place < limits.count, !(value <= limits[place]) { place += 1 }
    counts[place] += times
  }

  static func += (sum: inout Self, other: Self) {
    for place in sum.counts.indices { sum.counts[place] += other.counts[place] }
  }

  var json: JSON {
    .array(
      counts.enumerated().map { place, count in
        .object([
          "up_to": place < limits.count ? .number(limits[place]) : .null,
          "count": .integer(Int64(count)),
        ])
      }
    )
  }
}
