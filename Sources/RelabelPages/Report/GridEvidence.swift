internal import Relabel

/// How the maps lie on their pictures, as far as their own statistics show it.
///
/// Photographs have a sky and a ground, so the mean entropy of their cells changes from top to bottom. Left and right are
/// alike on average. Where the mean changes from left to right and not from top to bottom, rows and columns seem to be
/// exchanged.
enum GridEvidence: String, Hashable, Sendable {
  /// The mean changes along the side that is the picture's height.
  case upright
  /// The mean changes along the other side.
  case transposed
  /// The maps don't say it.
  case unknown

  /// Images that it takes to say anything: of pairs of real maps, 3 % looked transposed.
  private static let fewest = 30
  /// Standard errors that a difference has to be away from 0.
  private static let significant = 5.0
  /// How many times the larger difference has to be the other one.
  private static let ratio = 2.0

  init(_ measures: DatasetMeasures, _ orientation: Orientation) {
    // In orientation xy, rows of the grid run along the width of the picture; unknown ones are judged as if they were yx.
    let isExchanged = orientation == .xy
    let down = isExchanged ? measures.columns : measures.rows
    let across = isExchanged ? measures.rows : measures.columns
    if measures.images < Self.fewest {
      self = .unknown
    } else if Self.isClear(across, beside: down) {
      self = .transposed
    } else if Self.isClear(down, beside: across) {
      self = .upright
    } else {
      self = .unknown
    }
  }

  private static func isClear(_ one: Difference, beside other: Difference) -> Bool {
    one.significance.magnitude >= significant
      && one.mean.magnitude >= ratio * other.mean.magnitude
  }
}
