internal import RelabelFormat

/// Memory of one thread that makes dense targets of maps of factors (spec, section 13.4).
///
/// Every class gets a probability, so nothing is kept of which classes were met. Logits are doubles: a softmax shows their errors
/// whole. Powers of e are floats: a softmax divides their errors. The loops have no branch, so that the compiler takes several
/// classes at a time.
struct FactorTargets {
  /// Sums over the weighted cells, and what each is worth in logits.
  private let amounts: UnsafeMutablePointer<Double>
  /// What the factors that matter say of classes.
  private let numbers: UnsafeMutablePointer<UnsafePointer<UInt8>>
  private let logits: UnsafeMutablePointer<Double>
  private let factors: Int
  private let numClasses: Int

  /// Makes memory that the owner frees.
  init(numClasses: Int, factors: Int) {
    amounts = .allocate(capacity: factors)
    numbers = .allocate(capacity: factors)
    logits = .allocate(capacity: numClasses)
    (self.numClasses, self.factors) = (numClasses, factors)
  }

  /// Gives the memory back.
  func deallocate() {
    amounts.deallocate()
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
    addUp(table)
    softmax(scale, target)
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

  /// Sums of factors become logits of classes, up to a number that all classes share: stored numbers stay as they are.
  private func addUp(_ table: FactorTable) {
    var count = 0
    for factor in 0..<factors {
      let amount = amounts[factor] * Double(table.scale[factor])
      if amount == 0 { continue }
      amounts[count] = amount
      numbers[count] = table.numbers + factor &* numClasses
      count &+= 1
    }
    logits.update(repeating: 0, count: numClasses)
    var first = 0
    while first < count {
      let (amounts, numbers) = (amounts + first, numbers + first)
      if first &+ 4 <= count {
        addFour(amounts, numbers)
        first &+= 4
      } else if first &+ 2 <= count {
        let (a, b, one, two) = (amounts[0], amounts[1], numbers[0], numbers[1])
        for id in 0..<numClasses {
          logits[id] += a * Double(Int32(one[id])) + b * Double(Int32(two[id]))
        }
        first &+= 2
      } else {
        let (a, one) = (amounts[0], numbers[0])
        for id in 0..<numClasses { logits[id] += a * Double(Int32(one[id])) }
        first &+= 1
      }
    }
  }

  @inline(__always)
  private func addFour(
    _ amounts: UnsafeMutablePointer<Double>,
    _ numbers: UnsafeMutablePointer<UnsafePointer<UInt8>>
  ) {
    let (a, b, c, d) = (amounts[0], amounts[1], amounts[2], amounts[3])
    let (one, two, three, four) = (numbers[0], numbers[1], numbers[2], numbers[3])
    for id in 0..<numClasses {
      let left = a * Double(Int32(one[id])) + b * Double(Int32(two[id]))
      let right = c * Double(Int32(three[id])) + d * Double(Int32(four[id]))
      logits[id] += left + right
    }
  }

  /// Turns logits into probabilities.
  private func softmax(_ scale: Double, _ target: UnsafeMutablePointer<Float>) {
    let highest = highest
    for id in 0..<numClasses {
      target[id] = PlainExponential.ofVectors(Float((logits[id] - highest) * scale))
    }
    // In doubles: next to the 1 of the highest, a sum of floats loses a bit of each of the others.
    var lanes = SIMD8<Double>.zero
    for place in stride(from: 0, to: numClasses & ~7, by: 8) {
      let powers = UnsafeRawPointer(target + place)
      lanes += SIMD8<Double>(powers.loadUnaligned(as: SIMD8<Float>.self))
    }
    var total = lanes.sum()
    for place in numClasses & ~7..<numClasses { total += Double(target[place]) }
    // The highest logit gives 1, so the total is at least that.
    let share = Float(1 / total)
    for id in 0..<numClasses { target[id] *= share }
  }

  /// The highest logit, four at a time: one after another, each would wait for the one before.
  private var highest: Double {
    var (a, b, c, d) = (logits[0], logits[0], logits[0], logits[0])
    var id = 0
    while id &+ 4 <= numClasses {
      a = logits[id] > a ? logits[id] : a
      b = logits[id &+ 1] > b ? logits[id &+ 1] : b
      c = logits[id &+ 2] > c ? logits[id &+ 2] : c
      d = logits[id &+ 3] > d ? logits[id &+ 3] : d
      id &+= 4
    }
    while id < numClasses {
      a = max(a, logits[id])
      id &+= 1
    }
    return max(max(a, b), max(c, d))
  }
}
