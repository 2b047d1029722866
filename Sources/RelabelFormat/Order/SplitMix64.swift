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

  /// The index whose bits from `state` are `bits`: no two have the same.
  package static func index(of bits: UInt64, from state: UInt64) -> Int {
    Int(truncatingIfNeeded: (unmixed(bits) &- state) &* 0xF1DE_83E1_9937_733D &- 1)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// The value that `mix` gave `mixed` for: every step is undone, factors by their inverses modulo 2⁶⁴.
  private static func unmixed(_ mixed: UInt64) -> UInt64 {
    var value = mixed
    value = (value ^ value >> 31 ^ value >> 62) &* 0x3196_42B2_D24D_8EC3
    value = (value ^ value >> 27 ^ value >> 54) &* 0x96DE_1B17_3F11_9089
    return value ^ value >> 30 ^ value >> 60
  }

  /// The state that the keys of an epoch start from.
  package static func base(seed: UInt64, epoch: UInt64) -> UInt64 {
    mix(mix(seed &+ gamma) ^ epoch)
  }
}
