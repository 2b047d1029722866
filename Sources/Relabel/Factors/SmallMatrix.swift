/// A dense matrix of doubles, row by row, for the few dozen rows that factors need.
///
/// All sums run in one order, without fused operations: every machine gets the same bits. Libraries of linear algebra choose
/// their order by processor and number of threads.
package struct SmallMatrix {
  let rows: Int
  let columns: Int
  var values: [Double]

  /// Makes a matrix of zeros.
  package init(_ rows: Int, _ columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    values = [Double](repeating: 0, count: rows * columns)
  }

  /// The element of a row and a column.
  package subscript(row: Int, column: Int) -> Double {
    @inline(__always) get { values[row &* columns &+ column] }
    @inline(__always) set { values[row &* columns &+ column] = newValue }
  }

  /// This matrix times another.
  func times(_ other: SmallMatrix) -> SmallMatrix {
    precondition(columns == other.rows)
    var product = SmallMatrix(rows, other.columns)
    product.values.withUnsafeMutableBufferPointer { sums in
      other.values.withUnsafeBufferPointer { right in
        values.withUnsafeBufferPointer { left in
          for row in 0..<rows {
            for middle in 0..<columns {
              let factor = left[row &* columns &+ middle]
              for column in 0..<other.columns {
                sums[row &* other.columns &+ column] +=
                  factor * right[middle &* other.columns &+ column]
              }
            }
          }
        }
      }
    }
    return product
  }

  /// The transposed matrix.
  var transposed: SmallMatrix {
    var result = SmallMatrix(columns, rows)
    for row in 0..<rows { for column in 0..<columns { result[column, row] = self[row, column] } }
    return result
  }

  /// Sum of the diagonal.
  var trace: Double { (0..<min(rows, columns)).reduce(0) { $0 + self[$1, $1] } }

  /// Eigenvalues, largest first, and eigenvectors as rows, of a symmetric matrix: cyclic Jacobi (Golub and Van Loan, 8.5).
  ///
  /// - Complexity: O(rows³) for each of at most 30 sweeps.
  package func eigen() -> (values: [Double], vectors: SmallMatrix) {
    var matrix = self
    var vectors = SmallMatrix(rows, rows)
    for row in 0..<rows { vectors[row, row] = 1 }
    let small = 1e-22 * values.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<30 {
      var rest = 0.0
      for row in 0..<rows {
        for column in 0..<row { rest += matrix[row, column] * matrix[row, column] }
      }
      if rest <= small { break }
      for p in 0..<rows { for q in p + 1..<max(rows, p + 1) { matrix.rotate(p, q, &vectors) } }
    }
    let order = (0..<rows).sorted {
      matrix[$0, $0] == matrix[$1, $1] ? $0 < $1 : matrix[$0, $0] > matrix[$1, $1]
    }
    var sorted = SmallMatrix(rows, rows)
    for (place, row) in order.enumerated() {
      for column in 0..<rows { sorted[place, column] = vectors[row, column] }
    }
    return (order.map { matrix[$0, $0] }, sorted)
  }

  /// Makes the element at p, q zero.
  private mutating func rotate(_ p: Int, _ q: Int, _ vectors: inout SmallMatrix) {
    let element = self[p, q]
    if element == 0 { return }
    let theta = (self[q, q] - self[p, p]) / (2 * element)
    let tangent = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { values in
      for index in 0..<rows {
        let row = index &* columns
        let (first, second) = (values[row &+ p], values[row &+ q])
        values[row &+ p] = cosine * first - sine * second
        values[row &+ q] = sine * first + cosine * second
      }
      Self.turn(values, p &* columns, q &* columns, columns, cosine, sine)
    }
    vectors.values.withUnsafeMutableBufferPointer {
      Self.turn($0, p &* columns, q &* columns, columns, cosine, sine)
    }
  }

  /// Turns two rows that begin at `p` and `q`.
  @inline(__always)
  private static func turn(
    _ values: UnsafeMutableBufferPointer<Double>,
    _ p: Int,
    _ q: Int,
    _ count: Int,
    _ cosine: Double,
    _ sine: Double
  ) {
    for index in 0..<count {
      let (first, second) = (values[p &+ index], values[q &+ index])
      values[p &+ index] = cosine * first - sine * second
      values[q &+ index] = sine * first + cosine * second
    }
  }

  /// Solves this positive definite matrix times x = right by Cholesky, with a trace of regularisation.
  func solving(_ right: SmallMatrix) -> SmallMatrix {
    var lower = self
    let extra = 1e-9 * trace + 1e-300
    for row in 0..<rows {
      for column in 0...row {
        var sum = self[row, column] + (row == column ? extra : 0)
        for index in 0..<column { sum -= lower[row, index] * lower[column, index] }
        lower[row, column] =
          row == column ? max(sum, extra).squareRoot() : sum / lower[column, column]
      }
    }
    var solution = right
    for row in 0..<rows {
      for column in 0..<right.columns {
        var sum = solution[row, column]
        for index in 0..<row { sum -= lower[row, index] * solution[index, column] }
        solution[row, column] = sum / lower[row, row]
      }
    }
    for row in (0..<rows).reversed() {
      for column in 0..<right.columns {
        var sum = solution[row, column]
        for index in row + 1..<max(rows, row + 1) {
          sum -= lower[index, row] * solution[index, column]
        }
        solution[row, column] = sum / lower[row, row]
      }
    }
    return solution
  }
}
