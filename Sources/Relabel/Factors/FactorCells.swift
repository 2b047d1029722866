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
    /// Its probability in the cell's own target.
    package let probability: Float
    /// The entropy of the cell's own target in nats.
    package let entropy: Float
  }

  /// Further away, a class has no probability that a float could tell from 0.
  private static let furthest: Float = 87

  private let numClasses: Int
  private let factors: Int
  private let scale: Double
  /// What factors say of classes, [factor][class], of the factors that matter.
  private let numbers: UnsafeMutablePointer<Double>
  private let logits: UnsafeMutablePointer<Double>
  /// How far each class lies below the best one, and behind the last class as far as no class counts.
  private let distances: UnsafeMutablePointer<Float>

  /// Memory for maps that a header describes.
  ///
  /// - Precondition: the header's maps have factors.
  package convenience init(_ header: ShardHeader) {
    precondition(header.hasFactors)
    self.init(
      numClasses: header.numClasses,
      factors: header.shape.topK,
      temperature: header.temperature
    )
  }

  /// Memory for maps of so many factors, whose logits are divided by `temperature`.
  package init(numClasses: Int, factors: Int, temperature: Double = 1) {
    (self.numClasses, self.factors) = (numClasses, factors)
    scale = min(1 / temperature, .greatestFiniteMagnitude)
    numbers = .allocate(capacity: factors * numClasses)
    logits = .allocate(capacity: numClasses)
    distances = .allocate(capacity: numClasses + 7)
    distances.update(repeating: Self.furthest, count: numClasses + 7)
  }

  deinit {
    numbers.deallocate()
    logits.deallocate()
    distances.deallocate()
  }

  /// Hands out what each cell of a map says, in the order [y][x].
  ///
  /// - Parameters:
  ///   - map: a map of factors, as a reader handed it out.
  ///   - body: is given the number of the cell, and what it says.
  /// - Complexity: O(cells · factors · classes).
  package func forEachCell(of map: LabelMap, _ body: (_ cell: Int, _ reading: Reading) -> Void) {
    forEachSum(of: map) { cell, _ in body(cell, reading()) }
  }

  /// Hands out the logits of each cell of a map, in the order [y][x]: see `forEachSum(of:cells:_:_:)`.
  package func forEachSum(of map: LabelMap, _ body: (Int, UnsafeBufferPointer<Double>) -> Void) {
    guard let table = map.factors, map.shape.topK == factors else {
      preconditionFailure("a reader hands out maps as its header says")
    }
    table.withTable { table in
      map.score.withUnsafeBufferPointer { amounts in
        guard let amounts = amounts.baseAddress else { return }
        forEachSum(of: amounts, cells: map.shape.cells, table, body)
      }
    }
  }

  /// Hands out the best class of each cell: the one with the highest logit, the lowest of several.
  ///
  /// - Parameters:
  ///   - amounts: how much of each factor lies in each cell, [cell][factor].
  ///   - cells: how many there are.
  ///   - table: what the factors say of classes.
  ///   - body: is given the number of the cell and the class.
  /// - Complexity: O(cells · factors · classes).
  package func forEachBest(
    of amounts: UnsafePointer<Float>,
    cells: Int,
    _ table: FactorTable,
    _ body: (_ cell: Int, _ best: Int) -> Void
  ) {
    forEachSum(of: amounts, cells: cells, table) { cell, _ in body(cell, best(highest)) }
  }

  /// Hands out the logits of each cell, up to a number that all classes of a cell share.
  ///
  /// - Parameters:
  ///   - amounts: how much of each factor lies in each cell, [cell][factor].
  ///   - cells: how many there are.
  ///   - table: what the factors say of classes.
  ///   - body: may keep nothing of the logits, which are memory that is used again.
  private func forEachSum(
    of amounts: UnsafePointer<Float>,
    cells: Int,
    _ table: FactorTable,
    _ body: (Int, UnsafeBufferPointer<Double>) -> Void
  ) {
    precondition(table.numClasses == numClasses)
    let used = (0..<factors).filter { table.scale[$0] != 0 }
    for (place, factor) in used.enumerated() {
      let row = numbers + place * numClasses
      for id in 0..<numClasses {
        row[id] = Double(Int32(table.numbers[factor * numClasses + id]) - offset)
      }
    }
    var scaled = [Double](repeating: 0, count: used.count)
    for cell in 0..<cells {
      for (place, factor) in used.enumerated() {
        scaled[place] = Double(amounts[cell * factors + factor]) * Double(table.scale[factor])
      }
      addUp(scaled)
      body(cell, UnsafeBufferPointer(start: logits, count: numClasses))
    }
  }

  /// What all cells of a map say, in the order [y][x].
  package func readings(of map: LabelMap) -> [Reading] {
    var readings: [Reading] = []
    readings.reserveCapacity(map.shape.cells)
    forEachCell(of: map) { readings.append($1) }
    return readings
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
    let best = best(highest)
    for id in 0..<numClasses {
      let distance = (highest - logits[id]) * scale
      distances[id] = distance < Double(Self.furthest) ? Float(distance) : Self.furthest
    }
    var (totals, moments) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
    for place in stride(from: 0, to: numClasses, by: 8) {
      let distance = UnsafeRawPointer(distances + place).loadUnaligned(as: SIMD8<Float>.self)
      let power = PlainExponential.of(-distance)
      totals += power
      moments += power * distance
    }
    let (total, moment) = (totals.sum(), moments.sum())
    // The highest logit gives 1, so the total is at least that.
    let entropy = max(Mathematics.log(total) + moment / total, 0)
    return Reading(best: UInt32(best), probability: 1 / total, entropy: entropy)
  }

  /// The first class whose logit is the highest.
  private func best(_ highest: Double) -> Int {
    var best = 0
    while logits[best] != highest { best += 1 }
    return best
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
