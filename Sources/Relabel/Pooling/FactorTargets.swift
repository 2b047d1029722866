internal import RelabelFormat

/// Memory of one thread that makes dense targets of maps of factors (spec, section 13.4).
///
/// Every class gets a probability, so nothing is kept of which classes were met. Logits are known as doubles know them: a softmax
/// shows their errors whole. Powers of e are floats: a softmax divides their errors. Eight classes are made at a time, by the
/// same operations on every machine.
struct FactorTargets {
  private typealias Eight = SIMD8<Float>

  /// Sums over the weighted cells, and what each is worth in logits.
  private let amounts: UnsafeMutablePointer<Double>
  /// The same in two floats each, of the factors that matter: see `split`.
  private let wholes: UnsafeMutablePointer<Float>
  private let rests: UnsafeMutablePointer<Float>
  /// What these factors say of classes.
  private let numbers: UnsafeMutablePointer<UnsafePointer<UInt8>>
  /// One for each class, padded to whole eights.
  private let logits: UnsafeMutablePointer<SIMD8<Double>>
  private let factors: Int
  private let numClasses: Int

  /// So many products of stored numbers and whole parts add up in floats without rounding.
  private static let group = 8
  /// What whole parts are multiples of: 254 times 2 times `group` of them are less than 2²⁴.
  private static let step = 0x1p-12

  /// Makes memory that the owner frees.
  init(numClasses: Int, factors: Int) {
    amounts = .allocate(capacity: factors)
    wholes = .allocate(capacity: factors)
    rests = .allocate(capacity: factors)
    numbers = .allocate(capacity: factors)
    logits = .allocate(capacity: (numClasses + 7) / 8)
    (self.numClasses, self.factors) = (numClasses, factors)
  }

  /// Gives the memory back.
  func deallocate() {
    amounts.deallocate()
    wholes.deallocate()
    rests.deallocate()
    numbers.deallocate()
    logits.deallocate()
  }

  /// Writes the probabilities of all classes.
  ///
  /// - Parameters:
  ///   - map: the entries; their ids number the factors of each cell in order.
  ///   - table: what factors say of classes.
  ///   - rows: the weights of rows.
  ///   - columns: the weights of columns.
  ///   - scale: what logits are multiplied by.
  ///   - target: has room for all classes.
  func write<ID>(
    _ map: MapEntries<ID>,
    _ table: FactorTable,
    _ rows: borrowing AxisWeights,
    _ columns: borrowing AxisWeights,
    scale: Double,
    to target: UnsafeMutablePointer<Float>
  ) {
    precondition(table.numClasses == numClasses && map.shape.topK == factors)
    sum(map.score, width: map.shape.width, rows, columns)
    let (count, unit) = split(table)
    let highest = addUp(count)
    softmax(highest, min(scale * unit, .greatestFiniteMagnitude), target)
  }

  /// Sums each factor over the weighted cells, four factors at a time.
  private func sum(
    _ score: UnsafePointer<Float>,
    width: Int,
    _ rows: borrowing AxisWeights,
    _ columns: borrowing AxisWeights
  ) {
    var first = 0
    while first &+ 4 <= factors {
      var sums = SIMD4<Double>.zero
      for y in rows.cells {
        var row = SIMD4<Double>.zero
        for x in columns.cells {
          let place = score + ((y &* width &+ x) &* factors &+ first)
          row +=
            columns[x]
            * SIMD4(Double(place[0]), Double(place[1]), Double(place[2]), Double(place[3]))
        }
        sums += rows[y] * row
      }
      for lane in 0..<4 { amounts[first &+ lane] = sums[lane] }
      first &+= 4
    }
    for factor in first..<factors {
      var sum = 0.0
      for y in rows.cells {
        var row = 0.0
        for x in columns.cells {
          row += columns[x] * Double(score[(y &* width &+ x) &* factors &+ factor])
        }
        sum += rows[y] * row
      }
      amounts[factor] = sum
    }
  }

