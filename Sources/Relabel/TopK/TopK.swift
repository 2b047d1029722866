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
    var best = BestClasses(shape)
    for block in 0..<peaks.blocks {
      let floor = peaks.floor(block, topK: shape.topK)
      for group in 0..<peaks.groups where (peaks[group, block] .>= floor).hasAny {
        for classID in peaks.classes(group) {
          let scores = rows.scores(classID, block)
          let candidates = scores .>= floor
          guard candidates.hasAny else { continue }
          var lanes = candidates.bits
          while lanes != 0 {
            let lane = lanes.trailingZeroBitCount
            best.offer(scores[lane], classID, block &* DenseRows.lanes &+ lane)
            lanes &= lanes &- 1
          }
        }
      }
    }
    return best.map
  }
}

/// A dense map as its rows: the scores of one class in all cells, taken in blocks of eight cells.
struct DenseRows {
  /// Cells of a block.
  static let lanes = 8

  let base: UnsafeRawPointer
  let classes: Int
  let cells: Int

  /// Blocks whose cells are all there.
  var wholeBlocks: Int { cells / Self.lanes }

  /// The scores of a class in a block; behind the last cell that one's again.
  @inline(__always)
  func scores(_ classID: Int, _ block: Int) -> SIMD8<Float> {
    block < wholeBlocks ? whole(classID, block) : last(classID)
  }

  /// The scores of a class in one of the whole blocks.
  @inline(__always)
  func whole(_ classID: Int, _ block: Int) -> SIMD8<Float> {
    let offset = classID &* cells &+ block &* Self.lanes
    return base.loadUnaligned(fromByteOffset: 4 &* offset, as: SIMD8<Float>.self)
  }

  /// The scores of a class in the block behind the whole ones.
  func last(_ classID: Int) -> SIMD8<Float> {
    var scores = SIMD8<Float>.zero
    for lane in 0..<Self.lanes {
      let cell = min(wholeBlocks &* Self.lanes &+ lane, cells &- 1)
      let offset = classID &* cells &+ cell
      scores[lane] = base.loadUnaligned(fromByteOffset: 4 &* offset, as: Float.self)
    }
    return scores
  }

  /// True when no score is NaN or infinite, looked up one by one.
  var areFinite: Bool {
    (0..<classes * cells).allSatisfy { place in
      base.loadUnaligned(fromByteOffset: 4 * place, as: Float.self).isFinite
    }
  }
}

/// The k best classes of each cell so far, rank by rank.
private struct BestClasses: ~Copyable {
  private let shape: MapShape
  private let score: UnsafeMutablePointer<Float>
  private let classIndex: UnsafeMutablePointer<UInt32>

  init(_ shape: MapShape) {
    self.shape = shape
    score = .allocate(capacity: shape.entries)
    classIndex = .allocate(capacity: shape.entries)
    // Every finite score is better.
    score.initialize(repeating: -.infinity, count: shape.entries)
    classIndex.initialize(repeating: 0, count: shape.entries)
  }

  deinit {
    score.deallocate()
    classIndex.deallocate()
  }

  /// Puts a class where it belongs among those of its cell; the last one goes.
  ///
  /// Classes come in rising order, so only a strictly better score displaces an earlier one.
  mutating func offer(_ value: Float, _ classID: Int, _ cell: Int) {
    let cells = shape.cells
    guard cell < cells else { return }
    var place = (shape.topK &- 1) &* cells &+ cell
    guard value > score[place] else { return }
    while place >= cells, value > score[place &- cells] {
      score[place] = score[place &- cells]
      classIndex[place] = classIndex[place &- cells]
      place &-= cells
    }
    score[place] = value
    classIndex[place] = UInt32(truncatingIfNeeded: classID)
  }

  /// The result, cell by cell.
  var map: LabelMap {
    LabelMap(shape: shape, classIndex: byCell(classIndex), score: byCell(score))
  }

  private func byCell<Value: BitwiseCopyable>(_ byRank: UnsafeMutablePointer<Value>) -> [Value] {
    [Value](unsafeUninitializedCapacity: shape.entries) { values, count in
      for rank in 0..<shape.topK {
        for cell in 0..<shape.cells {
          values[cell &* shape.topK &+ rank] = byRank[rank &* shape.cells &+ cell]
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

  /// One bit for each lane.
  @inline(__always)
  fileprivate var bits: UInt32 {
    SIMD8<UInt32>(1, 2, 4, 8, 16, 32, 64, 128)
      .replacing(with: 0, where: .!self).wrappedSum()
  }
}
