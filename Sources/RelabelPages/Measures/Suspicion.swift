import Relabel

extension ImageMeasures {
  /// How much a person should look at this image, from 0 to 1; `README.md` has the formula and its reasons.
  package var suspicion: Float {
    1 - (1 - contradiction) * (1 - Self.mostOfMixture * mixture)
      * (1 - (isConstant ? Self.ofConstant : 0))
  }

  /// What a map that looks the same everywhere adds: it can't be of a picture, whatever it says.
  private static let ofConstant: Float = 0.9
  /// What a mixed map adds at most: a picture of many things is mixed, too, and right.
  private static let mostOfMixture: Float = 0.5

  /// How much the map speaks against the source label: 0 where both agree, above 0.5 where the map does not have the
  /// label at all, 1 where it is also sure of another class.
  private var contradiction: Float {
    guard let label, label.classIndex != best, probability > 0 else { return 0 }
    let support = min(label.probability / probability, 1)
    return (1 - support) * (0.5 + 0.5 * min(probability, 1))
  }

  /// How much crops see other classes than the whole image, where the target itself is not sure.
  private var mixture: Float { (cropsOtherThanImage ?? 0) * max(0, 1 - probability) }
}
