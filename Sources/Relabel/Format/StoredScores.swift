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

  /// Packed encodings: a loop without branches, since every score of a dataset passes through it.
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
    var (lowest, highestSeen) = (Double.infinity, -Double.infinity)
    var largest = 0.0
    scores.withUnsafeBufferPointer { scores in
      stored.withUnsafeMutableBufferPointer { stored in
        for entry in 0..<scores.count {
          let given = Double(scores[entry])
          let rounded = (given - offset) * perStep + rounder
          let steps = rounded - rounder
          isHeld = isHeld && steps >= 0 && steps <= highest
          stored[entry] = UInt32(truncatingIfNeeded: rounded.bitPattern)
          let error = abs(steps * step + offset - given)
          largest = error > largest ? error : largest
          lowest = steps < lowest ? steps : lowest
          highestSeen = steps > highestSeen ? steps : highestSeen
        }
      }
    }
    guard isHeld else { return false }
    largestError = largest
    range = Float(lowest * step + offset)...Float(highestSeen * step + offset)
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
