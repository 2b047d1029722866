/// Reads how scores are stored (spec, "Score encodings").
struct EncodingInspection {
  let report: (Violation) -> Void

  /// The encoding, or nil when scores can't be decoded.
  func inspect(
    _ dataset: ObjectContents,
    _ scores: DatasetDescription
  ) -> ScoreEncoding? {
    let place = Location(dataset: Layout.score)
    let attributes = AttributeReader(dataset, rule: .l010, at: place, report: report)
    guard let name = attributes.word("encoding", ScoreEncoding.Name.self) else { return nil }
    inspectFill(dataset, isPacked: name.highestStored != nil, scores)
    let largestError = largestError(attributes)
    guard name.highestStored != nil else {
      if attributes.has("scale_factor") || attributes.has("add_offset") {
        attributes.fail("\(name.rawValue) scores have no 'scale_factor' or 'add_offset'")
      }
      if name.form == .single, let largestError, largestError > 0 {
        attributes.fail(
          "attribute 'largest_error' is \(largestError), but \(name.rawValue) loses nothing"
        )
      }
      return ScoreEncoding(name: name, packing: nil)
    }
    guard let step = attributes.floats("scale_factor", .float32)?.first,
      let offset = attributes.floats("add_offset", .float32)?.first
    else { return nil }
    guard step > 0, step.isFinite, step.significand == 1 else {
      attributes.fail("attribute 'scale_factor' is \(step), not a power of two")
      return nil
    }
    let multiple = offset / step
    // Within 2^23 steps of 0, so that every sum is exact in float32 (spec, section 6.1).
    guard multiple.rounded() == multiple, abs(multiple) <= 0x1p23 else {
      attributes.fail("attribute 'add_offset' is \(offset), not a multiple of the step \(step)")
      return nil
    }
    let encoding = ScoreEncoding(
      name: name,
      packing: ScoreEncoding.Packing(step: Float(step), offset: Float(offset))
    )
    guard encoding.range.upperBound.isFinite else {
      attributes.fail("the highest score at step \(step) from \(offset) is not finite")
      return nil
    }
    if let error = largestError, error > Double(step) / 2 {
      attributes.fail("attribute 'largest_error' is \(error), more than half a step of \(step)")
    }
    return encoding
  }

  /// `_FillValue` stands on packed scores and nowhere else.
  private func inspectFill(
    _ dataset: ObjectContents,
    isPacked: Bool,
    _ scores: DatasetDescription
  ) {
    let attribute = dataset["_FillValue"]
    guard isPacked else {
      if attribute != nil { fail("float scores have no '_FillValue'") }
      return
    }
    let allOnes = (Int64(1) << Int64(8 * scores.type.size)) - 1
    if attribute?.type != scores.type || attribute?.shape != []
      || attribute?.value != .integers([allOnes])
    {
      fail("attribute '_FillValue' is not one \(scores.type) of all ones")
    }
  }

  /// What the writer noted, or nil after a report or where it noted nothing.
  private func largestError(_ attributes: AttributeReader) -> Double? {
    guard attributes.has("largest_error"),
      let error = attributes.floats("largest_error", .float64)?.first
    else { return nil }
    if error >= 0, error.isFinite { return error }
    attributes.fail("attribute 'largest_error' is \(error), not a number of at least 0")
    return nil
  }

  private func fail(_ message: String) {
    report(Violation(.l009, message, at: Location(dataset: Layout.score)))
  }
}
