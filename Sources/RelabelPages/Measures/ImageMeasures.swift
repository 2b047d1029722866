/// What one map says of its image, in numbers that a page sorts and counts.
///
/// The target is that of all that the map covers. For classes that don't exclude each other, and where absent classes
/// count as 0, its entropy is that of the target scaled to a sum of 1.
package struct ImageMeasures: Hashable, Sendable {
  /// The most probable class of the target, the lowest of several.
  package let best: UInt32
  /// Its probability.
  package let probability: Float
  /// The second class of the target and its probability; nil where a map has one class.
  package let second: Candidate?
  /// The entropy of the target in bits.
  package let entropy: Float
  /// The probability of all classes that no cell stores; nil for classes that don't exclude each other.
  package let missing: Float?
  /// The mean of the cells' own entropies in bits.
  package let cellEntropy: Float
  /// The mean over cells of the probability of all classes that the cell does not store; nil as `missing`.
  package let cellMissing: Float?
  /// As `cellMissing`, from the sums over all classes that the annotator had; nil where they were not kept.
  package var trueCellMissing: Float?
  /// What the source says; nil where it says nothing.
  package let label: LabelMeasures?
  /// The best class of each of the crops of `CropSet`; nil for a grid of one cell, which all crops share.
  package let crops: SIMD8<UInt32>?
  /// How the lower half of the map differs from the upper, and the right from the left, in bits of cells' mean entropy;
  /// nil for grids that have no halves.
  package let halves: Halves?
  /// True where all cells of a grid of several hold the same entries.
  package let isConstant: Bool
  /// A hash of the entries: maps of equal digests are the same map.
  package let digest: UInt64

  /// A class and its probability.
  package struct Candidate: Hashable, Sendable {
    /// The class.
    package let classIndex: UInt32
    /// Its probability in the target.
    package let probability: Float
  }

  /// How the halves of a map differ in mean entropy, in bits.
  package struct Halves: Hashable, Sendable {
    /// Rows of the grid: the second half minus the first.
    package let rows: Float
    /// Columns: likewise.
    package let columns: Float
  }

  /// How a map agrees with the class that the source gives to its image.
  package struct LabelMeasures: Hashable, Sendable {
    /// The class that the source gives.
    package let classIndex: UInt32
    /// Its probability in the target.
    package let probability: Float
    /// The share of cells in which it is the best class.
    package let lead: Float
    /// True where some cell stores it, at any rank.
    package let isSeen: Bool
  }

  /// True where the best class is that of the source; nil without a source label.
  package var agrees: Bool? { label.map { $0.classIndex == best } }

  /// True where the map knows next to nothing of the source's class: it leads no cell, and has less than a twentieth of the
  /// best class's probability; nil without a source label.
  package var isForeign: Bool? {
    label.map { $0.lead == 0 && $0.probability < probability / 20 }
  }

  /// The share of crops whose best class is another than that of the whole image; nil without crops.
  package var cropsOtherThanImage: Float? { share(otherThan: best) }

  /// The share of crops whose best class is another than that of the source; nil without crops or a label.
  package var cropsOtherThanLabel: Float? { label.flatMap { share(otherThan: $0.classIndex) } }

  private func share(otherThan id: UInt32) -> Float? {
    crops.map { crops in
      Float(crops.indices.count { crops[$0] != id }) / Float(crops.scalarCount)
    }
  }
}
