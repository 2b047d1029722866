internal import Relabel

/// What confusions say of the list of classes: a list in another order confuses each class with one other.
struct ClassListEvidence: Sendable {
  /// By how many ids the best class lies behind the label in most images, counted around the end; nil for none.
  let shift: Int?
  /// Images whose best class lies so.
  let shifted: Int
  /// The share of labelled images whose best class is the most frequent one of their label, where that is mostly
  /// another; nil where labels have too few images to say.
  let consistency: Double?

  /// Labelled images that it takes to say anything.
  private static let fewest = 50

  init(_ measures: DatasetMeasures) {
    let labels = measures.labels
    let isOften = labels.images >= Self.fewest
    let different = measures.classes.count { $0.labelled > 0 }
    let most = measures.offsets.enumerated().dropFirst().max { $0.element < $1.element }
    if isOften, different >= 5, let most, most.element * 2 > labels.images {
      let classes = measures.offsets.count
      shift = most.offset * 2 > classes ? most.offset - classes : most.offset
      shifted = most.element
    } else {
      (shift, shifted) = (nil, 0)
    }
    guard isOften, labels.images >= 4 * different, measures.confusions.isExact else {
      consistency = nil
      return
    }
    let partners = measures.confusions.partners()
    let consistent = partners.reduce(0) { sum, partner in
      let id = Int(partner.key)
      guard id < measures.classes.count else { return sum }
      return sum + (partner.value.count > measures.classes[id].agreeing ? partner.value.count : 0)
    }
    consistency = Double(consistent) / Double(labels.images)
  }
}
