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
    if !areWritten(count &* numClasses) {
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
    if areFinite(score, shape.entries) { return }
    for entry in 0..<shape.entries where !score[entry].isFinite {
      throw RelabelError(
        .invalidInput,
        "the amount \(score[entry]) of factor \(entry % shape.topK) is not finite",
        at: Location(cell: shape.cell(at: entry))
      )
    }
  }

  /// True where none of the first numbers is what a file has where nothing was written.
  private func areWritten(_ count: Int) -> Bool {
    var highest = SIMD16<UInt8>.zero
    for place in stride(from: 0, to: count & ~15, by: 16) {
      let some = UnsafeRawPointer(numbers + place).loadUnaligned(as: SIMD16<UInt8>.self)
      highest.replace(with: some, where: some .> highest)
    }
    var last = highest.max()
    for place in count & ~15..<count { last = max(last, numbers[place]) }
    return last < .max
  }

  private func areFinite(_ score: UnsafePointer<Float>, _ count: Int) -> Bool {
    // 0 times an infinite number is none, and stays none in a sum.
    var zeros = SIMD8<Float>.zero
    for entry in stride(from: 0, to: count & ~7, by: 8) {
      zeros += UnsafeRawPointer(score + entry).loadUnaligned(as: SIMD8<Float>.self) * 0
    }
    var last = zeros.sum()
    for entry in count & ~7..<count { last += score[entry] * 0 }
    return last == 0
  }
}
