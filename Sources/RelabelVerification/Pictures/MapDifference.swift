internal import Relabel

/// How two maps of one image differ.
struct MapDifference: Sendable {
  /// Entries that were compared.
  private(set) var entries = 0
  /// Entries whose class the other map has in the same cell.
  private(set) var common = 0
  /// Sum of |Δ score| over those.
  private(set) var distance = 0.0

  init() {}

  /// Compares two maps of the same shape; the order of a cell's entries does not matter.
  ///
  /// - Complexity: O(cells · k log k).
  init(_ stored: LabelMap, _ fresh: LabelMap) {
    let topK = stored.shape.topK
    for start in stride(from: 0, to: stored.shape.entries, by: topK) {
      let cell = start..<start + topK
      let fresh = fresh.sortedEntries(cell)
      var place = 0
      for (id, score) in stored.sortedEntries(cell) {
        while place < fresh.count, fresh[place].id < id { place += 1 }
        guard place < fresh.count, fresh[place].id == id else { continue }
        common += 1
        distance += abs(Double(score) - Double(fresh[place].score))
      }
    }
    entries = stored.shape.entries
  }

  /// Mean |Δ score| of classes that both maps have; infinite when there are none.
  var meanDistance: Double { common > 0 ? distance / Double(common) : .infinity }
  /// The share of entries whose class the other map does not have.
  var shareOfOthers: Double { 1 - Double(common) / Double(max(entries, 1)) }

  static func += (sum: inout MapDifference, other: MapDifference) {
    sum.entries += other.entries
    sum.common += other.common
    sum.distance += other.distance
  }
}

extension LabelMap {
  fileprivate func sortedEntries(_ cell: Range<Int>) -> [(id: UInt32, score: Float)] {
    cell.map { (classIndex[$0], score[$0]) }.sorted { $0.id < $1.id }
  }
}
