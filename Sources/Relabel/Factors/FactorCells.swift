package import RelabelFormat

/// Memory of one thread that looks at the cells of maps of factors one by one: all classes of a cell, each cell by itself.
///
/// Logits are doubles and powers of e floats, as in pooling. The loops have no branch, so that the compiler takes several classes at
/// a time.
package final class FactorCells {
  /// What a cell says.
  package struct Reading: Hashable, Sendable {
    /// The class with the highest logit, the lowest of several.
    package let best: UInt32
    /// The entropy of the cell's own target in nats.
    package let entropy: Float
  }

  private let numClasses: Int
  private let factors: Int
  private let scale: Double
  /// What factors say of classes, [factor][class], of the factors that matter.
  private let numbers: UnsafeMutablePointer<Double>
  private let logits: UnsafeMutablePointer<Double>
  private let distances: UnsafeMutablePointer<Float>
  private let powers: UnsafeMutablePointer<Float>

  /// Memory for maps that a header describes.
  ///
  /// - Precondition: the header's maps have factors.
  package init(_ header: ShardHeader) {
    precondition(header.hasFactors)
    (numClasses, factors) = (header.numClasses, header.shape.topK)
    scale = min(1 / header.temperature, .greatestFiniteMagnitude)
    numbers = .allocate(capacity: factors * numClasses)
    logits = .allocate(capacity: numClasses)
    distances = .allocate(capacity: numClasses)
    powers = .allocate(capacity: numClasses)
  }

  deinit {
    numbers.deallocate()
    logits.deallocate()
    distances.deallocate()
    powers.deallocate()
  }

  /// Hands out what each cell of a map says, in the order [y][x].
  ///
  /// - Parameters:
  ///   - map: a map of factors, as a reader handed it out.
  ///   - body: is given the number of the cell, and what it says.
  /// - Complexity: O(cells · factors · classes), 0.7 ms for 15×15 cells of 8 factors and 1,000 classes.
  package func forEachCell(of map: LabelMap, _ body: (_ cell: Int, _ reading: Reading) -> Void) {
    guard let table = map.factors, table.numClasses == numClasses, map.shape.topK == factors else {
      preconditionFailure("a reader hands out maps as its header says")
    }
    let used = (0..<factors).filter { table.scale[$0] != 0 }
    for (place, factor) in used.enumerated() {
      let row = numbers + place * numClasses
      for id in 0..<numClasses {
        row[id] = Double(Int32(table.numbers[factor * numClasses + id]) - offset)
      }
    }
    var amounts = [Double](repeating: 0, count: used.count)
    for cell in 0..<map.shape.cells {
      for (place, factor) in used.enumerated() {
        amounts[place] = Double(map.score[cell * factors + factor]) * Double(table.scale[factor])
      }
      addUp(amounts)
      body(cell, reading())
    }
  }

  private var offset: Int32 { Int32(Layout.classFactorOffset) }

  /// Leaves the logits of a cell, up to a number that all classes share.
  private func addUp(_ amounts: [Double]) {
    logits.update(repeating: 0, count: numClasses)
    var first = 0
    while first < amounts.count {
      let row = numbers + first * numClasses
      if first + 4 <= amounts.count {
        let (a, b) = (amounts[first], amounts[first + 1])
        let (c, d) = (amounts[first + 2], amounts[first + 3])
        let (two, three, four) = (row + numClasses, row + 2 * numClasses, row + 3 * numClasses)
        for id in 0..<numClasses {
          logits[id] += (a * row[id] + b * two[id]) + (c * three[id] + d * four[id])
        }
        first += 4
      } else {
        let a = amounts[first]
        for id in 0..<numClasses { logits[id] += a * row[id] }
        first += 1
      }
    }
  }

  /// What the logits say.
  private func reading() -> Reading {
    let highest = highest
    var best = 0
    while logits[best] != highest { best += 1 }
    for id in 0..<numClasses {
      // Further away, a class has no probability that a float could tell from 0.
      let distance = (highest - logits[id]) * scale
      distances[id] = Float(distance < 87 ? distance : 87)
    }
    for id in 0..<numClasses { powers[id] = PlainExponential.ofVectors(-distances[id]) }
    var (totals, moments) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
    let whole = numClasses & ~7
    for place in stride(from: 0, to: whole, by: 8) {
      let power = UnsafeRawPointer(powers + place).loadUnaligned(as: SIMD8<Float>.self)
      let distance = UnsafeRawPointer(distances + place).loadUnaligned(as: SIMD8<Float>.self)
      totals += power
      moments += power * distance
    }
    var (total, moment) = (totals.sum(), moments.sum())
    for id in whole..<numClasses {
      total += powers[id]
      moment += powers[id] * distances[id]
    }
    // The highest logit gives 1, so the total is at least that.
    let entropy = max(Mathematics.log(total) + moment / total, 0)
    return Reading(best: UInt32(best), entropy: entropy)
  }

  /// The highest logit, four at a time: one after another, each would wait for the one before.
  private var highest: Double {
    var lanes = SIMD4<Double>(repeating: logits[0])
    let whole = numClasses & ~3
    for place in stride(from: 0, to: whole, by: 4) {
      let four = UnsafeRawPointer(logits + place).loadUnaligned(as: SIMD4<Double>.self)
      lanes.replace(with: four, where: four .> lanes)
    }
    var highest = lanes.max()
    for id in whole..<numClasses { highest = max(highest, logits[id]) }
    return highest
  }
}
