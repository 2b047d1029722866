internal import Relabel

/// How a number is spread over all images: bins of equal width, the mean, and quantiles as exact as a bin.
struct Histogram: Sendable {
  private static let bins = 40

  private let range: ClosedRange<Double>
  private(set) var counts = [Int](repeating: 0, count: Self.bins)
  private(set) var count = 0
  private var sum = 0.0

  /// Numbers from `range`; others count as its nearer end.
  init(_ range: ClosedRange<Double>) { self.range = range }

  /// The mean, 0 of nothing.
  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// Counts a number.
  mutating func add(_ value: Double) {
    let place = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    counts[min(max(Int(place * Double(Self.bins)), 0), Self.bins - 1)] += 1
    count += 1
    sum += value
  }

  /// The number below which a share of all lies, to a bin.
  func quantile(_ share: Double) -> Double {
    var below = 0
    let width = (range.upperBound - range.lowerBound) / Double(Self.bins)
    for (bin, count) in counts.enumerated() {
      if count > 0, Double(below + count) >= share * Double(self.count) {
        let within = (share * Double(self.count) - Double(below)) / Double(count)
        return range.lowerBound + (Double(bin) + max(within, 0)) * width
      }
      below += count
    }
    return range.upperBound
  }

  /// For a page.
  var json: JSON {
    .object([
      "low": .rounded(range.lowerBound),
      "high": .rounded(range.upperBound),
      "counts": .array(counts.map { .integer(Int64($0)) }),
      "images": .integer(Int64(count)),
      "mean": .rounded(mean),
      "quartiles": .array([0.25, 0.5, 0.75].map { .rounded(quantile($0)) }),
    ])
  }
}

extension JSON {
  /// A number to six digits that count, which are enough to look at.
  static func rounded(_ value: Double) -> JSON {
    guard value != 0, value.isFinite else { return .number(0) }
    let scale = Mathematics.pow(10, 5 - Mathematics.log10(value.magnitude).rounded(.down))
    let rounded = (value * scale).rounded() / scale
    return .number(rounded.isFinite ? rounded : value)
  }

  /// The same, or null for nil.
  static func rounded(_ value: Float?) -> JSON { value.map { .rounded(Double($0)) } ?? .null }
}
