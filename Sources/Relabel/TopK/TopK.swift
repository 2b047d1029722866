/// Reduces dense scores to the k best classes of each cell.
public enum TopK {
  /// The `topK` best classes of every cell of a dense map, best first; ties take the lower class id.
  ///
  /// - Parameters:
  ///   - dense: scores in the order [class, y, x], `classes · height · width` of them.
  ///   - classes: how many classes the map scores.
  ///   - shape: grid and k of the result; k is at most `classes`.
  /// - Returns: the label map, its cells ordered by score; nil when a score is not finite.
  /// - Complexity: O(classes · cells) in vector instructions, one pass over `dense` in memory order
  ///   and a second over a part of it.
  public static func reduce(_ dense: Span<Float>, classes: Int, shape: MapShape) -> LabelMap? {
    dense.withUnsafeBytes { reduce($0, classes: classes, shape: shape) }
  }

  /// As above, from the bytes of binary32 scores in the byte order of this machine, not aligned.
  package static func reduce(
    _ dense: UnsafeRawBufferPointer,
    classes: Int,
    shape: MapShape
  ) -> LabelMap? {
    precondition(dense.count == 4 * classes * shape.cells && shape.topK <= classes)
    guard let base = dense.baseAddress else { return nil }
    let rows = DenseRows(base: base, classes: classes, cells: shape.cells)
    let peaks = ClassPeaks(rows, topK: shape.topK)
    guard peaks.areFinite else { return nil }
    var best = BestClasses(shape, blocks: rows.blocks)
    peaks.withFloors(rows, topK: shape.topK) { floors in
      withUnsafeTemporaryAllocation(of: BlockFloor.self, capacity: floors.count) { promising in
        for group in 0..<peaks.groups {
          // Group by group, so that the second look is in memory order, too.
          var count = 0
          for floor in floors where (peaks[group, floor.block] .>= floor.score).hasAny {
            promising[count] = floor
            count &+= 1
          }
          for classID in peaks.classes(group) {
            for floor in promising[..<count] {
              let scores = rows.scores(classID, from: floor.cell)
              guard (scores .>= floor.score).hasAny else { continue }
              best.offer(scores, UInt32(truncatingIfNeeded: classID), floor.block)
            }
          }
        }
      }
    }
    return best.map(rows)
  }
}

extension TopK {
  /// Why `reduce` gives nothing: the error that names the first score that is not finite.
  package static func refusal(of dense: Span<Float>, shape: MapShape) -> RelabelError {
    let place = dense.indices.first { !dense[$0].isFinite } ?? 0
    let (classID, cell) = place.quotientAndRemainder(dividingBy: shape.cells)
    let what = dense[place].isNaN ? "NaN" : "infinite or too large for float32"
    return RelabelError(
      .invalidInput,
      "the score of class \(classID) is \(what)",
      at: Location(cell: .init(y: cell / shape.width, x: cell % shape.width))
    )
  }
}

/// A dense map as its rows: the scores of one class in all cells, taken in blocks of eight cells.
///
/// The last block begins early enough to be whole, so that it may repeat cells of the one before.
struct DenseRows {
  /// Cells of a block.
  static let lanes = 8

  let base: UnsafeRawPointer
  let classes: Int
  let cells: Int

  /// Blocks that hold all cells.
  var blocks: Int { (cells + Self.lanes - 1) / Self.lanes }

  /// The first cell of a block.
  @inline(__always)
  func firstCell(_ block: Int) -> Int { max(0, min(block &* Self.lanes, cells &- Self.lanes)) }

  /// The scores of a class in the eight cells from one on; of a map with fewer, the last one's again.
  @inline(__always)
  func scores(_ classID: Int, from cell: Int) -> SIMD8<Float> {
    if cells < Self.lanes { return allScores(classID) }
    let offset = 4 &* (classID &* cells &+ cell)
    return base.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
  }

  @inline(never)
  private func allScores(_ classID: Int) -> SIMD8<Float> {
    var scores = SIMD8<Float>.zero
    for lane in 0..<Self.lanes {
      let offset = 4 &* (classID &* cells &+ min(lane, cells &- 1))
      scores[lane] = base.loadUnaligned(fromByteOffset: offset, as: Float.self)
    }
    return scores
  }

  /// The lanes of a block that hold cells, each of them in one block only.
  func lanes(_ block: Int) -> Range<Int> {
    let first = firstCell(block)
    return block &* Self.lanes &- first..<min(Self.lanes, cells &- first)
  }

  /// True when no score is NaN or infinite, looked up one by one.
  var areFinite: Bool {
    (0..<classes * cells).allSatisfy { place in
      base.loadUnaligned(fromByteOffset: 4 * place, as: Float.self).isFinite
    }
  }
}

/// The k best classes of each cell so far, block by block and rank by rank.
private struct BestClasses: ~Copyable {
  private typealias Rank = (score: SIMD8<Float>, classIndex: SIMD8<UInt32>)

  private let shape: MapShape
  private let ranks: UnsafeMutablePointer<Rank>

  init(_ shape: MapShape, blocks: Int) {
    self.shape = shape
    ranks = .allocate(capacity: blocks * shape.topK)
    // Every finite score is better.
    ranks.initialize(
      repeating: (SIMD8(repeating: -.infinity), .zero),
      count: blocks * shape.topK
    )
  }

  deinit { ranks.deallocate() }

  /// Puts a class where it belongs in each cell of a block; the last ones go.
  ///
  /// Without branches: where it goes can't be foreseen. Classes come in rising order, so only a
  /// strictly better score displaces an earlier one.
  @inline(__always)
  mutating func offer(_ scores: SIMD8<Float>, _ classID: UInt32, _ block: Int) {
    var (scores, classIndex) = (scores, SIMD8(repeating: classID))
    let ranks = ranks + block &* shape.topK
    // From where it belongs, every class moves down.
    var moves = SIMDMask<SIMD8<Int32>>(repeating: false)
    for rank in 0..<shape.topK {
      let held = ranks[rank]
      moves .|= scores .> held.score
      ranks[rank] = (
        held.score.replacing(with: scores, where: moves),
        held.classIndex.replacing(with: classIndex, where: moves)
      )
      scores.replace(with: held.score, where: moves)
      classIndex.replace(with: held.classIndex, where: moves)
    }
  }

  /// The result, cell by cell.
  func map(_ rows: DenseRows) -> LabelMap {
    LabelMap(
      shape: shape,
      classIndex: byCell(rows) { $0.classIndex[$1] },
      score: byCell(rows) { $0.score[$1] }
    )
  }

  @inline(__always)
  private func byCell<Value: BitwiseCopyable>(
    _ rows: DenseRows,
    _ value: (Rank, Int) -> Value
  ) -> [Value] {
    [Value](unsafeUninitializedCapacity: shape.entries) { values, count in
      for block in 0..<rows.blocks {
        let first = rows.firstCell(block)
        for rank in 0..<shape.topK {
          let held = ranks[block &* shape.topK &+ rank]
          for lane in rows.lanes(block) {
            values[(first &+ lane) &* shape.topK &+ rank] = value(held, lane)
          }
        }
      }
      count = shape.entries
    }
  }
}

extension SIMDMask<SIMD8<Int32>> {
  /// True when any lane is; `any(_:)` takes a shuffle for each step of a minimum.
  @inline(__always)
  fileprivate var hasAny: Bool {
    let lanes = unsafeBitCast(self, to: SIMD4<UInt64>.self)
    let halves = lanes.lowHalf | lanes.highHalf
    return halves[0] | halves[1] != 0
  }
}