  /// Splits what factors are worth, in a unit near the largest, into a whole part and a rest.
  ///
  /// Products of whole parts and stored numbers add up in floats without rounding, and the products of rests are so small that
  /// their rounding does not count. Floats cost half of what doubles do.
  /// - Returns: how many factors matter, and the unit.
  private func split(_ table: FactorTable) -> (count: Int, unit: Double) {
    var largest = 0.0
    for factor in 0..<factors {
      amounts[factor] *= Double(table.scale[factor])
      largest = max(largest, abs(amounts[factor]))
    }
    if largest == 0 { return (0, 1) }
    let unit = PowersOfTwo.below(largest)
    var count = 0
    for factor in 0..<factors where amounts[factor] != 0 {
      let amount = amounts[factor] / unit
      let whole = (amount / Self.step).rounded(.toNearestOrEven) * Self.step
      (wholes[count], rests[count]) = (Float(whole), Float(amount - whole))
      numbers[count] = table.numbers + factor &* numClasses
      count &+= 1
    }
    return (count, unit)
  }

  /// Sums of factors become logits of classes, up to a number that all classes share: stored numbers stay as they are.
  ///
  /// - Returns: the highest.
  private func addUp(_ count: Int) -> Double {
    var highest = SIMD8<Double>(repeating: -.infinity)
    let whole = numClasses / 8
    for eight in 0..<whole {
      let sums = sums(count) { row in
        UnsafeRawPointer(row + 8 &* eight).loadUnaligned(as: SIMD8<UInt8>.self)
      }
      logits[eight] = sums
      highest.replace(with: sums, where: sums .> highest)
    }
    let rest = numClasses % 8
    if rest > 0 {
      var sums = sums(count) { row in
        var numbers = SIMD8<UInt8>.zero
        for lane in 0..<rest { numbers[lane] = row[8 &* whole &+ lane] }
        return numbers
      }
      for lane in rest..<8 { sums[lane] = -.infinity }
      logits[whole] = sums
      highest.replace(with: sums, where: sums .> highest)
    }
    return highest.max()
  }

  /// The logits of eight classes, whose numbers `load` takes from the row of a factor.
  @inline(__always)
  private func sums(
    _ count: Int,
    _ load: (UnsafePointer<UInt8>) -> SIMD8<UInt8>
  ) -> SIMD8<Double> {
    var sums = SIMD8<Double>.zero
    var first = 0
    while first < count {
      var (whole, rest) = (Eight.zero, Eight.zero)
      for factor in first..<min(first &+ Self.group, count) {
        let number = Eight(SIMD8<Int32>(truncatingIfNeeded: load(numbers[factor])))
        whole += wholes[factor] * number
        rest += rests[factor] * number
      }
      sums += SIMD8<Double>(whole) + SIMD8<Double>(rest)
      first &+= Self.group
    }
    return sums
  }

  /// Turns logits into probabilities.
  private func softmax(_ highest: Double, _ scale: Double, _ target: UnsafeMutablePointer<Float>) {
    // In doubles: next to the 1 of the highest, a sum of floats loses a bit of each of the others.
    var lanes = SIMD8<Double>.zero
    let (whole, rest) = (numClasses / 8, numClasses % 8)
    let raw = UnsafeMutableRawPointer(target)
    for eight in 0..<whole {
      let powers = PlainExponential.ofVectors(Eight((logits[eight] - highest) * scale))
      raw.storeBytes(of: powers, toByteOffset: 32 &* eight, as: Eight.self)
      lanes += SIMD8<Double>(powers)
    }
    if rest > 0 {
      let powers = PlainExponential.ofVectors(Eight((logits[whole] - highest) * scale))
      for lane in 0..<rest {
        target[8 &* whole &+ lane] = powers[lane]
        lanes[lane] += Double(powers[lane])
      }
    }
    // The highest logit gives 1, so the total is at least that.
    let share = Float(1 / lanes.sum())
    for id in 0..<numClasses { target[id] *= share }
  }
}
