import Relabel

/// Finds the views that can't be kept because of others of their batch (rules V028, V029).
struct MixedViews {
  /// Rows that can be kept.
  private(set) var kept: [Int]
  /// The others, ascending, each with the reason.
  private(set) var lost: [(row: Int, reason: String)] = []

  private let chosen: ChosenRows
  private var views: [SurveyedView] { chosen.shard.survey.views }

  private struct Place: Hashable {
    let batch: ViewBatch
    let slot: Int64
  }

  /// - Parameter chosen: the rows that would be kept.
  init(_ chosen: ChosenRows) {
    (self.chosen, kept) = (chosen, chosen.rows)
    guard !views.isEmpty else { return }
    dropTakenPlaces()
    while true {
      let rows = rowsOfPlaces()
      let alone = kept.compactMap { row in fault(row, rows).map { (row, $0) } }
      if alone.isEmpty { break }
      drop(alone)
    }
    lost.sort { $0.row < $1.row }
  }

  private func place(_ row: Int) -> Place? {
    views[row].batch.map { Place(batch: $0, slot: Int64(views[row].slot)) }
  }

  private func rowsOfPlaces() -> [Place: Int] {
    Dictionary(kept.compactMap { row in place(row).map { ($0, row) } }) { first, _ in first }
  }

  private mutating func drop(_ rows: [(Int, String)]) {
    lost += rows.map { (row: $0.0, reason: $0.1) }
    let gone = Set(rows.map(\.0))
    kept.removeAll(where: gone.contains)
  }

  private mutating func dropTakenPlaces() {
    let first = rowsOfPlaces()
    drop(
      kept.compactMap { row in
        guard let place = place(row), let other = first[place], other != row else { return nil }
        return (row, "row \(other) has the same place in the replay and is kept")
      }
    )
  }

  /// Why a view can't be kept, or nil.
  private func fault(_ row: Int, _ rows: [Place: Int]) -> String? {
    for (number, mix) in views[row].mixes.enumerated() where mix.slot >= 0 {
      guard let batch = views[row].batch else { return "it is mixed with a view of no batch" }
      guard let other = rows[Place(batch: batch, slot: mix.slot)] else {
        return "the view that it is mixed with is lost"
      }
      if mix.image >= 0, mix.image != chosen.imageIndex(other) {
        return "the view in the place that it is mixed with is of another image"
      }
      if views[other].mixes[number].digest != mix.digest {
        return "it and the view that it is mixed with do not agree"
      }
    }
    return nil
  }
}
