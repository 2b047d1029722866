internal import Relabel

/// What the cells of a map say one by one.
struct GridMeasures {
  /// Means over cells.
  private(set) var (entropy, missing): (Float, Float) = (0, 0)
  /// The share of cells that the label leads, and whether any stores it.
  private(set) var (lead, isLabelSeen): (Float, Bool) = (0, false)
  private(set) var isConstant: Bool
  private(set) var halves: ImageMeasures.Halves?
  private let label: UInt32?
  private let shape: MapShape
  private var rows: HalfSums
  private var columns: HalfSums

  private init(_ shape: MapShape, _ label: UInt32?) {
    (self.shape, self.label) = (shape, label)
    isConstant = shape.cells > 1
    (rows, columns) = (HalfSums(shape.height), HalfSums(shape.width))
  }

  /// Looks at all cells of a map of classes, and counts them.
  init(_ map: LabelMap, _ label: UInt32?, _ reading: CellReading, _ counts: inout CellCounts) {
    self.init(map.shape, label)
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
            if let label, !isLabelSeen { isLabelSeen = stored.contains(label) }
            if isConstant, cell > 0 { isConstant = Self.isLikeFirst(ids, scores, entries) }
            add(row, column, best, said.entropy, said.missing)
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
    finish(&counts)
  }

  /// Looks at all cells of a map of factors, which have all classes, and counts them.
  init(_ map: LabelMap, _ label: UInt32?, _ cells: FactorCells, _ counts: inout CellCounts) {
    self.init(map.shape, label)
    isLabelSeen = label != nil
    isConstant = isConstant && Self.areAmountsEqual(map)
    cells.forEachCell(of: map) { cell, reading in
      let (row, column) = cell.quotientAndRemainder(dividingBy: shape.width)
      let entropy = reading.entropy * Bits.perNat
      add(row, column, reading.best, entropy, 0)
      counts.add(
        row: row,
        column: column,
        best: Int(reading.best),
        stored: UnsafeBufferPointer(start: nil, count: 0),
        entropy: entropy,
        missing: 0
      )
    }
    counts.addAllClasses()
    finish(&counts)
  }

  @inline(__always)
  private mutating func add(
    _ row: Int,
    _ column: Int,
    _ best: UInt32,
    _ bits: Float,
    _ mass: Float
  ) {
    entropy += bits
    missing += mass
    rows.add(bits, at: row)
    columns.add(bits, at: column)
    if best == label { lead += 1 }
  }

  private mutating func finish(_ counts: inout CellCounts) {
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

  /// True where all cells have the same amounts of the factors that are worth something.
  private static func areAmountsEqual(_ map: LabelMap) -> Bool {
    let count = map.shape.topK
    let used = (0..<count).filter { map.factors?.scale[$0] != 0 }
    return (1..<max(map.shape.cells, 1)).allSatisfy { cell in
      used.allSatisfy { map.score[cell * count + $0] == map.score[$0] }
    }
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
