/// Reduces dense scores to the k best classes of each cell.
public enum TopK {
  /// The `topK` best classes of every cell of a dense map, best first; ties take the lower class id.
  ///
  /// - Parameters:
  ///   - dense: scores in the order [class, y, x], `classes · height · width` of them, none NaN.
  ///   - classes: how many classes the map scores.
  ///   - shape: grid and k of the result; k is at most `classes`.
  /// - Returns: the label map, its cells ordered by score.
  /// - Complexity: O(classes · cells), with one pass over `dense` in memory order.
  public static func reduce(_ dense: Span<Float>, classes: Int, shape: MapShape) -> LabelMap {
    let cells = shape.cells
    let k = shape.topK
    precondition(dense.count == classes * cells && k <= classes)
    // Rank-major while scanning, so that the threshold row (rank k-1) lies together.
    var score = [Float](repeating: -.infinity, count: k * cells)
    var index = [UInt32](repeating: .max, count: k * cells)
    let last = (k - 1) * cells
    score.withUnsafeMutableBufferPointer { score in
      index.withUnsafeMutableBufferPointer { index in
        for c in 0..<classes {
          let row = c * cells
          for cell in 0..<cells {
            let value = dense[unchecked: row + cell]
            // Classes come in rising order: only a strictly better score displaces an earlier one.
            guard value > score[last + cell] || index[last + cell] == .max else { continue }
            var rank = k - 1
            while rank > 0 {
              let above = (rank - 1) * cells + cell
              guard value > score[above] || index[above] == .max else { break }
              score[above + cells] = score[above]
              index[above + cells] = index[above]
              rank -= 1
            }
            score[rank * cells + cell] = value
            index[rank * cells + cell] = UInt32(c)
          }
        }
      }
    }
    var map = LabelMap(
      shape: shape,
      classIndex: [UInt32](repeating: 0, count: shape.entries),
      score: [Float](repeating: 0, count: shape.entries)
    )
    for cell in 0..<cells {
      for rank in 0..<k {
        map.classIndex[cell * k + rank] = index[rank * cells + cell]
        map.score[cell * k + rank] = score[rank * cells + cell]
      }
    }
    return map
  }
}
