/// Maps of factors as maps of classes (spec, section 4.11).
extension LabelMap {
  /// The logits of all classes in all cells, of a map of factors.
  ///
  /// - Returns: [class][y][x], less the mean of all classes in each cell, since factors leave that open; nil for a map of classes.
  /// - Complexity: O(cells · factors · classes).
  package var denseOfFactors: DenseMap? {
    guard let factors else { return nil }
    let (classes, cells) = (factors.numClasses, shape.cells)
    var score = [Float](repeating: 0, count: classes * cells)
    let own = FactorCells(numClasses: classes, factors: shape.topK)
    own.forEachSum(of: self) { cell, logits in
      let mean = logits.reduce(0, +) / Double(classes)
      for id in 0..<classes { score[id * cells + cell] = Float(logits[id] - mean) }
    }
    return DenseMap(classes: classes, shape: shape, score: score)
  }

  /// The map with classes in its cells: itself, or the `count` best classes of each cell of a map of factors.
  ///
  /// The logits of a map of factors come less the mean of the classes that the cell leaves out, so that these count as 0, which
  /// is what pooling takes them for (spec, section 8.2). What is left out is lost.
  /// - Complexity: O(cells · factors · classes) for a map of factors.
  public func ofClasses(best count: Int = 5) -> LabelMap {
    guard let dense = denseOfFactors else { return self }
    let topK = min(max(count, 1), dense.classes)
    let own = MapShape(height: shape.height, width: shape.width, topK: topK)
    guard var map = TopK.reduce(dense.score.span, classes: dense.classes, shape: own) else {
      preconditionFailure("products of stored numbers are finite")
    }
    let others = dense.classes - topK
    for cell in 0..<own.cells where others > 0 {
      let entries = cell * topK..<(cell + 1) * topK
      // All classes of a cell sum to 0.
      let rest = -map.score[entries].reduce(0.0) { $0 + Double($1) } / Double(others)
      for entry in entries { map.score[entry] = Float(Double(map.score[entry]) - rest) }
    }
    map.extent = extent
    return map
  }
}
