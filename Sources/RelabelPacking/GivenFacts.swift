import AnnotatorOutputs
import Relabel

/// The values of optional datasets that images bring with them, and whether they may be stored.
struct GivenFacts: Sendable {
  /// The optional datasets, in the order of the layout.
  let names: [String]
  private let numClasses: Int
  private let views: ViewFacts?

  init(_ columns: [Layout.Column], numClasses: Int, views: ViewFacts?) {
    names = columns.map(\.name)
    (self.numClasses, self.views) = (numClasses, views)
  }

  /// Refuses values that break a rule of the format (spec, section 4.5).
  ///
  /// - Parameters:
  ///   - image: whose values they are.
  ///   - encoded: the same image in its stored form.
  ///   - codec: of the shard.
  /// - Throws: `.invalidInput` naming the dataset and, of a cell's value, the cell.
  func check(
    _ image: PendingImage,
    _ encoded: EncodedImage,
    _ codec: MapCodec
  ) throws(RelabelError) {
    for (name, value) in zip(names, image.facts) {
      var fault: String?
      var cell: Location.Cell?
      if let place = OptionalValues.firstNonFinite(value[...], of: name) {
        fault = "a value is NaN or infinite"
        if name == Layout.logNormalizer {
          cell = Location.Cell(y: place / codec.shape.width, x: place % codec.shape.width)
        }
      } else if !Layout.mayBeUnknown.contains(name), isUnwritten(value, name) {
        fault = "it is the value that stands for 'never written'"
      } else if let found = OptionalValues.fault(
        value[...],
        of: name,
        numClasses: numClasses,
        viewSize: views?.size
      ) {
        fault = found.reason
      } else if name == Layout.logNormalizer {
        let map = codec.map(of: encoded)
        if let low = OptionalValues.lowNormalizer(
          value[...],
          map.score,
          codec.encoding,
          map.shape
        ) {
          (cell, fault) = (low.cell, low.reason)
        }
      }
      if let fault {
        throw RelabelError(.invalidInput, "its '\(name)' can't be stored: \(fault)")
          .located(Location(dataset: name, key: image.key, cell: cell))
      }
    }
  }

  /// True where a number of the value is the fill value.
  private func isUnwritten(_ value: [UInt8], _ name: String) -> Bool {
    guard let type = Layout.optional.first(where: { $0.name == name })?.types.first else {
      return false
    }
    let fill = Layout.fillValue(type)
    return stride(from: 0, to: value.count, by: fill.count)
      .contains { value[$0..<$0 + fill.count] == fill[...] }
  }
}
