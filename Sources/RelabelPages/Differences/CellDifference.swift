internal import Relabel

/// What adds up over images, counts among it; each count stands in one list, for sums and for programs.
protocol Counting {
  /// The counts by their names in the document for programs.
  static var counts: [(name: String, path: any WritableKeyPath<Self, Int> & Sendable)] { get }
}

extension Counting {
  /// Adds the counts of others.
  mutating func addCounts(of other: Self) {
    for (_, path) in Self.counts { self[keyPath: path] += other[keyPath: path] }
  }

  /// The counts by their names.
  var countsJSON: [String: JSON] {
    Dictionary(
      uniqueKeysWithValues: Self.counts.map { ($0.name, .integer(Int64(self[keyPath: $0.path]))) }
    )
  }
}

/// How the entries of maps differ, cell by cell; the order of a cell's entries does not matter.
struct CellDifference: Counting, Sendable {
  /// Images whose cells were compared.
  var images = 0
  /// Those with a cell that has other classes, or a score beyond the tolerance, or with other factors.
  var differingImages = 0
  /// Those whose best classes are the same to the last bit, and whose factors are not.
  var otherFactors = 0
  /// Cells that were compared.
  var cells = 0
  /// Those where one map has a class that the other has not.
  var differingCells = 0
  /// Those whose best class is another.
  var otherBest = 0
  /// Those whose best class is another, if the grid of B is transposed first; only square grids have them.
  var otherBestTransposed = 0
  /// Entries whose class both have in the cell.
  var common = 0
  /// Entries of A whose class B has not in the cell.
  var onlyA = 0
  /// Entries of B whose class A has not in the cell.
  var onlyB = 0
  var scores = ScoreDifference()

  static let counts: [(name: String, path: any WritableKeyPath<Self, Int> & Sendable)] = [
    ("images", \.images), ("differing_images", \.differingImages),
    ("other_factors", \.otherFactors), ("cells", \.cells), ("differing_cells", \.differingCells),
    ("other_best", \.otherBest), ("other_best_if_transposed", \.otherBestTransposed),
    ("in_both", \.common), ("only_in_a", \.onlyA), ("only_in_b", \.onlyB),
  ]

  static func += (sum: inout Self, other: Self) {
    sum.addCounts(of: other)
    sum.scores += other.scores
  }

  /// Entries that only one map has.
  var lonely: Int { onlyA + onlyB }
}

/// How scores of one class in one cell differ.
struct ScoreDifference: Counting, Sendable {
  /// Scores that are not equal.
  var differing = 0
  /// Scores beyond what the user tolerates.
  var beyondTolerance = 0
  /// Scores farther apart than the two encodings promise together.
  var beyondEncodings = 0
  var highest = 0.0
  var sum = 0.0
  var histogram = DifferenceHistogram.scores

  static let counts: [(name: String, path: any WritableKeyPath<Self, Int> & Sendable)] = [
    ("differing", \.differing), ("beyond_tolerance", \.beyondTolerance),
    ("beyond_encodings", \.beyondEncodings),
  ]

  static func += (sum: inout Self, other: Self) {
    sum.addCounts(of: other)
    sum.highest = max(sum.highest, other.highest)
    sum.sum += other.sum
    sum.histogram += other.histogram
  }
}
