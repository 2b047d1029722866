internal import Relabel

/// Sums of the probabilities that the scores of a cell stand for.
struct CellMasses<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  let keys: ScoreKeys<Lane>
  let topK: Int

  /// More than the quick exponential is off, for sums near 1.
  static var uncertainty: Double { 1e-5 }

  /// The largest sum of probabilities in a cell of a map with sound scores.
  ///
  /// - Parameters:
  ///   - scores: the keys of the map's scores.
  ///   - entries: how many.
  ///   - areLogarithms: whether scores are logarithms of probabilities, at most about 0.
  ///   - scratch: room for `entries` numbers.
  /// - Returns: the sum, within `uncertainty` for logarithms and else exactly.
  func largest(
    _ scores: UnsafePointer<Lane>,
    _ entries: Int,
    areLogarithms: Bool,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> Double {
    keys.decode(scores, entries, into: scratch)
    if areLogarithms { Self.exponentiate(scratch, entries) }
    var largest = 0.0
    for cell in stride(from: 0, to: entries, by: topK) {
      var sum = 0.0
      for entry in cell..<cell &+ topK { sum += Double(scratch[entry]) }
      largest = max(largest, sum)
    }
    return largest
  }

  /// e^x in place, for x up to 80; relative error below 1e-6, and below 1e-37 absolutely.
  ///
  /// x = n ln 2 + r with |r| ≤ ln 2 / 2, and e^r by its series.
  private static func exponentiate(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    for entry in 0..<count {
      let x = values[entry] < -87 ? -87 : values[entry]
      // Adding 1.5 · 2^23 rounds to a whole number, which is then in the low bits.
      let shifted = x * 1.442_695 + 12_582_912
      let n = shifted - 12_582_912
      let r = (x - n * 0.693_359_4) + n * 0.000_212_194_4
      var series: Float = 1 / 720
      series = series * r + 1 / 120
      series = series * r + 1 / 24
      series = series * r + 1 / 6
      series = series * r + 0.5
      series = series * r + 1
      series = series * r + 1
      let exponent = Int32(bitPattern: shifted.bitPattern) &- 0x4B40_0000
      let power = Float(bitPattern: UInt32(bitPattern: (exponent &+ 127) &<< 23))
      values[entry] = series * power
    }
  }
}
