/// What can be wrong with the entries of one cell.
package struct CellFaults: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let unwrittenClass = CellFaults(rawValue: 1)
  package static let unwrittenScore = CellFaults(rawValue: 2)
  package static let classOutOfRange = CellFaults(rawValue: 4)
  package static let duplicateClass = CellFaults(rawValue: 8)
  package static let notFinite = CellFaults(rawValue: 16)
  package static let outOfOrder = CellFaults(rawValue: 32)
  package static let probabilityRange = CellFaults(rawValue: 64)
  package static let probabilitySum = CellFaults(rawValue: 128)

  /// A fault, the rule it breaks, the HDF5 dataset it lies in, and what it says of a map in few words.
  package typealias Kind = (fault: CellFaults, rule: Rule, dataset: String, summary: String)

  /// Every fault, in the order in which they are named.
  package static let kinds: [Kind] = [
    (.unwrittenClass, .v007, Layout.classIndex, "it was never written"),
    (.unwrittenScore, .v007, Layout.score, "it was never written"),
    (.classOutOfRange, .v001, Layout.classIndex, "a class id is not below num_classes"),
    (.duplicateClass, .v002, Layout.classIndex, "the class ids of a cell are not distinct"),
    (.notFinite, .v003, Layout.score, "a score is not finite"),
    (.outOfOrder, .v004, Layout.classIndex, "the entries of a cell are not in order"),
    (.probabilityRange, .v005, Layout.score, "a score is not a probability"),
    (.probabilitySum, .v006, Layout.score, "the probabilities of a cell sum to more than 1"),
  ]

  /// Every fault at once.
  package static let all = CellFaults(rawValue: .max)

  /// The faults for which every reader refuses a map; what is left out only makes targets odd.
  package static let forReaders: CellFaults = [
    .unwrittenClass, .unwrittenScore, .classOutOfRange, .duplicateClass, .notFinite,
  ]

  /// The kinds of these faults, in the order in which they are named.
  package var kinds: [Kind] { Self.kinds.filter { contains($0.fault) } }
}
