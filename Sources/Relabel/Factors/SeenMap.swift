/// What is seen of a map in crops: [class][direction], padded to `FactorGrid.kept` directions.
///
/// Sums run over eight classes, crops, directions or factors side by side, each of them in its own order: every machine gets the
/// same bits, with vectors of any width.
struct SeenMap {
  let numClasses: Int
  let values: [Float]

  /// Calls `body` with the directions of one class after another.
  @inline(__always)
  private func forEachClass(_ body: (_ id: Int, _ directions: UnsafePointer<Float>) -> Void) {
    values.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return }
      for id in 0..<numClasses { body(id, start + id &* FactorGrid.kept) }
    }
  }

  /// What an error of each class weighs: the mean of p (1 − p) over a few crops, and `floor`.
  func weights(_ grid: FactorGrid, floor: Double) -> [Double] {
    var weight = [Double](repeating: floor, count: numClasses)
    var logits = [SIMD8<Float>](repeating: .zero, count: numClasses)
    for first in stride(from: 0, to: FactorGrid.few, by: 8) {
      let crops = (0..<grid.directions).map { direction in
        var eight = SIMD8<Float>.zero
        for lane in 0..<8 { eight[lane] = Float(grid.fewCrops[direction, first + lane]) }
        return eight
      }
      logits.withUnsafeMutableBufferPointer { logits in
        crops.withUnsafeBufferPointer { crops in
          var highest = SIMD8<Float>(repeating: -.infinity)
          forEachClass { id, seen in
            var sum = SIMD8<Float>.zero
            for direction in 0..<crops.count { sum += seen[direction] * crops[direction] }
            logits[id] = sum
            highest.replace(with: sum, where: sum .> highest)
          }
          var total = SIMD8<Float>.zero
          for id in 0..<numClasses {
            logits[id] = PlainExponential.of(logits[id] - highest)
            total += logits[id]
          }
          weight.withUnsafeMutableBufferPointer { weight in
            for id in 0..<numClasses {
              let probability = SIMD8<Double>(logits[id] / total)
              let parts = probability * (1 - probability) / Double(FactorGrid.few)
              for lane in 0..<8 { weight[id] += parts[lane] }
            }
          }
        }
      }
    }
    return weight
  }

  /// The weighted products of all pairs of directions.
  func square(_ weight: [Double], _ directions: Int) -> SmallMatrix {
    let kept = FactorGrid.kept
    var sums = [SIMD8<Double>](repeating: .zero, count: kept * kept / 8)
    sums.withUnsafeMutableBufferPointer { sums in
      forEachClass { id, seen in
        let eights = UnsafeRawPointer(seen)
        for row in 0..<directions {
          let one = weight[id] * Double(seen[row])
          for eight in 0...row / 8 {
            let other = eights.loadUnaligned(fromByteOffset: 32 &* eight, as: SIMD8<Float>.self)
            sums[row &* (kept / 8) &+ eight] += one * SIMD8<Double>(other)
          }
        }
      }
    }
    var square = SmallMatrix(directions, directions)
    for row in 0..<directions {
      for column in 0...row {
        square[row, column] = sums[row * (kept / 8) + column / 8][column % 8]
        square[column, row] = square[row, column]
      }
    }
    return square
  }

  /// Each class's products with factors, which are given as crops see them, [factor][direction]: [factor][class].
  func products(with factors: SmallMatrix) -> SmallMatrix {
    var products = SmallMatrix(factors.rows, numClasses)
    products.values.withUnsafeMutableBufferPointer { products in
      for first in stride(from: 0, to: factors.rows, by: 8) {
        let count = min(8, factors.rows - first)
        let eights = (0..<factors.columns).map { direction in
          var eight = SIMD8<Double>.zero
          for lane in 0..<count { eight[lane] = factors[first + lane, direction] }
          return eight
        }
        eights.withUnsafeBufferPointer { eights in
          forEachClass { id, seen in
            var sums = SIMD8<Double>.zero
            for direction in 0..<eights.count {
              sums += Double(seen[direction]) * eights[direction]
            }
            for lane in 0..<count { products[(first &+ lane) &* numClasses &+ id] = sums[lane] }
          }
        }
      }
    }
    return products
  }

  /// The weighted products of factors, which are given as what they say of classes, [class][factor], with the map:
  /// [factor][direction].
  func products(with classes: SmallMatrix, _ weight: [Double], _ directions: Int) -> SmallMatrix {
    let eights = FactorGrid.kept / 8
    var sums = [SIMD8<Double>](repeating: .zero, count: classes.columns * eights)
    sums.withUnsafeMutableBufferPointer { sums in
      forEachClass { id, seen in
        let directions = UnsafeRawPointer(seen)
        for factor in 0..<classes.columns {
          let left = weight[id] * classes[id, factor]
          if left == 0 { continue }
          for eight in 0..<eights {
            let other = directions.loadUnaligned(fromByteOffset: 32 &* eight, as: SIMD8<Float>.self)
            sums[factor &* eights &+ eight] += left * SIMD8<Double>(other)
          }
        }
      }
    }
    var products = SmallMatrix(classes.columns, directions)
    for factor in 0..<classes.columns {
      for direction in 0..<directions {
        products[factor, direction] = sums[factor * eights + direction / 8][direction % 8]
      }
    }
    return products
  }
}
