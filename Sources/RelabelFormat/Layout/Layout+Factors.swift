/// HDF5 datasets of shards whose maps are sums of products (spec, section 4.11).
///
/// `score` has how much of each factor lies in a cell, and the ids of a cell number the factors; what a factor says of each
/// class stands here.
extension Layout {
  package static let classFactor = "class_factor"
  package static let factorScale = "factor_scale"

  /// The attribute of `class_factor` that says how near the writer made factors, in its own measure.
  package static let quality = "quality"
  /// The attribute of `class_factor` that says how far targets are from those of all scores (`TargetError`).
  package static let targetError = "target_error"

  /// What a stored number of `class_factor` has more than the number that it means.
  package static let classFactorOffset = 127

  /// Datasets that a shard has with the feature `factors`, and only then.
  package static let factors: [Column] = [
    Column(classFactor, axes: "image factor class", [.uint8], isShuffled: false),
    Column(factorScale, axes: "image factor", [.float32], isShuffled: true),
  ]

  /// True for a scale that a factor may have: a power of two, or 0 for one that the map does not need.
  package static func isFactorScale(_ scale: Float) -> Bool {
    scale == 0 || scale > 0 && scale.isNormal && scale.significand == 1
  }
}
