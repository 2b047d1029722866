internal import Relabel

/// What the cells of a map say one by one.
struct GridMeasures {
  /// Means over cells.
  private(set) var (entropy, missing): (Float, Float) = (0, 0)
  /// The share of cells that the label leads, and whether any stores it.
  private(set) var (lead, isLabelSeen): (Float, Bool) = (0, false)
  private(set) var isConstant: Bool
  private(set) var halves: ImageMeasures.Halves?

  /// Looks at all cells of a map, and counts them.
  init(_ map: LabelMap, _ label: UInt32?, _ reading: CellReading, _ counts: inout CellCounts) {
    let shape = map.shape
    isConstant = shape.cells > 1
    var rows = HalfSums(shape.height)
    var columns = HalfSums(shape.width)
    map.classIndex.withUnsafeBufferPointer { ids in
      map.score.withUnsafeBufferPointer { scores in
        var cell = 0
        for row in 0..<shape.height {
          for column in 0..<shape.width {
            let entries = cell * shape.topK..<(cell + 1) * shape.topK
            let stored = UnsafeBufferPointer(rebasing: ids[entries])
            let values = UnsafeBufferPointer(rebasing: scores[entries])
            let said = reading.read(values)
            let best = Self.best(stored, values)
            entropy += said.entropy
            missing += said.missing
            rows.add(said.entropy, at: row)
            columns.add(said.entropy, at: column)
            if let label {
              if best == label { lead += 1 }
              if !isLabelSeen { isLabelSeen = stored.contains(label) }
            }
            if isConstant, cell > 0 { isConstant = Self.isLikeFirst(ids, scores, entries) }
            counts.add(
              row: row,
              column: column,
              best: Int(best),
              stored: stored,
              entropy: said.entropy,
              missing: said.missing
            )
            cell += 1
          }
        }
      }
    }
    counts.addMap()
    let cells = Float(shape.cells)
    (entropy, missing, lead) = (entropy / cells, missing / cells, lead / cells)
    if let down = rows.difference(across: shape.width),
      let across = columns.difference(across: shape.height)
    {
      halves = ImageMeasures.Halves(rows: down, columns: across)
    }
  }

  /// The class with the highest score of a cell, the lowest of several.
  @inline(__always)
  private static func best(
    _ ids: UnsafeBufferPointer<UInt32>,
    _ scores: UnsafeBufferPointer<Float>
  ) -> UInt32 {
    var best = 0
    for entry in 1..<max(ids.count, 1)
    where scores[entry] > scores[best]
      || (scores[entry] == scores[best] && ids[entry] < ids[best])
    {
      best = entry
    }
    return ids[best]
  }

  private static func isLikeFirst(
    _ ids: UnsafeBufferPointer<UInt32>,
    _ scores: UnsafeBufferPointer<Float>,
    _ entries: Range<Int>
  ) -> Bool {
    for (place, entry) in entries.enumerated()
    where ids[place] != ids[entry] || scores[place] != scores[entry] {
      return false
    }
    return true
  }
}

/// Sums over the two halves of one side of the grid; the middle of an odd side is in neither.
private struct HalfSums {
  private let length: Int
  private var (first, second): (Float, Float) = (0, 0)

  init(_ length: Int) { self.length = length }

  @inline(__always)
  mutating func add(_ value: Float, at place: Int) {
    if place < length / 2 {
      first += value
    } else if place >= length - length / 2 {
      second += value
    }
  }

  /// The second half's mean minus that of the first, or nil for a side of one cell.
  func difference(across other: Int) -> Float? {
    let count = length / 2 * other
    return count == 0 ? nil : (second - first) / Float(count)
  }
}
