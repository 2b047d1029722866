/// What was counted of one class.
struct ClassCounts: Hashable, Sendable {
  /// Images whose target has it as the best class.
  var best = 0
  /// Images that the source gives it to.
  var labelled = 0
  /// Those of them whose best class it is.
  var agreeing = 0
  /// Those of them in which no cell stores it.
  var unseen = 0
  /// The sum of its probabilities in the targets of labelled images.
  var mass = 0.0
  /// Crops of labelled images, and those of them whose best class is another.
  var crops = 0
  var cropsOther = 0

  /// The share of labelled images that agree; nil without any.
  var agreement: Double? { labelled == 0 ? nil : Double(agreeing) / Double(labelled) }
  /// The mean probability of the class in labelled images.
  var meanProbability: Double? { labelled == 0 ? nil : mass / Double(labelled) }
  /// The share of crops of labelled images that show another class best.
  var cropsOtherShare: Double? { crops == 0 ? nil : Double(cropsOther) / Double(crops) }
}
