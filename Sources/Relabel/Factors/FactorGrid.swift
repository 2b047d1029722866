/// What errors in the cells of a grid weigh in random crops, for all maps of that grid.
///
/// Training crops average over cells, so that few directions of all cells matter: the `Self.kept` strongest. Made once and used by
/// all threads.
package struct FactorGrid: Sendable {
  /// Directions that are kept; 32 lose nothing that was measurable (spec, section 19.10).
  static let kept = 32
  /// The most cells of a grid.
  package static let mostCells = 1600
  private static let crops = 1024
  /// Crops whose targets say how much a class matters, the whole picture among them.
  static let few = 32
  /// How much single cells count beside crops, so that maps stay fit to look at and to pool over masks.
  private static let ownCells = 0.02

  let cells: Int
  /// How many directions there are: `kept`, or all of a small grid.
  let directions: Int
  /// [cell][direction]: a map of one cell, seen in the directions; padded to `kept`.
  let root: [Float]
  /// The same as doubles, without padding.
  let rootMatrix: SmallMatrix
  /// [direction][cell]: back again.
  let inverse: SmallMatrix
  /// [direction][crop]: pooled scores of a few crops from what is seen of a map.
  let fewCrops: SmallMatrix
  /// Sum of what all cells weigh.
  let trace: Double

  /// Makes the tables of a grid.
  ///
  /// - Precondition: at most `mostCells` cells.
  /// - Complexity: O(cells² · 1,000), about a tenth of a second for 15×15 cells.
  package init(height: Int, width: Int) {
    precondition(height * width <= Self.mostCells)
    cells = height * width
    directions = min(Self.kept, cells)
    let weights = Self.weights(height, width)
    var moments = SmallMatrix(cells, cells)
    for crop in 0..<Self.crops {
      for row in 0..<cells where weights[crop, row] != 0 {
        let weight = weights[crop, row] / Double(Self.crops)
        for column in 0..<cells { moments[row, column] += weight * weights[crop, column] }
      }
    }
    let share = Self.ownCells * moments.trace / Double(cells)
    for cell in 0..<cells { moments[cell, cell] += share }
    trace = moments.trace
    let (values, vectors) = Self.strongest(directions, of: moments)
    var root = [Float](repeating: 0, count: cells * Self.kept)
    var rootMatrix = SmallMatrix(cells, directions)
    var inverse = SmallMatrix(directions, cells)
    for direction in 0..<directions {
      let length = values[direction].squareRoot()
      for cell in 0..<cells {
        root[cell * Self.kept + direction] = Float(vectors[direction, cell] * length)
        rootMatrix[cell, direction] = vectors[direction, cell] * length
        inverse[direction, cell] = vectors[direction, cell] / length
      }
    }
    (self.root, self.rootMatrix, self.inverse) = (root, rootMatrix, inverse)
    var few = SmallMatrix(cells, Self.few)
    for cell in 0..<cells {
      few[cell, 0] = 1 / Double(cells)
      for crop in 1..<Self.few { few[cell, crop] = weights[crop - 1, cell] }
    }
    fewCrops = inverse.times(few)
  }

  /// What each cell weighs in each crop, [crop][cell]; crops as RandomResizedCrop draws them, by whole numbers.
  private static func weights(_ height: Int, _ width: Int) -> SmallMatrix {
    var generator = SplitMix64(state: 999)
    var rows = AxisWeights(capacity: height)
    var columns = AxisWeights(capacity: width)
    var weights = SmallMatrix(crops, height * width)
    var crop = 0
    while crop < crops {
      guard let box = CropBox.drawn(&generator) else { continue }
      rows.fill(start: box.top, length: box.height, count: height)
      columns.fill(start: box.left, length: box.width, count: width)
      for y in rows.cells {
        for x in columns.cells { weights[crop, y * width + x] = rows[y] * columns[x] }
      }
      crop += 1
    }
    return weights
  }

  /// The largest eigenvalues of a matrix and their vectors as rows, by subspace iteration.
  private static func strongest(
    _ count: Int,
    of matrix: SmallMatrix
  ) -> (values: [Double], vectors: SmallMatrix) {
    if matrix.rows <= count { return matrix.eigen() }
    var generator = SplitMix64(state: 7)
    var vectors = SmallMatrix(count, matrix.rows)
    for place in vectors.values.indices { vectors.values[place] = generator.fraction() - 0.5 }
    vectors.makeOrthonormal()
    for _ in 0..<40 {
      vectors = vectors.times(matrix)
      vectors.makeOrthonormal()
    }
    let (values, turned) = vectors.times(matrix).times(vectors.transposed).eigen()
    return (values, turned.times(vectors))
  }
}

extension SmallMatrix {
  /// Makes the rows orthonormal, one after another, twice for the last bits.
  fileprivate mutating func makeOrthonormal() {
    for _ in 0..<2 {
      for row in 0..<rows {
        for other in 0..<row {
          var product = 0.0
          for column in 0..<columns { product += self[row, column] * self[other, column] }
          for column in 0..<columns { self[row, column] -= product * self[other, column] }
        }
        var square = 0.0
        for column in 0..<columns { square += self[row, column] * self[row, column] }
        let length = max(square.squareRoot(), 1e-300)
        for column in 0..<columns { self[row, column] /= length }
      }
    }
  }
}
