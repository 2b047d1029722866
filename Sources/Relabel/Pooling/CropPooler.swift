/// Pools crops of one map after another in memory that is used again.
///
/// Serves one thread at a time.
package final class CropPooler {
  private let pooling: LabelPooling
  private let scratch: PoolingScratch
  /// The target of all classes, for maps of factors; else nothing.
  private let dense: UnsafeMutableBufferPointer<Float>

  /// Memory for maps of a shape.
  package init(_ pooling: LabelPooling, _ shape: MapShape) {
    self.pooling = pooling
    dense = .allocate(capacity: pooling.hasFactors ? pooling.numClasses : 0)
    scratch = PoolingScratch(numClasses: pooling.numClasses, shape: shape)
  }

  deinit { dense.deallocate() }

  /// What the classes have that are not among the pooled ones.
  package struct Others: Hashable, Sendable {
    /// How many there are.
    package let count: Int
    /// The probability of each.
    package let probability: Float
  }

  /// Hands out the probability of every pooled class of a crop, in no particular order; of all classes of a map of factors.
  ///
  /// - Parameters:
  ///   - map: the labels of the image.
  ///   - box: the crop.
  ///   - body: is given each class once.
  /// - Returns: what the other classes have.
  /// - Throws: as `LabelPooling.target`.
  package func pool(
    _ map: LabelMap,
    in box: CropBox,
    _ body: (_ classIndex: UInt32, _ probability: Float) -> Void
  ) throws(RelabelError) -> Others {
    try map.withEntries { entries throws(RelabelError) in
      _ = try pooling.weigh(box, map.extent, map.shape, scratch)
      try pooling.check(entries)
      if let factors = entries.factors {
        for (id, probability) in target(of: entries, factors).enumerated() {
          body(UInt32(id), probability)
        }
        return Others(count: 0, probability: 0)
      }
      let rest = try pooling.pool(entries, scratch)
      let others = Others(count: pooling.numClasses - scratch.sums.count, probability: rest)
      scratch.sums.take { body(UInt32($0), Float($1)) }
      return others
    }
  }

  /// The most probable of the pooled classes of a crop; the lowest of several.
  ///
  /// Sums rank classes as their probabilities do, so nothing is made into a probability.
  /// - Parameters:
  ///   - map: the labels of the image.
  ///   - box: the crop.
  /// - Returns: the class.
  /// - Throws: as `LabelPooling.target`.
  package func best(of map: LabelMap, in box: CropBox) throws(RelabelError) -> UInt32 {
    guard map.isChecked else {
      return try pooling.target(of: map, in: box).top(1).first?.classIndex ?? 0
    }
    return try map.withEntries { entries throws(RelabelError) in
      _ = try pooling.weigh(box, map.extent, map.shape, scratch)
      if let factors = entries.factors {
        try pooling.check(entries)
        let target = target(of: entries, factors)
        var best = 0
        for id in target.indices where target[id] > target[best] { best = id }
        return UInt32(best)
      }
      _ = pooling.kernel.sum(entries, scratch)
      var best = (classIndex: Int.max, sum: -Double.infinity)
      scratch.sums.take { id, sum in
        if sum > best.sum || (sum == best.sum && id < best.classIndex) { best = (id, sum) }
      }
      return UInt32(best.classIndex)
    }
  }

  /// The probabilities of all classes of a map of factors, whose weights have been set.
  private func target<ID>(
    of entries: MapEntries<ID>,
    _ factors: FactorTable
  ) -> UnsafeMutableBufferPointer<Float> {
    guard let room = dense.baseAddress else { preconditionFailure("the pooling is of factors") }
    scratch.write(entries, factors, scale: pooling.kernel.scale, to: room)
    return dense
  }
}
