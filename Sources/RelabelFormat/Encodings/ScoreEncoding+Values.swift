extension ScoreEncoding {
  /// The stored form of a score, or nil when the encoding can't hold it (spec, section 6.3).
  func stored(_ score: Float) -> UInt32? {
    guard score.isFinite else { return nil }
    if let packing, let highest = name.highestStored {
      let steps = ((Double(score) - Double(packing.offset)) / Double(packing.step))
        .rounded(.toNearestOrEven)
      return steps >= 0 && steps <= highest ? UInt32(steps) : nil
    }
    guard name.form == .half else { return score.bitPattern }
    let half = Float16Bits.narrow(score)
    let decoded = Float16Bits.widen(half)
    guard decoded.isFinite else { return nil }
    if let maximumError, abs(Double(decoded) - Double(score)) > maximumError { return nil }
    return UInt32(half)
  }

  /// The score that a stored form stands for.
  func decoded(_ stored: UInt32) -> Float {
    if let packing { return Float(stored) * packing.step + packing.offset }
    return name.form == .half
      ? Float16Bits.widen(UInt16(truncatingIfNeeded: stored)) : Float(bitPattern: stored)
  }
}
