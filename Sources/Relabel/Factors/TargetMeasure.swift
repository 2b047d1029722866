package import RelabelFormat

/// Measures what storing does to targets of random crops, against the scores of all classes (spec, section 4.11).
///
/// The images, the crops and the arithmetic are part of the format: every machine finds the same numbers. Crops are of the grid, as
/// maps of one dataset share it. Callable from any thread.
package struct TargetMeasure: Sendable {
  private let (height, width): (Int, Int)
  private let numClasses: Int
  /// What logits are divided by.
  private let temperature: Double

  /// Crops of an image.
  package static let crops = 8
  /// All images before this number are measured, so that small datasets have figures, too.
  private static let first: Int64 = 64
  /// Of those behind, every so many.
  private static let stride: Int64 = 32

  /// - Parameter header: grid, classes and temperature of the maps, whose classes exclude each other.
  package init(_ header: ShardHeader) {
    (height, width) = (header.shape.height, header.shape.width)
    (numClasses, temperature) = (header.numClasses, header.temperature)
  }

  /// True for an image that is measured, by its place in the listing.
  package static func includes(_ imageIndex: Int64) -> Bool {
    imageIndex >= 0 && (imageIndex < first || imageIndex % stride == 0)
  }

  /// The error of one image.
  ///
  /// - Parameters:
  ///   - stored: its map: factors, or classes of which absent ones are 0.
  ///   - dense: logits of all classes, of the same grid.
  ///   - imageIndex: its place in the listing, from which its crops follow.
  /// - Returns: sums over its crops.
  /// - Complexity: O(classes · cells · crops).
  package func error(
    of stored: LabelMap,
    against dense: DenseMap,
    imageIndex: Int64
  ) -> TargetError {
    precondition(dense.classes == numClasses && dense.height == height && dense.width == width)
    var (divergence, distance, otherTop) = (0.0, 0.0, 0)
    for weights in Self.weights(imageIndex, height, width) {
      let given = logarithms(pooled(dense, weights))
      let kept = logarithms(pooled(stored, weights))
      var (sum, half) = (0.0, 0.0)
      for id in 0..<numClasses {
        let probability = PlainExponential.of(given[id])
        sum += probability * (given[id] - kept[id])
        half += abs(probability - PlainExponential.of(kept[id]))
      }
      // Rounding alone makes it less than 0.
      divergence += max(sum, 0)
      distance += half / 2
      if Self.best(given) != Self.best(kept) { otherTop += 1 }
    }
    return TargetError(
      crops: Self.crops,
      divergence: divergence,
      distance: distance,
      otherTop: otherTop
    )
  }

  /// What each cell weighs in each crop of an image.
  private static func weights(_ imageIndex: Int64, _ height: Int, _ width: Int) -> [[Double]] {
    var generator = SplitMix64(state: UInt64(bitPattern: imageIndex))
    var rows = AxisWeights(capacity: height)
    var columns = AxisWeights(capacity: width)
    var crops: [[Double]] = []
    while crops.count < Self.crops {
      guard let box = CropBox.drawn(&generator) else { continue }
      rows.fill(start: box.top, length: box.height, count: height)
      columns.fill(start: box.left, length: box.width, count: width)
      var weights = [Double](repeating: 0, count: height * width)
      for y in rows.cells {
        for x in columns.cells { weights[y * width + x] = rows[y] * columns[x] }
      }
      crops.append(weights)
    }
    return crops
  }

  private func pooled(_ map: DenseMap, _ weights: [Double]) -> [Double] {
    var sums = [Double]()
    sums.reserveCapacity(numClasses)
    let used = weights.indices.filter { weights[$0] != 0 }
    map.forEachPlane { plane in
      var sum = 0.0
      for cell in used { sum += weights[cell] * Double(plane[cell]) }
      sums.append(sum)
    }
    return sums
  }

  private func pooled(_ map: LabelMap, _ weights: [Double]) -> [Double] {
    let topK = map.shape.topK
    var sums = [Double](repeating: 0, count: numClasses)
    guard let factors = map.factors else {
      for entry in map.score.indices {
        sums[Int(map.classIndex[entry])] += weights[entry / topK] * Double(map.score[entry])
      }
      return sums
    }
    for factor in 0..<topK {
      var amount = 0.0
      for cell in weights.indices where weights[cell] != 0 {
        amount += weights[cell] * Double(map.score[cell * topK + factor])
      }
      let each = amount * Double(factors.scale[factor])
      if each == 0 { continue }
      for id in 0..<numClasses {
        let number = Int(factors.numbers[factor * numClasses + id]) - Layout.classFactorOffset
        sums[id] += each * Double(number)
      }
    }
    return sums
  }

  /// The logarithms of the probabilities of pooled logits.
  private func logarithms(_ pooled: [Double]) -> [Double] {
    let highest = (pooled.max() ?? 0) / temperature
    var total = 0.0
    for logit in pooled { total += PlainExponential.of(logit / temperature - highest) }
    let logarithm = PlainLogarithm.of(total)
    return pooled.map { $0 / temperature - highest - logarithm }
  }

  /// The class with the highest value, the lowest of equal ones.
  private static func best(_ values: [Double]) -> Int {
    var best = 0
    for id in values.indices where values[id] > values[best] { best = id }
    return best
  }
}

extension CropBox {
  /// A crop as RandomResizedCrop draws it, by whole numbers alone; nil for one that is larger than the picture.
  package static func drawn(_ generator: inout SplitMix64) -> CropBox? {
    let area = 0.08 + 0.92 * generator.fraction()
    // Ratios from 3/4 to 4/3, evenly by their logarithm.
    let ratio = [0.75, 0.8055, 0.8651, 0.9292, 1, 1.0762, 1.1559, 1.2415, 1.3333][
      Int(generator.fraction() * 9)
    ]
    let (tall, wide) = ((area / ratio).squareRoot(), (area * ratio).squareRoot())
    let (top, left) = (generator.fraction(), generator.fraction())
    guard tall <= 1, wide <= 1 else { return nil }
    return CropBox(top: top * (1 - tall), left: left * (1 - wide), height: tall, width: wide)
  }
}

extension SplitMix64 {
  /// A number from 0 up to 1.
  mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}
