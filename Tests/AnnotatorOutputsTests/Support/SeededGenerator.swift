/// SplitMix64: the same numbers in every run, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// Copies of a file with one random bit of each flipped, the same in every run.
func flippedCopies(of bytes: [UInt8], count: Int = 300) -> [[UInt8]] {
  var random = SeededGenerator(1)
  return (0..<count).map { _ in
    var flipped = bytes
    flipped[Int.random(in: bytes.indices, using: &random)] ^=
      1 << UInt8.random(in: 0..<8, using: &random)
    return flipped
  }
}
