internal import RelabelFormat

/// What is wrong with what a map's factors say of classes.
struct FactorFault {
  let rule: Rule
  /// The HDF5 dataset that it stands in.
  let dataset: String
  let message: String
}

extension FactorTable {
  /// The first fault of `count` factors: numbers that were never written, and scales that are no power of two and not 0.
  func fault(count: Int) -> FactorFault? {
    var isWritten: UInt8 = 1
    for place in 0..<count &* numClasses { isWritten &= numbers[place] == .max ? 0 : 1 }
    if isWritten == 0 {
      return FactorFault(
        rule: .v007,
        dataset: Layout.classFactor,
        message: "a number of a factor was never written"
      )
    }
    for factor in 0..<count where !Layout.isFactorScale(scale[factor]) {
      let (rule, message): (Rule, String) =
        if scale[factor].isNaN {
          (.v007, "the scale of a factor was never written")
        } else if scale[factor].isInfinite {
          (.v003, "the scale of a factor is not finite")
        } else {
          (.v032, "the scale \(Double(scale[factor])) is no power of two and not 0")
        }
      return FactorFault(rule: rule, dataset: Layout.factorScale, message: message)
    }
    return nil
  }

  /// Refuses factors in somebody's memory that no reader would hand out.
  ///
  /// - Parameters:
  ///   - score: amounts of the factors in the cells.
  ///   - shape: of the map.
  /// - Throws: `.invalidInput` saying what is wrong, and for an amount which cell.
  func check(_ score: UnsafePointer<Float>, _ shape: MapShape) throws(RelabelError) {
    if let fault = fault(count: shape.topK) {
      throw RelabelError(.invalidInput, fault.message, at: Location(dataset: fault.dataset))
    }
    var isFinite = true
    for entry in 0..<shape.entries { isFinite = isFinite && score[entry].isFinite }
    if isFinite { return }
    for entry in 0..<shape.entries where !score[entry].isFinite {
      throw RelabelError(
        .invalidInput,
        "the amount \(score[entry]) of factor \(entry % shape.topK) is not finite",
        at: Location(cell: shape.cell(at: entry))
      )
    }
  }
}
