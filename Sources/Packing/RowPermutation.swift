package import Relabel

/// The order in which listed images become rows (spec, "Permutation").
package enum RowPermutation {
  /// Places in the listing, row by row.
  package static func places(_ count: Int, _ order: RowOrder) -> [Int] {
    var places = Array(0..<count)
    guard case .shuffled(let seed) = order else { return places }
    var random = SplitMix64(state: seed)
    for last in stride(from: count - 1, through: 1, by: -1) {
      let chosen = Int(random.next().multipliedFullWidth(by: UInt64(last + 1)).high)
      places.swapAt(last, chosen)
    }
    return places
  }
}

/// The generator that the spec names, so that any language can make the same permutation.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
