/// Pools crops of one map after another in memory that is used again.
///
/// Serves one thread at a time.
package final class CropPooler {
  private let pooling: LabelPooling
  private let scratch: PoolingScratch

  /// Memory for maps of a shape.
  package init(_ pooling: LabelPooling, _ shape: MapShape) {
    self.pooling = pooling
    scratch = PoolingScratch(numClasses: pooling.numClasses, shape: shape)
  }

  /// What the classes have that are not among the pooled ones.
  package struct Others: Hashable, Sendable {
    /// How many there are.
    package let count: Int
    /// The probability of each.
    package let probability: Float
  }

  /// Hands out the probability of every pooled class of a crop, in no particular order.
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
      _ = pooling.kernel.sum(entries, scratch)
      var best = (classIndex: Int.max, sum: -Double.infinity)
      scratch.sums.take { id, sum in
        if sum > best.sum || (sum == best.sum && id < best.classIndex) { best = (id, sum) }
      }
      return UInt32(best.classIndex)
    }
  }
}
