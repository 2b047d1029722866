/// The highest score of each cell in each of some groups of neighbouring classes.
///
/// The k-th best of a cell's peaks is an early threshold: k classes reach it, so a class below it is
/// not among the k best, and most groups hold no class that reaches it.
struct ClassPeaks: ~Copyable {
  /// How many groups there are.
  let groups: Int
  /// True when no score is NaN or infinite.
  let areFinite: Bool
  private let groupSize: Int
  private let totalClasses: Int
  private let blocks: Int
  /// By group and block of cells.
  private let peaks: UnsafeMutablePointer<SIMD8<Float>>

  /// More groups let fewer classes through and take longer to look at.
  private static let usualGroups = 48

  init(_ rows: DenseRows, topK: Int) {
    groupSize = rows.classes / min(rows.classes, max(Self.usualGroups, 4 * topK))
    groups = (rows.classes + groupSize - 1) / groupSize
    totalClasses = rows.classes
    blocks = rows.blocks
    peaks = .allocate(capacity: groups * blocks)
    peaks.initialize(repeating: SIMD8(repeating: -.infinity), count: groups * blocks)
    // Nothing makes the sum finite again once a score was not.
    var sum = SIMD8<Float>.zero
    for classID in 0..<rows.classes {
      let peaks = peaks + classID / groupSize * blocks
      // All but the last block begin where the one before ends.
      for block in 0..<blocks - 1 {
        let scores = rows.scores(classID, from: block &* DenseRows.lanes)
        sum += scores
        peaks[block] = peaks[block].higher(scores)
      }
      let scores = rows.scores(classID, from: rows.firstCell(blocks - 1))
      sum += scores
      peaks[blocks - 1] = peaks[blocks - 1].higher(scores)
    }
    areFinite = (sum - sum == .zero) || rows.areFinite
  }

  deinit { peaks.deallocate() }

  /// The peaks of a group in a block of cells.
  @inline(__always)
  subscript(group: Int, block: Int) -> SIMD8<Float> { peaks[group &* blocks &+ block] }

  /// The classes of a group.
  func classes(_ group: Int) -> Range<Int> {
    group &* groupSize..<min((group &+ 1) &* groupSize, totalClasses)
  }

  /// Gives `body` the floor of each block.
  func withFloors(
    _ rows: DenseRows,
    topK: Int,
    _ body: (UnsafeMutableBufferPointer<BlockFloor>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: BlockFloor.self, capacity: blocks) { floors in
      for block in 0..<blocks {
        var score = highest(block, topK: topK)
        // No score reaches the floor of a lane that has no cell of its own.
        let lanes = rows.lanes(block)
        for lane in 0..<DenseRows.lanes where !lanes.contains(lane) { score[lane] = .infinity }
        floors[block] = BlockFloor(score: score, block: block, cell: rows.firstCell(block))
      }
      body(floors)
    }
  }

  /// The k-th highest peaks of a block of cells.
  private func highest(_ block: Int, topK: Int) -> SIMD8<Float> {
    withUnsafeTemporaryAllocation(of: SIMD8<Float>.self, capacity: topK) { highest in
      highest.initialize(repeating: SIMD8(repeating: -.infinity))
      for group in 0..<groups {
        var peak = self[group, block]
        for rank in 0..<topK {
          let held = highest[rank]
          highest[rank] = held.higher(peak)
          peak = held.lower(peak)
        }
      }
      return highest[topK - 1]
    }
  }
}

/// What a score must reach to be among the k best of its cell, for a block of cells.
struct BlockFloor: BitwiseCopyable {
  let score: SIMD8<Float>
  let block: Int
  /// The first cell of the block.
  let cell: Int
}

extension SIMD8<Float> {
  // As the plainest vector instructions have them, which `pointwiseMax` is not.

  @inline(__always)
  fileprivate func higher(_ other: Self) -> Self { replacing(with: other, where: other .> self) }

  @inline(__always)
  fileprivate func lower(_ other: Self) -> Self { replacing(with: other, where: other .< self) }
}
