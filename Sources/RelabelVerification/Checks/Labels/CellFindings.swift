internal import Relabel

/// Adds what is wrong with the cells of a map to a tally (rules V001–V007).
struct CellFindings: Sendable {
  private let inspection: CellInspection

  init(_ header: ShardHeader) { inspection = CellInspection(header) }

  /// Whether a map is sound, and the range of its finite scores.
  struct Outcome {
    var isSound = true
    var scoreRange: ClosedRange<Float>?
  }

  /// Adds what is wrong with a map to the tally: for each fault the first cell, and how many more.
  func check(
    _ classIndex: ArraySlice<UInt8>,
    _ score: ArraySlice<UInt8>,
    row: Int,
    _ tally: inout Tally
  ) -> Outcome {
    var found: [(fault: CellFaults, violation: Violation, count: Int)] = []
    let range = inspection.forEachFault(classIndex, score) { cell in
      for (fault, rule, dataset, _) in cell.faults.kinds {
        if let place = found.firstIndex(where: { $0.fault == fault }) {
          found[place].count += 1
        } else {
          let place = Location(dataset: dataset, row: row, cell: cell.place)
          found.append((fault, Violation(rule, cell.message(fault), at: place), 1))
        }
      }
      return true
    }
    for (_, violation, count) in found { tally.add(violation, count: count) }
    return Outcome(isSound: found.isEmpty, scoreRange: range)
  }
}
