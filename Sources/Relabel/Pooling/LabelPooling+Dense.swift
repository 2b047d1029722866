extension LabelPooling {
  /// The dense targets of some crops of a map that keeps every class.
  ///
  /// Pooling is linear before the last step, so each class is one weighted sum over its plane.
  /// - Parameters:
  ///   - map: scores of `numClasses` classes, all finite, that cover the whole picture.
  ///   - boxes: the crops.
  /// - Returns: the probabilities of all classes, for each box.
  /// - Throws: `.usage` for an invalid box.
  /// - Complexity: O(classes · cells · boxes).
  package func targets(
    of map: DenseMap,
    in boxes: [CropBox]
  ) throws(RelabelError) -> [[Float]] {
    precondition(map.classes == numClasses)
    let shape = MapShape(height: map.height, width: map.width, topK: map.classes)
    let scratch = PoolingScratch(numClasses: numClasses, shape: shape)
    var weights: [[Double]] = []
    for box in boxes {
      _ = try weigh(box, .whole, shape, scratch)
      weights.append(scratch.cellWeights(shape))
    }
    var sums = weights.map { _ in [Double]() }
    var values = [Float](repeating: 0, count: map.cells)
    let probability = probabilityOfScore
    map.forEachPlane { plane in
      if let probability {
        for cell in plane.indices { values[cell] = probability(plane[cell]) }
        values.withUnsafeBufferPointer { values in
          for crop in weights.indices { sums[crop].append(Self.sum(values, weights[crop])) }
        }
      } else {
        for crop in weights.indices { sums[crop].append(Self.sum(plane, weights[crop])) }
      }
    }
    return sums.map { sums in
      for (id, sum) in sums.enumerated() { scratch.sums.add(sum, to: UInt32(id)) }
      _ = kernel.finish(scratch, rest: 0)
      var target = [Float](repeating: 0, count: numClasses)
      scratch.sums.take { id, probability in target[id] = Float(probability) }
      return target
    }
  }

  /// What turns a score into what is pooled; nil where that is the score itself.
  private var probabilityOfScore: ((Float) -> Float)? {
    if kernel.kind == .logProbability { return { Mathematics.exp($0) } }
    guard kernel.hasSigmoids else { return nil }
    let scale = kernel.scale
    return { Float(1 / (1 + Mathematics.exp(-Double($0) * scale))) }
  }

  /// The sum of weighted values, four at a time.
  private static func sum(_ values: UnsafeBufferPointer<Float>, _ weights: [Double]) -> Double {
    weights.withUnsafeBufferPointer { weights in
      var sums = SIMD4<Double>.zero
      let whole = values.count & ~3
      for first in stride(from: 0, to: whole, by: 4) {
        let scores = SIMD4(
          Double(values[first]),
          Double(values[first + 1]),
          Double(values[first + 2]),
          Double(values[first + 3])
        )
        sums +=
          scores
          * SIMD4(weights[first], weights[first + 1], weights[first + 2], weights[first + 3])
      }
      var total = sums.sum()
      for place in whole..<values.count { total += Double(values[place]) * weights[place] }
      return total
    }
  }
}

extension PoolingScratch {
  /// The weight of each cell of the grid, as the two axes have it.
  fileprivate func cellWeights(_ shape: MapShape) -> [Double] {
    var weights = [Double](repeating: 0, count: shape.cells)
    for y in rows.cells {
      for x in columns.cells { weights[y * shape.width + x] = rows[y] * columns[x] }
    }
    return weights
  }
}
