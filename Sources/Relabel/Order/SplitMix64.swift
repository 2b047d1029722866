/// The generator behind row permutation and epoch order, small enough for any language (spec,
/// sections 9.4 and 14.1).
package struct SplitMix64: Sendable {
  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15
  private var state: UInt64

  package init(state: UInt64) { self.state = state }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= Self.gamma
    return Self.mix(state)
  }

  /// The bits that come `index`-th from `state`, without the ones before.
  package static func bits(_ index: Int, from state: UInt64) -> UInt64 {
    mix(state &+ (UInt64(index) &+ 1) &* gamma)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// The state that the keys of an epoch start from.
  package static func base(seed: UInt64, epoch: UInt64) -> UInt64 {
    mix(mix(seed &+ gamma) ^ epoch)
  }
}
