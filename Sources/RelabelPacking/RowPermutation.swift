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
