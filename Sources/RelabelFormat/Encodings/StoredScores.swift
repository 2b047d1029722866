/// The scores of one map in their stored form, and what storing did to them.
struct StoredScores {
  private(set) var stored: [UInt32]
  /// The largest |decoded − given|.
  private(set) var largestError = 0.0
  /// Lowest and highest decoded score.
  private(set) var range: ClosedRange<Float> = 0...0

  /// Stores all scores, or is nil when the encoding can't hold one of them.
  init?(_ scores: [Float], _ encoding: ScoreEncoding) {
    stored = [UInt32](repeating: 0, count: scores.count)
    if let packing = encoding.packing, let highest = encoding.name.highestStored {
      guard pack(scores, packing, highest: highest) else { return nil }
    } else {
      guard narrow(scores, encoding) else { return nil }
    }
  }

  /// Stores all scores in a packed encoding; false when one does not fit.
  ///
  /// A loop that the compiler turns into vector instructions, since every score of a dataset passes through
  /// it; so it compares whole numbers, which has no cases as floats have.
  private mutating func pack(
    _ scores: [Float],
    _ packing: ScoreEncoding.Packing,
    highest: Double
  ) -> Bool {
    let (step, offset) = (Double(packing.step), Double(packing.offset))
    // Exact: the step is a power of two.
    let perStep = 1 / step
    // Added, it rounds to the nearest whole number, ties to even, and leaves it in the low bits.
    let rounder = 0x1.8p52
    var isHeld = true
    var (lowestForm, highestForm, largestBits) = (Int32.max, Int32.min, Int32(0))
    scores.withUnsafeBufferPointer { scores in
      stored.withUnsafeMutableBufferPointer { stored in
        for entry in 0..<scores.count {
          let given = scores[entry]
          let rounded = (Double(given) - offset) * perStep + rounder
          let steps = rounded - rounder
          isHeld = isHeld && steps >= 0 && steps <= highest
          let form = Int32(truncatingIfNeeded: rounded.bitPattern)
          stored[entry] = UInt32(bitPattern: form)
          lowestForm = min(lowestForm, form)
          highestForm = max(highestForm, form)
          // Exact: the two are a multiple of the step and what is at most half a step away. Without its
          // sign, the bits of a float grow with it.
          let error = (Float(steps * step + offset) - given).magnitude
          largestBits = max(largestBits, Int32(truncatingIfNeeded: error.bitPattern))
        }
      }
    }
    guard isHeld else { return false }
    largestError = Double(Float(bitPattern: UInt32(largestBits)))
    let lowest = Float(Double(lowestForm) * step + offset)
    range = lowest...Float(Double(highestForm) * step + offset)
    return true
  }

  private mutating func narrow(_ scores: [Float], _ encoding: ScoreEncoding) -> Bool {
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    for (entry, given) in scores.enumerated() {
      guard let form = encoding.stored(given) else { return false }
      let decoded = encoding.decoded(form)
      stored[entry] = form
      largestError = max(largestError, abs(Double(decoded) - Double(given)))
      lowest = min(lowest, decoded)
      highest = max(highest, decoded)
    }
    range = lowest...highest
    return true
  }
}
