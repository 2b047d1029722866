import Glibc

/// The label of a whole image: LabelPooling over a box that covers the map.
///
/// Over the whole map RoIAlign's sample points fall on the cell centres with equal weights, so
/// pooling is the mean over the cells (spec, "Meaning").
public enum WholeImage {
  /// The best classes of a map, most probable first, ties by class id.
  ///
  /// - Parameters:
  ///   - map: the labels; orientation does not matter here.
  ///   - header: score kind and number of classes.
  ///   - count: how many classes to return at most.
  /// - Returns: probabilities in [0, 1] of classes that occur in the map.
  public static func top(
    _ map: LabelMap,
    header: ShardHeader,
    count: Int
  ) -> [(classIndex: UInt32, probability: Double)] {
    var pooled: [UInt32: Double] = [:]
    let weight = 1 / Double(map.shape.cells)
    for (id, score) in zip(map.classIndex, map.score) {
      let value = header.scoreKind == .logProbability ? exp(Double(score)) : Double(score)
      pooled[id, default: 0] += weight * value
    }
    if header.scoreKind == .logit {
      // Classes outside every cell's top-k have logit 0: each adds e^0 to the sum.
      let highest = max(pooled.values.max() ?? 0, 0)
      let absent = Double(header.numClasses - pooled.count) * exp(-highest)
      let total = pooled.values.reduce(absent) { $0 + exp($1 - highest) }
      pooled = pooled.mapValues { exp($0 - highest) / total }
    }
    return pooled.sorted { $0.value > $1.value || ($0.value == $1.value && $0.key < $1.key) }
      .prefix(count).map { ($0.key, $0.value) }
  }
}
