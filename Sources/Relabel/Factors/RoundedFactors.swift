/// Factors as whole numbers and steps, on their way to a map.
struct RoundedFactors {
  /// Whole numbers [factor][cell], and what one is worth.
  var amounts: SmallMatrix
  var amountSteps: [Double]
  /// Whole numbers [class][factor], and what one is worth.
  var numbers: SmallMatrix
  var numberSteps: [Double]

  /// What factors say of classes, of those that say anything: [class][factor].
  var exact: SmallMatrix {
    let kept = (0..<numbers.columns).filter { factor in
      (0..<numbers.rows).contains { numbers[$0, factor] != 0 }
    }
    var exact = SmallMatrix(numbers.rows, max(kept.count, 1))
    for id in 0..<numbers.rows {
      for (place, factor) in kept.enumerated() {
        exact[id, place] = numbers[id, factor] * numberSteps[factor]
      }
    }
    return exact
  }
}

extension SmallMatrix {
  /// The weighted products of all pairs of columns.
  func gram(_ weight: [Double]) -> SmallMatrix {
    var square = SmallMatrix(columns, columns)
    for row in 0..<rows {
      for one in 0..<columns {
        let left = weight[row] * self[row, one]
        for other in 0..<columns { square[one, other] += left * self[row, other] }
      }
    }
    return square
  }
}

extension FactorEncoder {
  /// Rounds amounts [factor][cell], and what factors say of classes to fit them.
  func round(_ given: SmallMatrix, _ seen: SeenMap, _ weight: [Double]) -> RoundedFactors {
    var amounts = given
    let count = amounts.rows
    var steps = [Double](repeating: 1, count: count)
    let inCrops = amounts.times(grid.rootMatrix)
    let products = seen.products(with: inCrops)
    for factor in 0..<count {
      var square = 0.0
      for direction in 0..<grid.directions {
        square += inCrops[factor, direction] * inCrops[factor, direction]
      }
      let length = max(square.squareRoot(), 1e-300)
      var effect = 0.0
      for id in 0..<numClasses {
        let product = products[factor, id] / length
        effect += weight[id] * product * product
      }
      var highest = 0.0
      for cell in 0..<grid.cells {
        amounts[factor, cell] /= length
        highest = max(highest, abs(amounts[factor, cell]))
      }
      highest = max(highest, 1e-300)
      let wanted = (quality / (max(effect, 1e-12) * grid.trace)).squareRoot() * Self.coarseness
      // Within 8 bits, and not so coarse that nothing is left.
      steps[factor] = min(
        max(PowersOfTwo.nearest(wanted), PowersOfTwo.above(highest / Self.largest)),
        PowersOfTwo.below(highest)
      )
      for cell in 0..<grid.cells {
        amounts[factor, cell] = (amounts[factor, cell] / steps[factor]).rounded(.toNearestOrEven)
      }
    }
    let (numbers, numberSteps) = numbers(of: amounts, steps, seen, weight)
    return RoundedFactors(
      amounts: amounts,
      amountSteps: steps,
      numbers: numbers,
      numberSteps: numberSteps
    )
  }

  /// What factors of rounded amounts say of classes: whole numbers [class][factor], and their steps.
  ///
  /// Classes that matter little are rounded to multiples of a higher power of two: the numbers become few, and short when
  /// compressed, and a reader need not know.
  private func numbers(
    of amounts: SmallMatrix,
    _ amountSteps: [Double],
    _ seen: SeenMap,
    _ weight: [Double]
  ) -> (SmallMatrix, [Double]) {
    var exact = amounts
    for factor in 0..<amounts.rows {
      for cell in 0..<grid.cells { exact[factor, cell] *= amountSteps[factor] }
    }
    let inCrops = exact.times(grid.rootMatrix)
    let square = inCrops.times(inCrops.transposed)
    let fitted = square.solving(seen.products(with: inCrops))
    var wanted = [Double](repeating: 0, count: numClasses)
    for id in 0..<numClasses {
      let step = min((quality / weight[id]).squareRoot(), Self.widest)
      wanted[id] = PowersOfTwo.nearest(step)
    }
    let finest = wanted.reduce(.infinity, min)
    var numbers = SmallMatrix(numClasses, amounts.rows)
    var steps = [Double](repeating: 1, count: amounts.rows)
    for factor in 0..<amounts.rows {
      var highest = 1e-9
      for id in 0..<numClasses { highest = max(highest, abs(fitted[factor, id])) }
      steps[factor] = max(PowersOfTwo.above(highest / Self.largest), finest)
      for id in 0..<numClasses {
        let own = max(wanted[id], steps[factor])
        let number = (fitted[factor, id] / own).rounded(.toNearestOrEven) * (own / steps[factor])
        numbers[id, factor] = min(max(number, -Self.largest), Self.largest)
      }
    }
    return (numbers, steps)
  }

  /// The map of rounded factors; those that are nothing are left out, and places that stay free hold zeros.
  func map(_ rounded: RoundedFactors, _ shape: MapShape) -> LabelMap {
    let kept = (0..<rounded.amounts.rows).filter { factor in
      (0..<numClasses).contains { rounded.numbers[$0, factor] != 0 }
    }
    var score = [Float](repeating: 0, count: shape.entries)
    var numbers = [UInt8](
      repeating: UInt8(Layout.classFactorOffset),
      count: shape.topK * numClasses
    )
    var scale = [Float](repeating: 0, count: shape.topK)
    for (place, factor) in kept.enumerated() {
      for cell in 0..<shape.cells {
        score[cell * shape.topK + place] = Float(rounded.amounts[factor, cell])
      }
      for id in 0..<numClasses {
        numbers[place * numClasses + id] = UInt8(
          Int(rounded.numbers[id, factor]) + Layout.classFactorOffset
        )
      }
      scale[place] = Float(rounded.amountSteps[factor] * rounded.numberSteps[factor])
    }
    return LabelMap(
      checked: shape,
      (0..<shape.entries).map { UInt32($0 % shape.topK) },
      score,
      .whole,
      factors: ClassFactors(numClasses: numClasses, numbers: numbers, scale: scale)
    )
  }
}
