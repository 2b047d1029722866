/// How far scores may lie apart and still count as the same.
package enum ScoreTolerance: Hashable, Sendable {
  /// By this much, in the units of the scores.
  case number(Double)
  /// By what the two encodings promise together.
  case encodings
}

/// What a comparison of two datasets looks at.
package struct DifferenceOptions: Sendable {
  /// Random crops of each image whose targets are compared.
  package var crops: Int
  /// What the crops are drawn from.
  package var seed: UInt64
  /// How far scores may lie apart.
  package var tolerance: ScoreTolerance
  /// How many images, keys and pairs of classes are listed.
  package var listed: Int

  /// Makes the options.
  package init(
    crops: Int = 4,
    seed: UInt64 = 0,
    tolerance: ScoreTolerance = .number(0),
    listed: Int = 20
  ) {
    self.crops = crops
    self.seed = seed
    self.tolerance = tolerance
    self.listed = listed
  }
}
