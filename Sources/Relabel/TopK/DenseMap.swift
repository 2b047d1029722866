/// One map with the scores of all classes, as annotators write it: in the order [class, y, x].
package struct DenseMap: Sendable {
  /// Classes that are scored.
  package let classes: Int
  /// Rows and columns of the grid.
  package let (height, width): (Int, Int)
  /// The scores, `classes` planes of `cells`.
  package let score: [Float]

  /// Cells of the grid.
  package var cells: Int { height * width }

  /// Wraps the scores of a grid.
  package init(classes: Int, shape: MapShape, score: [Float]) {
    precondition(score.count == classes * shape.cells)
    self.classes = classes
    (height, width) = (shape.height, shape.width)
    self.score = score
  }

  /// The natural logarithm of the sum of exp(score) over all classes, for each cell (spec, section 4.5).
  ///
  /// - Complexity: O(`classes` · `cells`).
  package func logNormalizer() -> [Float] {
    var highest = [Float](repeating: -.infinity, count: cells)
    forEachPlane { plane in
      for cell in plane.indices where plane[cell] > highest[cell] { highest[cell] = plane[cell] }
    }
    var sums = [Double](repeating: 0, count: cells)
    forEachPlane { plane in
      for cell in plane.indices {
        sums[cell] += Mathematics.exp(Double(plane[cell]) - Double(highest[cell]))
      }
    }
    return zip(highest, sums).map { Float(Double($0) + Mathematics.log($1)) }
  }

  /// Hands out the scores of each class in turn.
  func forEachPlane(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    score.withUnsafeBufferPointer { scores in
      for classID in 0..<classes {
        body(UnsafeBufferPointer(rebasing: scores[classID * cells..<(classID + 1) * cells]))
      }
    }
  }
}
