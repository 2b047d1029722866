internal import Relabel

/// Compares the cells of maps of two datasets.
struct CellComparison: Sendable {
  private let a: ShardHeader
  private let b: ShardHeader
  private let tolerance: ScoreTolerance
  /// True where the encodings say how far a score may be from what it was; factors say nothing of single scores.
  let promises: Bool
  /// Why cells can't be compared, or nil.
  let obstacle: String?
  /// Why scores can't be compared, or nil.
  let scoreObstacle: String?
  /// True where the columns of B are the rows of A.
  private let isTransposed: Bool

  /// Prepares a comparison of maps of classes, by their headers.
  init(_ a: ShardHeader, _ b: ShardHeader, _ tolerance: ScoreTolerance, promises: Bool = true) {
    (self.a, self.b, self.tolerance, self.promises) = (a, b, tolerance, promises)
    let known: Set<Orientation> = [a.orientation, b.orientation]
    isTransposed = known == [.yx, .xy]
    let grid = (b.shape.height, b.shape.width)
    let isSame = (a.shape.height, a.shape.width) == (isTransposed ? (grid.1, grid.0) : grid)
    obstacle =
      isSame
      ? nil
      : "the grids differ, \(a.shape.height)×\(a.shape.width) and \(grid.0)×\(grid.1)\(isTransposed ? " transposed" : ""): "
        + "only targets can be compared"
    scoreObstacle =
      a.scoreKind == b.scoreKind && a.classesAre == b.classesAre
      ? nil : "scores mean different things: only classes and targets can be compared"
  }

  /// Compares two maps that cover the same part of the picture.
  ///
  /// - Parameters:
  ///   - mapA: of A.
  ///   - mapB: of B, with the class numbers of A.
  ///   - moved: receives the cells whose best class is another.
  /// - Returns: how they differ.
  /// - Complexity: O(cells · k²).
  func difference(_ mapA: LabelMap, _ mapB: LabelMap, _ moved: inout MovedClasses) -> CellDifference
  {
    if !isTransposed, mapA == mapB { return ofEqualMaps }
    var found = CellDifference()
    found.images = 1
    found.cells = mapA.shape.cells
    let (bestA, bestB) = (mapA.bestOfCells, mapB.bestOfCells)
    let (height, width) = (mapA.shape.height, mapA.shape.width)
    mapA.withBuffers { idsA, scoresA in
      mapB.withBuffers { idsB, scoresB in
        let (topA, topB) = (mapA.shape.topK, mapB.shape.topK)
        for cell in 0..<found.cells {
          let (y, x) = (cell / width, cell % width)
          let (straight, turned) = (y * width + x, x * height + y)
          let other = isTransposed ? turned : straight
          compare(
            (
              UnsafeBufferPointer(rebasing: idsA[cell * topA..<(cell + 1) * topA]),
              scoresA + cell * topA
            ),
            (
              UnsafeBufferPointer(rebasing: idsB[other * topB..<(other + 1) * topB]),
              scoresB + other * topB
            ),
            &found
          )
          if bestA[cell] != bestB[other] {
            found.otherBest += 1
            moved.add(bestA[cell], bestB[other])
          }
          if height == width, bestA[cell] != bestB[isTransposed ? straight : turned] {
            found.otherBestTransposed += 1
          }
        }
      }
    }
    if found.lonely > 0 || found.scores.beyondTolerance > 0 { found.differingImages = 1 }
    return found
  }

  /// What is found in two maps that are equal.
  var ofEqualMaps: CellDifference {
    var found = CellDifference()
    (found.images, found.cells, found.common) = (1, a.shape.cells, a.shape.entries)
    if scoreObstacle == nil { found.scores.histogram.add(0, times: found.common) }
    return found
  }

  /// True where equal maps need not be looked at.
  var knowsEqualMaps: Bool { !isTransposed }

  private typealias Cell = (ids: UnsafeBufferPointer<UInt32>, scores: UnsafePointer<Float>)

  /// Adds the difference of two cells.
  private func compare(_ cellA: Cell, _ cellB: Cell, _ found: inout CellDifference) {
    var common = 0
    for (rank, id) in cellA.ids.enumerated() {
      // Mostly both are sorted alike.
      guard
        let place = rank < cellB.ids.count && cellB.ids[rank] == id
          ? rank : cellB.ids.firstIndex(of: id)
      else { continue }
      common += 1
      if scoreObstacle == nil { compare(cellA.scores[rank], cellB.scores[place], &found.scores) }
    }
    found.common += common
    found.onlyA += cellA.ids.count - common
    found.onlyB += cellB.ids.count - common
    if common < cellA.ids.count || common < cellB.ids.count { found.differingCells += 1 }
  }

  private func compare(_ one: Float, _ other: Float, _ found: inout ScoreDifference) {
    guard one != other else { return found.histogram.add(0) }
    let (one, other) = (Double(one), Double(other))
    let distance = abs(one - other)
    found.differing += 1
    found.sum += distance
    found.highest = max(found.highest, distance)
    found.histogram.add(distance)
    let isPromised =
      promises && distance <= a.encoding.rounding(of: one) + b.encoding.rounding(of: other)
    if !isPromised { found.beyondEncodings += 1 }
    let isTolerated =
      switch tolerance {
      case .number(let number): distance <= number
      case .encodings: isPromised
      }
    if !isTolerated { found.beyondTolerance += 1 }
  }
}

extension LabelMap {
  /// Calls `body` with ids and scores.
  fileprivate func withBuffers<Result>(
    _ body: (UnsafeBufferPointer<UInt32>, UnsafePointer<Float>) -> Result
  ) -> Result {
    classIndex.withUnsafeBufferPointer { ids in
      score.withUnsafeBufferPointer { scores in
        guard let scores = scores.baseAddress else { preconditionFailure("a map has entries") }
        return body(ids, scores)
      }
    }
  }
}
